/**
 * Runs a plan: orders are placed while what becomes of them is followed, then the last ones are waited for, then the books are
 * checked.
 *
 * The server may be killed and started again meanwhile: every request is repeated with its key. What is not waited for any
 * longer: a server that was silent for two minutes (the requests give up), and orders of which none ended for two minutes.
 */
import { minutes } from '@cauce/kit/core/clock'
import type { Order } from '@cauce/orders/contract'
import { explain } from '../explain.ts'
import type { Api, Audit } from '../http/api.ts'
import type { Client } from '../http/client.ts'
import { Refused } from '../http/problem.ts'
import { customer } from '../http/tokens.ts'
import type { Shell } from '../shell.ts'
import { concurrently } from './concurrently.ts'
import { Follower } from './follow.ts'
import type { Plan, PlannedOrder } from './plan.ts'
import { customerName } from './prepare.ts'
import type { Progress } from './progress.ts'
import { summarise, type Summary } from './summary.ts'

export interface Run {
  readonly shell: Shell
  readonly api: Api
  readonly client: Client
  readonly plan: Plan
  readonly run: string
  readonly seed: number
  readonly concurrency: number
  readonly progress: Progress
}

/** How long a server that answered before is waited for. */
export const PATIENCE_MS = minutes(2)
const NO_ORDER_ENDED_MS = minutes(2)
const SHOW_EVERY_MS = 200

export async function runDemo(demo: Run): Promise<Summary> {
  const { shell, client, plan, run, seed } = demo
  const { clock } = shell.world
  const begunMs = clock.monotonic()
  const { ended, refused, placedMs, open } = await placeAndFollow(demo)
  const elapsedMs = clock.monotonic() - begunMs
  shell.output.note(shell.t('demo.auditing'))
  const audit = await auditOf(demo)
  const { stats } = client
  return summarise({ run, seed, orders: plan.orders.length, ended, open, refused, placedMs, elapsedMs, stats, audit })
}

async function placeAndFollow({ shell, api, client, plan, run, concurrency, progress }: Run) {
  const { t, output, world } = shell
  const { clock, timers } = world
  const ended: Order[] = []
  const refused = new Map<string, number>()
  const begunMs = clock.monotonic()
  let lastMoveMs = begunMs
  let placing = true
  const follower = new Follower({
    api,
    clock,
    timers,
    onEnded(order) {
      ended.push(order)
      lastMoveMs = clock.monotonic()
    },
  })
  progress.start()
  const showing = new AbortController()
  const show = () => {
    if (client.awayMs() > 0) lastMoveMs = clock.monotonic() // While the server is away the requests' own patience counts.
    progress.show(ended.length + follower.open, ended.length, client.awayMs())
  }
  const shown = (async () => {
    for (; !showing.signal.aborted; await timers.sleep(SHOW_EVERY_MS, showing.signal)) show()
  })()

  const place = async (order: PlannedOrder, index: number) => {
    try {
      const { id } = await placeOne(api, order, run, index)
      follower.add(id)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      refused.set(error.problem.code, (refused.get(error.problem.code) ?? 0) + 1)
    }
    lastMoveMs = clock.monotonic()
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
  return { ended, refused, placedMs, open }
}

function placeOne(
  api: Api,
  { customer: index, lines, postalCode }: PlannedOrder,
  run: string,
  number: number,
): Promise<Order> {
  const name = customerName(run, index)
  const shipTo = { name, line1: 'Calle Mayor 1', city: 'Madrid', postalCode, country: 'ES' }
  const body = { lines: [...lines], payment: { method: 'wallet' as const }, shipTo }
  return api.placeOrder(customer(name), body, `demo-${run}-order-${number + 1}`)
}

async function auditOf({ api, shell }: Run): Promise<Audit | null> {
  try {
    return await api.audit()
  } catch (error) {
    const { output, t, settings } = shell
    const context = { t, colour: output.noteColour, dataDirectory: settings.dataDirectory }
    output.note(explain(error, context).lines.join('\n'))
    return null
  }
}
