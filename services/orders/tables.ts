/**
 * Orders' truth: the orders with their saga's state, and a copy of inventory's prices to price an order without a call.
 * Lock order: catalogue before orders.
 */
import { instant, integer, json, nullable, oneOf, table, text, type RowOf } from '@cauce/kit/database/table'
import type { Money } from '@cauce/kit/core/money'
import { paymentMethods, paymentStatuses } from '@cauce/payments/contract'
import { shipmentStatuses, type Address } from '@cauce/shipping/contract'
import { orderStatuses } from './contract.ts'

export const catalogue = table('catalogue', {
  key: 'sku',
  columns: { sku: text, name: text, priceAmount: integer, priceCurrency: text, updatedAt: instant },
})

export interface PricedLine {
  readonly sku: string
  readonly quantity: number
  readonly unitPrice: Money
}

export const order = table('orders', {
  key: 'id',
  columns: {
    id: text,
    customer: text,
    status: oneOf(...orderStatuses),
    // The saga's state.
    sagaVersion: integer,
    waiting: json<readonly string[]>(),
    undo: json<readonly string[]>(),
    failureCode: nullable(text),
    failureMessage: nullable(text),
    deadlineAt: nullable(instant),
    // What was ordered.
    lines: json<readonly PricedLine[]>(),
    totalAmount: integer,
    currency: text,
    shipTo: json<Address>(),
    // Copies of what the participants said.
    paymentId: text,
    paymentMethod: oneOf(...paymentMethods),
    /** The card; null for a wallet. */
    paymentToken: nullable(text),
    paymentStatus: oneOf(...paymentStatuses),
    /** When what was secured is no longer; null when it stays. */
    authorizedUntil: nullable(instant),
    shipmentId: nullable(text),
    shipmentStatus: nullable(oneOf(...shipmentStatuses)),
    tracking: nullable(text),
    requestId: text,
    version: integer,
    placedAt: instant,
    updatedAt: instant,
  },
  fixed: [
    'customer',
    'sagaVersion',
    'lines',
    'totalAmount',
    'currency',
    'shipTo',
    'paymentId',
    'paymentMethod',
    'paymentToken',
    'requestId',
    'placedAt',
  ],
  checks: { known: (row) => orderStatuses.includes(row.status), total: (row) => row.totalAmount > 0 },
})
export type OrderRow = RowOf<typeof order>

/** In lock order. */
export const tables = [catalogue, order] as const
