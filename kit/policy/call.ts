/**
 * The guard around every call to a provider: a limit on calls at a time, a circuit breaker, and a timeout. No retries: the task
 * runner retries, and two layers that retry multiply. The mechanics are cockatiel's; the numbers and the errors are ours.
 *
 *   call -> bulkhead (full: ProviderBusy) -> breaker (open: ProviderUnavailable) -> timeout (ProviderTimedOut) -> the call
 *
 * The bulkhead is outside the breaker, so being busy is not counted as the provider failing. What a rejection means:
 *   - ProviderBusy and ProviderUnavailable: the call was never made. It is safe to try later, `retryAfterMs` says when.
 *   - ProviderTimedOut and CallAborted: the call was made and its outcome is *unknown*. Send it again with the same key.
 * Only what rejects counts as a failure. An answer the provider gave, a refusal included, is a value: return it.
 */

import { BrokenCircuitError, BulkheadRejectedError, TaskCancelledError } from 'cockatiel'
import {
  CircuitState,
  SamplingBreaker,
  TimeoutStrategy,
  bulkhead,
  circuitBreaker,
  handleWhen,
  timeout,
} from 'cockatiel'
import type { IBackoff } from 'cockatiel'
import { systemClock } from '../core/clock.ts'
import type { Clock } from '../core/clock.ts'
import { systemRandom } from '../core/prng.ts'
import type { Random } from '../core/prng.ts'

export interface ProviderPolicyOptions {
  /** The provider's name, for errors and metrics. */
  readonly name: string
  /** How long one call may take. */
  readonly timeoutMs: number
  /** Calls at a time. One more is refused at once, or waits when there is a queue. */
  readonly concurrency: number
  /** Calls that may wait for a free place. Defaults to 0: the task runner is the queue. */
  readonly queue?: number
  /** Whether a rejection says that the provider is unwell. Defaults to always. */
  readonly isFailure?: (error: unknown) => boolean
  /** Told about every change of the breaker: `closed`, `open`, `half-open`. */
  readonly onState?: (state: BreakerState) => void
  /** Measures `retryAfterMs`. The breaker itself reads the process's clock, for it must not survive the process. */
  readonly clock?: Clock
  readonly random?: Random
}

export type BreakerState = 'closed' | 'open' | 'half-open'

export interface ProviderPolicy {
  readonly name: string
  /** Runs the call under the guard. The signal given to it aborts at the timeout and with the caller's `signal`. */
  call<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>
  state(): BreakerState
}

/** Too many calls at a time: this one was not made. */
export class ProviderBusy extends Error {
  override readonly name = 'ProviderBusy'
  readonly retryAfterMs = 1_000
}

/** The breaker is open: this call was not made. */
export class ProviderUnavailable extends Error {
  override readonly name = 'ProviderUnavailable'
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** No answer in time. Whether it took effect is unknown: send it again with the same key. */
export class ProviderTimedOut extends Error {
  override readonly name = 'ProviderTimedOut'
}

/** The caller gave up (shutdown, lost lease). Whether it took effect is unknown: send it again with the same key. */
export class CallAborted extends Error {
  override readonly name = 'CallAborted'
}

const OPENS_ABOVE = 0.4999 // the library opens *above* its threshold; ours is "at 50 %"
const WINDOW_MS = 10_000
const AT_LEAST_CALLS = 20
const FIRST_OPEN_MS = 5_000
const LONGEST_OPEN_MS = 60_000

/** How long the breaker stays open the nth time in a row (1, 2, …): doubling, up to a fifth longer so that processes spread out. */
export function openMs(time: number, random: Random): number {
  return Math.min(LONGEST_OPEN_MS, Math.floor(FIRST_OPEN_MS * 2 ** (time - 1) * (1 + random.next() / 5)))
}

export function providerPolicy(options: ProviderPolicyOptions): ProviderPolicy {
  const { name, timeoutMs, concurrency, queue = 0, isFailure = () => true, onState } = options
  const { clock = systemClock, random = systemRandom } = options
  let halfOpensAtMs = 0
  const openFor = (time: number): IBackoff<unknown> => ({
    duration: openMs(time, random),
    next: () => openFor(time + 1),
  })

  const places = bulkhead(concurrency, queue)
  const breaker = circuitBreaker(
    handleWhen((error) => !(error instanceof CallAborted) && isFailure(error)),
    {
      halfOpenAfter: { next: () => noting(openFor(1)) },
      breaker: new SamplingBreaker({
        threshold: OPENS_ABOVE,
        duration: WINDOW_MS,
        minimumRps: (AT_LEAST_CALLS * 1000) / WINDOW_MS,
      }),
    },
  )
  const timer = timeout(timeoutMs, TimeoutStrategy.Aggressive)
  if (onState) breaker.onStateChange((state) => onState(named(state)))

  function noting(backoff: IBackoff<unknown>): IBackoff<unknown> {
    halfOpensAtMs = clock.monotonic() + backoff.duration
    return { duration: backoff.duration, next: (context) => noting(backoff.next(context)) }
  }

  async function inTime<T>(work: (signal: AbortSignal) => Promise<T>, outer: AbortSignal): Promise<T> {
    try {
      return await timer.execute((context) => work(context.signal), outer)
    } catch (error) {
      // instanceof: the library's own isTaskCancelledError (3.2.1) looks for another error's mark and never matches
      if (!(error instanceof TaskCancelledError)) throw error
      if (outer.aborted) throw new CallAborted(`The call to ${name} was given up; its outcome is unknown`)
      throw new ProviderTimedOut(
        `${name} did not answer within ${timeoutMs} ms; the outcome is unknown, send it again with the same key`,
      )
    }
  }

  return {
    name,
    state: () => named(breaker.state),
    async call(work, signal = new AbortController().signal) {
      try {
        return await places.execute(() => breaker.execute(() => inTime(work, signal), signal), signal)
      } catch (error) {
        if (error instanceof BulkheadRejectedError) {
          throw new ProviderBusy(`${name} has ${concurrency} calls in progress; this one was not made, try again later`)
        }
        if (error instanceof BrokenCircuitError) {
          const retryAfterMs = Math.max(0, Math.ceil(halfOpensAtMs - clock.monotonic()))
          throw new ProviderUnavailable(
            `${name} has been failing; this call was not made, try again in ${retryAfterMs} ms`,
            retryAfterMs,
          )
        }
        if (error instanceof TaskCancelledError)
          throw new CallAborted(`The call to ${name} was given up before it was made`)
        throw error
      }
    },
  }
}

function named(state: CircuitState): BreakerState {
  if (state === CircuitState.Closed) return 'closed'
  return state === CircuitState.HalfOpen ? 'half-open' : 'open'
}
