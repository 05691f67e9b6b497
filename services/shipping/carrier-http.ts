/**
 * The carrier over HTTP: `POST {url}/shipments` with Idempotency-Key and X-Request-Id. What its answers mean, besides what every
 * provider's do (kit/client/provider.ts, H1 to H4):
 *
 *   201 with a tracking number          booked
 *   422 undeliverable                   undeliverable, for ever
 *   409 voided                          refused: nothing is and nothing will be booked under the key
 *   400, 410, 413, 422 … with a code    refused too: it is about the request, which stays the same
 *   422 key-reused, 409 anything else   something was asked under this key before, and may be booked: again, and an operator looks
 */
import { provider, type ProviderAnswer } from '@cauce/kit/client/provider'
import type { Random } from '@cauce/kit/core/prng'
import type { ProviderPolicy } from '@cauce/kit/policy/call'
import { carrierLimits, type BookingAnswer, type BookingRequest, type Carrier } from './carrier.ts'

export interface HttpCarrierOptions {
  /** Where the carrier's API is. */
  readonly url: string
  /** The guard of its calls, with `carrierLimits`. */
  readonly policy: ProviderPolicy
  readonly random?: Random
}

const trackingPattern = /^[\x21-\x7e]{1,100}$/

export function httpCarrier(options: HttpCarrierOptions): Carrier {
  const carrier = provider({ name: 'The carrier', connections: carrierLimits.concurrency, ...options })
  return {
    book(request, { key, signal, requestId }) {
      const headers = { 'idempotency-key': key, 'x-request-id': requestId }
      const body = bodyOf(request)
      return carrier.ask((client, inner) => client.post('/shipments', body, headers, inner), meaningOf, signal)
    },
  }
}

function meaningOf({ status, code, body, said, reason, message, refusal }: ProviderAnswer): BookingAnswer | undefined {
  if (status >= 200 && status < 300) {
    const { tracking } = body
    if (typeof tracking === 'string' && trackingPattern.test(tracking)) return { kind: 'booked', tracking }
    return { kind: 'again', reason: `${said} without a tracking number` }
  }
  if (status === 422 && code === 'undeliverable') return { kind: 'undeliverable', message }
  const final = status === 409 ? code === 'voided' : code !== 'key-reused'
  return refusal && final ? { kind: 'refused', reason } : undefined
}

/** Made of the stored request alone (H2). */
function bodyOf({ shipmentId, orderId, shipTo, lines }: BookingRequest): string {
  return JSON.stringify({ shipmentId, orderId, shipTo, lines })
}
