/**
 * How long to wait before trying again: full jitter, `random(0, min(cap, base * 2^attempt))`. A pure function of the policy,
 * the attempt and one random number, so asking twice changes nothing and a seed replays every delay.
 *
 * Full jitter and not "equal": callers that failed together must not come back together, and spreading over the whole
 * interval finishes a burst of conflicting retries with the fewest calls. Retry at one layer only, or attempts multiply.
 */

import type { Random } from '../core/prng.ts'

export interface Backoff {
  /** Upper bound of the first delay. */
  readonly baseMs: number
  /** No delay is longer. */
  readonly capMs: number
  /** Tries in all, the first included. Infinity for work that has no last attempt. */
  readonly attempts: number
}

/** For a call inside a request that somebody waits for. */
export const requestBackoff: Backoff = { baseMs: 50, capMs: 2_000, attempts: 3 }

/** For tasks nobody waits for. Capture, issue and compensation tasks keep the delays and drop the last attempt. */
export const taskBackoff: Backoff = { baseMs: 1_000, capMs: 900_000, attempts: 20 }

/** The same delays, without a last attempt. */
export const forever = (policy: Backoff): Backoff => ({ ...policy, attempts: Infinity })

/** The longest the delay after failed attempt number `attempt` (1, 2, 3 …) can be, in ms. */
export function longestDelayMs(policy: Backoff, attempt: number): number {
  return Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1))
}

/** The delay after failed attempt number `attempt` (1, 2, 3 …) in whole ms, or undefined when that was the last one. */
export function nextDelayMs(policy: Backoff, attempt: number, random: Random): number | undefined {
  if (attempt >= policy.attempts) return undefined
  return Math.floor(random.next() * longestDelayMs(policy, attempt))
}
