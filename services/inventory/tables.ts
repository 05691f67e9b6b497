/**
 * Inventory's truth. Lock order: reservations before stock.
 *
 * Stock moves in two steps: a reservation raises `reserved`; issuing it lowers `on_hand` and `reserved` together. What was
 * adjusted by hand is kept as rows, so `on_hand` can be recomputed: adjustments minus issued lines.
 */
import { instant, integer, json, nullable, oneOf, table, text, type RowOf } from '@cauce/kit/database/table'
import type { Line } from './contract.ts'

/** Why a reservation was rejected, to be said again to whoever asks again. */
export interface Refusal {
  readonly sku: string
  readonly message: string
}

const reservationStatuses = ['held', 'released', 'issued', 'rejected'] as const

export const reservation = table('reservations', {
  key: 'orderId',
  columns: {
    orderId: text,
    lines: json<readonly Line[]>(),
    status: oneOf(...reservationStatuses),
    refusal: nullable(json<Refusal>()),
    requestId: text,
    createdAt: instant,
    updatedAt: instant,
  },
  fixed: ['lines', 'refusal', 'requestId', 'createdAt'],
  checks: {
    known: (row) => reservationStatuses.includes(row.status),
    refused: (row) => (row.status === 'rejected') === (row.refusal !== null),
  },
})
export type Reservation = RowOf<typeof reservation>

export const stock = table('stock', {
  key: 'sku',
  columns: {
    sku: text,
    name: text,
    priceAmount: integer,
    priceCurrency: text,
    onHand: integer,
    reserved: integer,
    version: integer,
    createdAt: instant,
    updatedAt: instant,
  },
  fixed: ['createdAt'],
  // I3: never negative, never oversold.
  checks: {
    reservable: (row) => 0 <= row.reserved && row.reserved <= row.onHand,
    priced: (row) => row.priceAmount > 0,
  },
})
export type Stock = RowOf<typeof stock>

export const adjustment = table('adjustments', {
  key: 'id',
  columns: { id: text, sku: text, delta: integer, reason: text, requestId: text, at: instant },
  appendOnly: true,
})

/** In lock order. */
export const tables = [reservation, stock, adjustment] as const

export const available = (row: Pick<Stock, 'onHand' | 'reserved'>): number => row.onHand - row.reserved
