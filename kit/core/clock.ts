/**
 * Time as a parameter. Everything that waits or reads a clock takes these two, so that the simulator can own them.
 * This file is the one home of Date.now and setTimeout: a call elsewhere is time that no test can move.
 */

export interface Clock {
  /** Milliseconds since the Unix epoch. May jump, also backwards: nothing that must be true rests on it. */
  now(): number
  /** Milliseconds since an arbitrary start, never going back. For measuring durations. */
  monotonic(): number
}

export interface Timers {
  /** Resolves after `ms`, or at once when `signal` aborts (it never rejects: a woken sleeper looks around anyway). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `task` once after `ms`. Returns the cancellation. */
  after(ms: number, task: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}

/** `Timers.sleep` out of `Timers.after`. */
export function sleepOn(after: Timers['after'], ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

function afterTimeout(ms: number, task: () => void): () => void {
  const handle = setTimeout(task, ms)
  return () => clearTimeout(handle)
}

export const systemTimers: Timers = {
  sleep: (ms, signal) => sleepOn(afterTimeout, ms, signal),
  after: afterTimeout,
}

export const seconds = (count: number): number => count * 1000
export const minutes = (count: number): number => count * 60_000
export const hours = (count: number): number => count * 3_600_000
export const days = (count: number): number => count * 86_400_000
