/**
 * Refusing work when there is too much of it, the least important first: lists at the first sign, payments last. A refusal is
 * cheap (no token, no body, no database), so a server that sheds recovers, and what it does accept is answered in time.
 *
 * The sign here is the event loop's delay, sampled by @fastify/under-pressure, and it has to last: one long garbage collection, a
 * cold start or a neighbour's burst is over before a refusal would help. Whoever owns a queue (the command batcher, the pool) knows
 * better and earlier; its sign is the `shed` option of the server.
 */

import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'

/** 0: payments, cancels, webhooks, health. 1: new orders. 2: reads. 3: lists and operations. */
export type Priority = 0 | 1 | 2 | 3

/** Whether a request of this priority is refused now. */
export type Shed = (priority: Priority) => boolean

/** From which lasting mean delay on each priority is refused, P0 to P3. */
export const DELAYS_MS: readonly [number, number, number, number] = [Infinity, 2_000, 1_000, 500]
const SAMPLE_MS = 1_000

/** Sheds by the delay of the event loop. Registers the sampler on the server. */
export async function shedByEventLoop(app: FastifyInstance, delaysMs = DELAYS_MS): Promise<Shed> {
  await app.register(underPressure, { sampleInterval: SAMPLE_MS })
  return lasting(() => app.memoryUsage().eventLoopDelay, delaysMs)
}

/** Sheds by the lower of the last two samples. `sample` gives the latest one, the same until there is a new one. */
export function lasting(sample: () => number, delaysMs: readonly [number, number, number, number]): Shed {
  let before = 0
  let latest = 0
  return (priority) => {
    const now = sample()
    if (now !== latest) {
      before = latest
      latest = now
    }
    return before > delaysMs[priority] && latest > delaysMs[priority]
  }
}
