/**
 * The kit's log as the outbox: an order is a decision, its message is appended in the pipeline's transaction, and the relay is
 * one more reader of the log, with cursors like those of every group.
 */
import { poll } from '@cauce/kit/consumer/poll'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import { integer, table, text } from '@cauce/kit/database/table'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { CommandQueue } from '@cauce/kit/pipeline/commands'
import { accept, onCommand } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { inTransaction } from '@cauce/kit/pipeline/unit-of-work'
import { openPipeline } from './log.ts'
import type { Order, OrderTaking, Shop } from './outbox.naive.ts'
import type { Step } from '../harness/steps.ts'

const SCHEMA = 'shop'
const RELAY = 'relay'
/** Most messages of one pass. */
const BATCH = 100

const orders = table('orders', { key: 'id', columns: { id: text, total: integer } })

const placeOrder = onCommand<Order>('PlaceOrder', {
  lock: ({ id }) => [orders.key(id)],
  decide: (order) =>
    accept({
      changes: [orders.insert(order)],
      messages: [{ type: 'OrderPlaced', key: order.id, data: { orderId: order.id } }],
    }),
})

const shop: ServiceDefinition = { name: SCHEMA, tables: [orders], commands: [placeOrder], messages: [], tasks: [] }

export interface LogShop extends Shop {
  readonly url: string
  readonly step: Step
}

function open({ url, publish, step }: LogShop): OrderTaking {
  const { pool, pipeline, transactions } = openPipeline(url, shop, step)
  const commands = new CommandQueue(pipeline)
  const groups = postgresGroups(pool, SCHEMA)
  const log = postgresLogReader(pool, SCHEMA)
  return {
    async placeOrder(order) {
      const render = () => ({ status: 202, headers: {}, body: '' })
      await commands.submit({ id: order.id, type: 'PlaceOrder', data: order, requestId: order.id, render })
    },
    async relay() {
      const { backlogs } = await step('read the log', () => poll(groups, RELAY, [log], BATCH, 0))
      for (const { source, lane, messages } of backlogs) {
        for (const { id, data } of messages) await publish({ id, orderId: (data as { orderId: string }).orderId })
        const { position, id } = messages.at(-1)!
        const cursor = { source, lane, position, messageId: id, parked: 0 }
        await inTransaction(transactions, async ({ cursors }) => {
          const [locked] = await cursors.lock(RELAY, [cursor])
          if (locked && locked.position < position) await cursors.move(RELAY, [cursor], [])
        })
      }
    },
  }
}

async function prepare(url: string): Promise<void> {
  const { prepareSchema } = await import('./prepare.ts')
  await prepareSchema(url, SCHEMA, { group: RELAY, source: SCHEMA })
}

export const logIsTheOutbox = Object.assign(open, { prepare })
