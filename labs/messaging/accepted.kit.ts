/**
 * The order and what is to be done about it are one decision, saved in one transaction of the pipeline; the 202 goes out when
 * it is durable. The kit's runner does the rest, in this process or, if it dies, in the next one.
 */
import { systemTimers } from '@cauce/kit/core/clock'
import { oneOf, table, text } from '@cauce/kit/database/table'
import { accept, enqueue, onCommand, onTask, unchanged } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { taskBackoff } from '@cauce/kit/policy/backoff'
import { done, type Effect } from '@cauce/kit/task/outcome'
import type { Handlers, Shop } from './accepted.naive.ts'
import { startSmallService } from './small-service.ts'
import type { Step } from '../harness/steps.ts'

/** What the variants of this repository get besides. */
export interface InsideShop extends Shop {
  readonly url: string
  readonly step: Step
}

/** How long the next process waits for the task of one that died. */
const LEASE_MS = 200
const LOOK_AGAIN_MS = 10
const CHARGE_ORDER = 'charge-order'

interface OrderId {
  readonly orderId: string
}

const orders = table('orders', { key: 'id', columns: { id: text, status: oneOf('placed', 'paid') } })

const placeOrder = onCommand<OrderId>('PlaceOrder', {
  lock: ({ orderId }) => [orders.key(orderId)],
  decide({ orderId }, rows) {
    if (rows.get(orders, orderId)) return unchanged
    return accept({
      changes: [orders.insert({ id: orderId, status: 'placed' })],
      tasks: [enqueue({ type: CHARGE_ORDER, key: orderId, data: { orderId } })],
    })
  },
})

const orderCharged = onTask<OrderId>(CHARGE_ORDER, {
  lock: ({ data }) => [orders.key(data.orderId)],
  decide: ({ data }) => accept({ changes: [orders.update({ id: data.orderId, status: 'paid' })] }),
})

const shop: ServiceDefinition = {
  name: 'shop',
  tables: [orders],
  commands: [placeOrder],
  messages: [],
  tasks: [orderCharged],
}

export function enqueueInTransaction({ url, step, charge }: InsideShop): Handlers {
  const effect: Effect = {
    type: CHARGE_ORDER,
    async run(data) {
      await charge((data as OrderId).orderId)
      return done()
    },
    backoff: taskBackoff,
    timeoutMs: 10_000,
    concurrency: 4,
  }
  const { commands, storage } = startSmallService({ url, definition: shop, effects: [effect], leaseMs: LEASE_MS, step })
  return {
    async post(orderId, answer) {
      const render = () => ({ status: 202, headers: {}, body: '' })
      await commands.submit({ id: orderId, type: 'PlaceOrder', data: { orderId }, requestId: orderId, render })
      await answer(202)
    },
    async resume() {
      for (;;) {
        const stats = await storage.queue.stats()
        if (!stats.some(({ state }) => state === 'open')) return
        await systemTimers.sleep(LOOK_AGAIN_MS)
      }
    },
  }
}
