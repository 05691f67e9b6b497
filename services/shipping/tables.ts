/**
 * Shipping's truth: one shipment per order.
 *
 *   booking ──the carrier takes it──▶ dispatched
 *      └────it never will───────────▶ failed
 *
 * Both ends are final. While a shipment is being booked there is one task that books it, under one key.
 */
import { instant, integer, json, nullable, oneOf, table, text, type RowOf } from '@cauce/kit/database/table'
import { shipmentStatuses, type Address } from './contract.ts'

export interface ShipmentLine {
  readonly sku: string
  readonly quantity: number
}

export const shipment = table('shipments', {
  key: 'id',
  columns: {
    id: text,
    orderId: text,
    shipTo: json<Address>(),
    lines: json<readonly ShipmentLine[]>(),
    status: oneOf(...shipmentStatuses),
    tracking: nullable(text),
    code: nullable(oneOf('undeliverable')),
    message: nullable(text),
    requestId: text,
    version: integer,
    createdAt: instant,
    updatedAt: instant,
  },
  fixed: ['orderId', 'shipTo', 'lines', 'requestId', 'createdAt'],
  unique: { order: ['orderId'] },
  checks: {
    known: (row) => shipmentStatuses.includes(row.status) && (row.code === null || row.code === 'undeliverable'),
    tracked: (row) => (row.status === 'dispatched') === (row.tracking !== null),
    explained: (row) =>
      (row.status === 'failed') === (row.code !== null) && (row.code !== null) === (row.message !== null),
  },
})
export type Shipment = RowOf<typeof shipment>

export const tables = [shipment] as const
