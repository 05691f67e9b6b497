/**
 * The carrier's book: what it answered under each key, for ever.
 *
 *   (unseen) ─book─▶ accepted ─void─▶ voided          99999: busy, busy, then accepted
 *   (unseen) ─book─▶ undeliverable                    00000
 *   (unseen, busy) ─void─▶ voided                     remembered although nothing was booked
 *
 * C1. A key is bound to the first body it came with; with another body it is refused and nothing is counted.
 * C2. accepted and undeliverable answer the same for ever; a void is the only way on, and only from accepted.
 * C3. A voided key never books: the first call of a caller that gave up may still be on its way.
 * C4. Two accepted shipments with one shipmentId are a double. The carrier lets it happen, as a real one does, and counts.
 *
 * Pure but for the book's own memory: a decision returns the row to store and changes nothing.
 */
import { hash } from 'node:crypto'
import { KeyedRows } from '../storage/keyed-rows.ts'
import type { Book, Decision } from '../storage/store.ts'

export interface ShipmentRow {
  readonly key: string
  /** Null under a key that was voided before it was ever booked. */
  readonly shipmentId: string | null
  readonly orderId: string | null
  /** Of the first body. Null as above. */
  readonly fingerprint: string | null
  readonly status: 'busy' | 'accepted' | 'undeliverable' | 'voided'
  /** How often this key asked for a booking and was counted, refusals included. */
  readonly requests: number
}

export interface Booking {
  readonly key: string
  readonly shipmentId: string
  readonly orderId: string
  readonly postalCode: string
  readonly fingerprint: string
}

/** What a booking comes to. `again`: the key was there before and this is its stored answer. */
export interface BookingAnswer {
  readonly outcome: ShipmentRow['status'] | 'key-reused'
  readonly again: boolean
}

const undeliverable = '00000'
const flaky = '99999'
const refusalsOfFlaky = 2

export class Shipments implements Book<ShipmentRow> {
  readonly name = 'shipments'
  readonly #rows = new KeyedRows<ShipmentRow>({
    about: ({ shipmentId }) => shipmentId,
    isListed: ({ status }) => status !== 'busy',
  })

  get size(): number {
    return this.#rows.size
  }

  put(row: ShipmentRow): void {
    this.#rows.put(row)
  }

  rows(): Iterable<ShipmentRow> {
    return this.#rows.rows()
  }

  get(key: string): ShipmentRow | undefined {
    return this.#rows.get(key)
  }

  /** Rows that are not busy, oldest first. */
  page(offset: number, limit: number): ShipmentRow[] {
    return this.#rows.page(offset, limit)
  }

  /** Every row of one shipment that is not busy, in the order the keys were first seen. */
  ofShipment(shipmentId: string): ShipmentRow[] {
    return this.#rows.about(shipmentId)
  }

  /** How many accepted shipments there are beyond the first of each shipmentId (C4). */
  doubles(): number {
    let doubles = 0
    for (const rows of this.#rows.shared()) {
      const accepted = rows.filter(({ status }) => status === 'accepted').length
      doubles += Math.max(0, accepted - 1)
    }
    return doubles
  }

  decideBooking(booking: Booking): Decision<ShipmentRow, BookingAnswer> {
    const row = this.get(booking.key)
    if (!row) return this.#answer(firstRow(booking), booking, false)
    if (row.fingerprint !== null && row.fingerprint !== booking.fingerprint) {
      return { answer: { outcome: 'key-reused', again: true } }
    }
    return this.#answer(row, booking, row.status !== 'busy')
  }

  #answer(row: ShipmentRow, { postalCode }: Booking, again: boolean): Decision<ShipmentRow, BookingAnswer> {
    const outcome = row.status === 'busy' ? firstOutcome(postalCode, row.requests) : row.status
    return { row: { ...row, status: outcome, requests: row.requests + 1 }, answer: { outcome, again } }
  }

  decideVoid(key: string): Decision<ShipmentRow, ShipmentRow> {
    const row = this.get(key)
    if (row?.status === 'voided' || row?.status === 'undeliverable') return { answer: row }
    const unseen = { key, shipmentId: null, orderId: null, fingerprint: null, requests: 0 }
    const voided: ShipmentRow = { ...(row ?? unseen), status: 'voided' }
    return { row: voided, answer: voided }
  }
}

/** The tracking number of a key: always the same one, 50 bits in Crockford's alphabet. */
export function trackingOf(key: string): string {
  const digest = hash('sha256', key, 'buffer')
  let letters = 'CRR'
  for (let i = 0; i < 10; i++) letters += '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[(digest[i] ?? 0) & 31]
  return letters
}

const firstRow = ({ key, shipmentId, orderId, fingerprint }: Booking): ShipmentRow => {
  return { key, shipmentId, orderId, fingerprint, status: 'busy', requests: 0 }
}

function firstOutcome(postalCode: string, earlierRequests: number): 'busy' | 'accepted' | 'undeliverable' {
  if (postalCode === undeliverable) return 'undeliverable'
  return postalCode === flaky && earlierRequests < refusalsOfFlaky ? 'busy' : 'accepted'
}
