/**
 * What orders says, and the shape of an order outside. Orders asks the participants in their own words (their contracts); what
 * is said here are the facts of an order's life.
 */
import { Type, type Static } from 'typebox'
import { Timestamp } from '@cauce/kit/core/schemas'
import { message } from '@cauce/kit/log/message'
import { Line, Price, Quantity, Sku } from '@cauce/inventory/contract'
import { CardToken, paymentMethods, paymentStatuses } from '@cauce/payments/contract'
import { Address, shipmentStatuses } from '@cauce/shipping/contract'

export const orderStatuses = [
  'placed',
  'authorizing',
  'reserving',
  'shipping',
  'settling',
  'completed',
  'compensating',
  'cancelled',
] as const
export type OrderStatus = (typeof orderStatuses)[number]

export const failureCodes = [
  'insufficient-funds',
  'payment-declined',
  'out-of-stock',
  'undeliverable',
  'cancelled-by-customer',
  'deadline',
] as const
export type FailureCode = (typeof failureCodes)[number]

export const OrderCreated = message(
  'OrderCreated',
  'orderId',
  Type.Object({ orderId: Type.String(), customer: Type.String(), amount: Type.Integer(), currency: Type.String() }),
)
export const OrderCompleted = message('OrderCompleted', 'orderId', Type.Object({ orderId: Type.String() }))
export const OrderCancelled = message(
  'OrderCancelled',
  'orderId',
  Type.Object({ orderId: Type.String(), code: Type.String(), message: Type.String() }),
)
/** An order is overdue past its point of no return, or while it is undone: it is asked again, and somebody should look. */
export const OrderStalled = message(
  'OrderStalled',
  'orderId',
  Type.Object({ orderId: Type.String(), status: Type.String(), reason: Type.String() }),
)

const PaymentChoice = Type.Object(
  {
    method: Type.Enum([...paymentMethods]),
    token: Type.Optional(CardToken),
  },
  { additionalProperties: false, description: 'From your wallet, or by card; a card needs its `token`' },
)

export const PlaceOrder = Type.Object(
  {
    lines: Type.Array(Line, { minItems: 1, maxItems: 100 }),
    payment: PaymentChoice,
    shipTo: Address,
  },
  {
    additionalProperties: false,
    examples: [
      {
        lines: [{ sku: 'LAMP', quantity: 2 }],
        payment: { method: 'wallet' },
        shipTo: { name: 'Alice', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28013', country: 'ES' },
      },
    ],
  },
)
export type PlaceOrder = Static<typeof PlaceOrder>

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

export const Order = Type.Object(
  {
    id: Type.String({ pattern: '^ord_[0-9a-f]{32}$' }),
    customer: Type.String(),
    status: Type.Enum([...orderStatuses]),
    lines: Type.Array(Type.Object({ sku: Sku, quantity: Quantity, unitPrice: Price }, { additionalProperties: false })),
    total: Price,
    payment: Type.Object(
      { id: Type.String(), method: Type.Enum([...paymentMethods]), status: Type.Enum([...paymentStatuses]) },
      { additionalProperties: false },
    ),
    shipment: orNull(
      Type.Object(
        { id: Type.String(), status: Type.Enum([...shipmentStatuses]), tracking: orNull(Type.String()) },
        { additionalProperties: false },
      ),
    ),
    failure: orNull(
      Type.Object({ code: Type.Enum([...failureCodes]), message: Type.String() }, { additionalProperties: false }),
    ),
    version: Type.Integer({ minimum: 1 }),
    placedAt: Timestamp,
    updatedAt: Timestamp,
  },
  {
    $id: 'Order',
    additionalProperties: false,
    examples: [
      {
        id: 'ord_019ab3f0c1d27000a1b2c3d4e5f60718',
        customer: 'alice',
        status: 'completed',
        lines: [{ sku: 'LAMP', quantity: 2, unitPrice: { amount: 1999, currency: 'EUR' } }],
        total: { amount: 3998, currency: 'EUR' },
        payment: { id: 'pay_019ab3f0c1d27000a1b2c3d4e5f60718', method: 'wallet', status: 'captured' },
        shipment: { id: 'shp_019ab3f0c1d27000a1b2c3d4e5f60718', status: 'dispatched', tracking: 'SANDBOX-7' },
        failure: null,
        version: 8,
        placedAt: '2026-01-02T03:04:05.678Z',
        updatedAt: '2026-01-02T03:04:06.789Z',
      },
    ],
  },
)
export type Order = Static<typeof Order>
