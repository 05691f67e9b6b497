/**
 * Places the orders of a plan while what becomes of them is followed, then waits for the last ones.
 *
 * The server may be killed and started again meanwhile: every request is repeated with its key. What is not waited for any
 * longer: a server that was silent for two minutes (the requests give up), and orders of which none ended for two minutes.
 */
import { minutes } from '@cauce/kit/core/clock'
import type { Order } from '@cauce/orders/contract'
import type { Api } from '../http/api.ts'
import type { Client } from '../http/client.ts'
import { Refused } from '../http/problem.ts'
import { customer } from '../http/tokens.ts'
import type { Shell } from '../shell.ts'
import { concurrently } from './concurrently.ts'
import { Follower } from './follow.ts'
import { kindOf, type Kind } from './kinds.ts'
import type { Plan, PlannedOrder } from './plan.ts'
import { customerName } from './prepare.ts'
import type { Progress } from './progress.ts'

export interface FlowOptions {
  readonly shell: Pick<Shell, 'world' | 't' | 'output'>
  readonly api: Api
  readonly client: Client
  readonly plan: Plan
  readonly run: string
  readonly concurrency: number
  readonly progress: Progress
  /** Told after every order that was answered, how many were. */
  onAnswered?(count: number): void
}

export interface EndedOrder {
  readonly kind: Kind
  readonly order: Order
}

export interface Flowed {
  /** The id of every accepted order, by its place in the plan. */
  readonly accepted: ReadonlyMap<number, string>
  readonly ended: readonly EndedOrder[]
  /** Orders that were not accepted, by problem code. */
  readonly refused: ReadonlyMap<string, number>
  /** Accepted, and not seen ended. */
  readonly open: number
  /** From the first order sent to the last one answered. */
  readonly placedMs: number
  /** From the first order sent to the last one seen ended. */
  readonly elapsedMs: number
}

/** How long a server that answered before is waited for. */
export const PATIENCE_MS = minutes(2)
const NO_ORDER_ENDED_MS = minutes(2)
const SHOW_EVERY_MS = 200

export async function placeAndFollow(options: FlowOptions): Promise<Flowed> {
  const { shell, api, client, plan, run, concurrency, progress, onAnswered } = options
  const { t, output, world } = shell
  const { clock, timers } = world
  const accepted = new Map<number, string>()
  const indexes = new Map<string, number>()
  const ended: EndedOrder[] = []
  const refused = new Map<string, number>()
  const begunMs = clock.monotonic()
  let lastMoveMs = begunMs
  let answered = 0
  let placing = true
  const follower = new Follower({
    api,
    clock,
    timers,
    onEnded(order) {
      ended.push({ kind: kindOf(plan.orders[indexes.get(order.id) ?? 0]!), order })
      lastMoveMs = clock.monotonic()
    },
  })
  progress.start()
  const showing = new AbortController()
  const show = () => {
    if (client.awayMs() > 0) lastMoveMs = clock.monotonic() // While the server is away the requests' own patience counts.
    progress.show(accepted.size, ended.length, client.awayMs())
  }
  const shown = (async () => {
    for (; !showing.signal.aborted; await timers.sleep(SHOW_EVERY_MS, showing.signal)) show()
  })()

  const place = async (order: PlannedOrder, index: number) => {
    try {
      const { id } = await placeOne(api, order, run, index)
      accepted.set(index, id)
      indexes.set(id, index)
      follower.add(id)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      refused.set(error.problem.code, (refused.get(error.problem.code) ?? 0) + 1)
    }
    lastMoveMs = clock.monotonic()
    onAnswered?.(++answered)
  }
  const stalled = () => !placing && clock.monotonic() - lastMoveMs > NO_ORDER_ENDED_MS
  let placedMs = 0
  const placed = concurrently(plan.orders, concurrency, place).finally(() => {
    placing = false
    lastMoveMs = clock.monotonic()
    placedMs = lastMoveMs - begunMs
  })
  const followed = follower.run(() => (!placing && follower.open === 0) || stalled())
  const outcomes = await Promise.allSettled([placed, followed])
  showing.abort()
  await shown
  show()
  progress.stop()
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  const { open } = follower
  if (open > 0) output.note(t('demo.stalled', { seconds: NO_ORDER_ENDED_MS / 1000, open }))
  return { accepted, ended, refused, open, placedMs, elapsedMs: clock.monotonic() - begunMs }
}

function placeOne(api: Api, order: PlannedOrder, run: string, number: number): Promise<Order> {
  const { customer: index, lines, payment, postalCode } = order
  const name = customerName(run, index)
  const body = { lines: [...lines], payment, shipTo: addressOf(name, postalCode) }
  return api.placeOrder(customer(name), body, `demo-${run}-order-${number + 1}`)
}

export const addressOf = (name: string, postalCode: string) => ({
  name,
  line1: 'Calle Mayor 1',
  city: 'Madrid',
  postalCode,
  country: 'ES',
})
