/**
 * Refusing work when there is too much of it, the least important first: lists at the first sign, payments last. A refusal is
 * cheap (no token, no body, no database), so a server that sheds recovers, and what it does accept is answered in time.
 *
 * The sign here is the event loop's delay, as Node measures it, and it has to last: one long garbage collection, a
 * cold start or a neighbour's burst is over before a refusal would help. Whoever owns a queue (the command batcher, the pool) knows
 * better and earlier; its sign is the `shed` option of the server.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock, type Clock } from '../core/clock.ts'

/** 0: payments, cancels, webhooks, health. 1: new orders. 2: reads. 3: lists and operations. */
export type Priority = 0 | 1 | 2 | 3

/** Whether a request of this priority is refused now. */
export type Shed = (priority: Priority) => boolean

/** From which lasting mean delay on each priority is refused, P0 to P3. */
export const DELAYS_MS: readonly [number, number, number, number] = [Infinity, 2_000, 1_000, 500]
const SAMPLE_MS = 1_000
/** How often Node looks: ten times finer costs an idle server half a percent of a core and says the same. */
const RESOLUTION_MS = 100

export interface LoopShedding {
  readonly shed: Shed
  stop(): void
}

/** Sheds by the delay of the event loop, until stopped. A sample is taken when a request asks and a second has passed. */
export function shedByEventLoop(delaysMs = DELAYS_MS, clock: Clock = systemClock): LoopShedding {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let mean = 0
  let sampledAt = clock.monotonic()
  const sample = () => {
    const now = clock.monotonic()
    if (now - sampledAt < SAMPLE_MS) return mean
    // NaN before the first look.
    mean = Math.max(0, delays.mean / 1e6 - RESOLUTION_MS) || 0
    delays.reset()
    sampledAt = now
    return mean
  }
  return { shed: lasting(sample, delaysMs), stop: () => void delays.disable() }
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
