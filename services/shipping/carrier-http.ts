/**
 * The carrier over HTTP: `POST {url}/shipments` with Idempotency-Key and X-Request-Id. What its answers mean:
 *
 *   201 with a tracking number          booked
 *   422 undeliverable                   undeliverable, for ever
 *   409 voided                          refused: nothing is and nothing will be booked under the key
 *   400, 410, 413, 422 … with a code    refused too: it is about the request, which stays the same
 *   422 key-reused, 409 anything else   something was asked under this key before, and may be booked: again, and an operator looks
 *   401, 403, 404, 405, 408, 425, 429   by no fault of this shipment: again, after Retry-After
 *   any other without a code            not the carrier's own words, but a proxy's: again
 *   5xx, no answer, half an answer      unknown: again with the same key, after Retry-After
 *
 * H1. The last row counts against the carrier's circuit breaker, nothing else does. While it is open no call is made.
 * H2. Under one key the same bytes are sent each time: the body is made of the stored request alone.
 * H3. Calls that were put off together do not come back together: every wait is spread over half as long again.
 * H4. What the carrier writes is cut and cleaned before it is kept.
 */
import { minutes } from '@cauce/kit/core/clock'
import { systemRandom, type Random } from '@cauce/kit/core/prng'
import {
  CallAborted,
  ProviderBusy,
  ProviderTimedOut,
  ProviderUnavailable,
  type ProviderPolicy,
} from '@cauce/kit/policy/call'
import { carrierLimits, type BookingAnswer, type BookingRequest, type Carrier } from './carrier.ts'
import { ConnectionFailed, jsonClient, type JsonAnswer } from './json-client.ts'

export interface HttpCarrierOptions {
  /** Where the carrier's API is. */
  readonly url: string
  /** The guard of its calls, with `carrierLimits`. */
  readonly policy: ProviderPolicy
  readonly random?: Random
}

/** The carrier answered that it cannot answer. */
class CarrierUnwell extends Error {
  override readonly name = 'CarrierUnwell'
  readonly retryAfterMs: number | undefined
  constructor(message: string, retryAfterMs: number | undefined) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

const SHORTEST_WAIT_MS = 250
const LONGEST_WAIT_MS = minutes(15)
const LONGEST_TEXT = 300
const trackingPattern = /^[\x21-\x7e]{1,100}$/
/** Not about the shipment: wrong settings here, or a carrier that wants to be asked later. */
const passing = new Set([401, 403, 404, 405, 407, 408, 425, 429])

export function httpCarrier({ url, policy, random = systemRandom }: HttpCarrierOptions): Carrier {
  const client = jsonClient({ url, connections: carrierLimits.concurrency })

  function again(reason: string, afterMs?: number): BookingAnswer {
    if (afterMs === undefined) return { kind: 'again', reason }
    const least = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, afterMs))
    return { kind: 'again', reason, afterMs: Math.ceil(least * (1 + random.next() / 2)) }
  }

  function meaningOf(answer: JsonAnswer): BookingAnswer {
    const { status } = answer
    const { code, message, tracking } = (answer.body ?? {}) as Record<string, unknown>
    const said = `The carrier answered ${status}${typeof code === 'string' ? ` ${clean(code)}` : ''}`
    if (status >= 500) throw new CarrierUnwell(said, retryAfterMs(answer))
    if (status >= 200 && status < 300) {
      if (typeof tracking === 'string' && trackingPattern.test(tracking)) return { kind: 'booked', tracking }
      return again(`${said} without a tracking number`)
    }
    const why = typeof message === 'string' ? clean(message) : said
    if (status === 422 && code === 'undeliverable') return { kind: 'undeliverable', message: why }
    if (isFinal(status, code)) return { kind: 'refused', reason: why === said ? said : `${said}: ${why}` }
    return again(said, retryAfterMs(answer))
  }

  return {
    async book(request, { key, signal, requestId }) {
      const headers = { 'idempotency-key': key, 'x-request-id': requestId }
      const body = bodyOf(request)
      try {
        return await policy.call(
          async (inner) => meaningOf(await client.post('/shipments', body, headers, inner)),
          signal,
        )
      } catch (error) {
        if (error instanceof CarrierUnwell || error instanceof ProviderUnavailable || error instanceof ProviderBusy) {
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

function isFinal(status: number, code: unknown): boolean {
  if (typeof code !== 'string' || status < 400 || passing.has(status)) return false
  return status === 409 ? code === 'voided' : code !== 'key-reused'
}

function bodyOf({ shipmentId, orderId, shipTo, lines }: BookingRequest): string {
  return JSON.stringify({ shipmentId, orderId, shipTo, lines })
}

/** Seconds, or a date: its distance from the answer's own date, so no clock of ours is asked. */
function retryAfterMs({ headers }: JsonAnswer): number | undefined {
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
