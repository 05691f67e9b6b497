/**
 * Calls to a provider that remembers keys, and what its answers mean as far as every provider agrees on it. An adapter names
 * the answers it knows; the rest is said here once:
 *
 *   400, 409, 410, 413, 422 … with a code   about the request, which stays the same: final, when the adapter says so
 *   401, 403, 404, 405, 408, 425, 429       by no fault of this request: again, after Retry-After
 *   any other without a code                not the provider's own words, but a proxy's: again
 *   5xx, no answer, half an answer          unknown: again with the same key, after Retry-After
 *
 * H1. The last row counts against the provider's circuit breaker, nothing else does. While it is open no call is made.
 * H2. The bytes that are sent are the caller's: the same under the same key, each time.
 * H3. Calls that were put off together do not come back together: every wait is spread over half as long again.
 * H4. What the provider writes is cut and cleaned before it is kept.
 */
import { minutes } from '../core/clock.ts'
import { systemRandom, type Random } from '../core/prng.ts'
import {
  CallAborted,
  ProviderBusy,
  ProviderTimedOut,
  ProviderUnavailable,
  type ProviderPolicy,
} from '../policy/call.ts'
import { ConnectionFailed, jsonClient, type JsonAnswer, type JsonClient } from './json-client.ts'

/** Not done, or nobody knows. Ask again with the same key, after `afterMs` when the provider named a time. */
export type Again = { readonly kind: 'again'; readonly reason: string; readonly afterMs?: number }

export interface ProviderOptions {
  /** Its name in a sentence: `The carrier`. */
  readonly name: string
  /** Where its API is. */
  readonly url: string
  /** Most connections. */
  readonly connections: number
  /** The guard of its calls. */
  readonly policy: ProviderPolicy
  readonly random?: Random
}

/** An answer below 500: the provider understood that it was asked. */
export interface ProviderAnswer {
  readonly status: number
  /** The body's members; none when it is not an object. */
  readonly body: Readonly<Record<string, unknown>>
  /** What kind of refusal it is, in the provider's own words. */
  readonly code: string | undefined
  /** `The carrier answered 409 voided`. */
  readonly said: string
  /** The same with its explanation, when there is one. */
  readonly reason: string
  /** Its explanation alone, else `said`. */
  readonly message: string
  /** Whether it refuses this request and not just now: a status of 4xx that is about the request, with a code. */
  readonly refusal: boolean
}

export interface Provider {
  /**
   * Makes one call under the guard. `meaningOf` gives undefined for what it does not know: that is again, too. Rejects for
   * bugs alone.
   */
  ask<T>(
    call: (client: JsonClient, signal: AbortSignal) => Promise<JsonAnswer>,
    meaningOf: (answer: ProviderAnswer) => T | undefined,
    signal: AbortSignal,
  ): Promise<T | Again>
}

/** The provider answered that it cannot answer. */
class ProviderUnwell extends Error {
  override readonly name = 'ProviderUnwell'
  readonly retryAfterMs: number | undefined
  constructor(message: string, retryAfterMs: number | undefined) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

const SHORTEST_WAIT_MS = 250
const LONGEST_WAIT_MS = minutes(15)
const LONGEST_TEXT = 300
/** Not about the request: wrong settings here, or a provider that wants to be asked later. */
const passing = new Set([401, 403, 404, 405, 407, 408, 425, 429])

export function provider({ name, url, connections, policy, random = systemRandom }: ProviderOptions): Provider {
  const client = jsonClient({ url, connections })

  function again(reason: string, afterMs?: number): Again {
    if (afterMs === undefined) return { kind: 'again', reason }
    const least = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, afterMs))
    return { kind: 'again', reason, afterMs: Math.ceil(least * (1 + random.next() / 2)) }
  }

  function read({ status, body, ...answer }: JsonAnswer): ProviderAnswer {
    const members = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
    const code = typeof members['code'] === 'string' ? clean(members['code']) : undefined
    const said = `${name} answered ${status}${code === undefined ? '' : ` ${code}`}`
    if (status >= 500) throw new ProviderUnwell(said, retryAfterMs(answer))
    const explained = typeof members['message'] === 'string' ? clean(members['message']) : undefined
    return {
      status,
      body: members,
      code,
      said,
      reason: explained === undefined ? said : `${said}: ${explained}`,
      message: explained ?? said,
      refusal: code !== undefined && status >= 400 && !passing.has(status),
    }
  }

  return {
    async ask(call, meaningOf, signal) {
      try {
        return await policy.call(async (inner) => {
          const answer = await call(client, inner)
          const said = read(answer)
          return meaningOf(said) ?? again(said.said, retryAfterMs(answer))
        }, signal)
      } catch (error) {
        if (error instanceof ProviderUnwell || error instanceof ProviderUnavailable || error instanceof ProviderBusy) {
          return again(error.message, error.retryAfterMs)
        }
        if (error instanceof ConnectionFailed || error instanceof ProviderTimedOut || error instanceof CallAborted) {
          return again(error.message)
        }
        throw error
      }
    },
  }
}

/** Seconds, or a date: its distance from the answer's own date, so no clock of ours is asked. */
function retryAfterMs({ headers }: Pick<JsonAnswer, 'headers'>): number | undefined {
  const after = headers['retry-after']
  if (after === undefined) return undefined
  if (/^\d{1,9}$/.test(after)) return Number(after) * 1000
  const waitMs = Date.parse(after) - Date.parse(headers.date ?? '')
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs)
}

/** Text that can be stored, of bounded length. */
const clean = (text: string): string =>
  text
    .slice(0, LONGEST_TEXT)
    .replaceAll(/[\p{Cc}\p{Surrogate}]/gu, ' ')
    .trim()
