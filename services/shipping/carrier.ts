/**
 * The carrier as shipping sees it: a booking is asked for under a key, and asked for again under the same key until there is
 * an answer. Under one key the carrier books at most once, whatever is lost on the way.
 */
import type { ShipmentLine } from './tables.ts'
import type { Address } from './contract.ts'

export interface BookingRequest {
  readonly shipmentId: string
  readonly orderId: string
  readonly shipTo: Address
  readonly lines: readonly ShipmentLine[]
}

/** A final answer: the same for ever under its key. */
export type Booking =
  | { readonly kind: 'booked'; readonly tracking: string }
  /** The carrier does not go there. */
  | { readonly kind: 'undeliverable'; readonly message: string }

export type BookingAnswer =
  | Booking
  /** Nothing is booked under this key, and nothing will be. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Not booked yet, or nobody knows. Ask again with the same key, after `afterMs` when the carrier named a time. */
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs?: number }

export interface BookingContext {
  /** The idempotency key. */
  readonly key: string
  /** Aborted when the answer no longer counts. */
  readonly signal: AbortSignal
  readonly requestId: string
}

/** How many bookings are asked for at a time, and how long one answer may take. */
export const carrierLimits = { concurrency: 100, timeoutMs: 5_000 } as const

export interface Carrier {
  /** What went wrong on the way is an answer too. A rejection is a bug and says nothing about the booking. */
  book(request: BookingRequest, context: BookingContext): Promise<BookingAnswer>
}
