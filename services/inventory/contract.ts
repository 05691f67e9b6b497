/**
 * What inventory says and understands. Reservations are asked for, released and issued by whoever owns the order; inventory
 * knows nobody.
 */
import { Type, type Static } from 'typebox'
import { message } from '@cauce/kit/log/message'
import { Amount, Currency } from '@cauce/kit/core/schemas'

export const skuPattern = /^[A-Za-z0-9._-]{1,64}$/

export const Sku = Type.String({
  pattern: skuPattern.source,
  description: 'Stock keeping unit',
  examples: ['LAMP'],
})
export const Quantity = Type.Integer({ minimum: 1, maximum: 1_000_000 })
export const Line = Type.Object({ sku: Sku, quantity: Quantity }, { additionalProperties: false })
export const Price = Type.Object({ amount: Amount, currency: Currency }, { additionalProperties: false })
const Lines = Type.Array(Line)

export type Line = Static<typeof Line>

/** Asks to hold all lines or none. Answered by StockReserved or StockRejected. */
export const ReserveStock = message('ReserveStock', 'orderId', Type.Object({ orderId: Type.String(), lines: Lines }))
export const StockReserved = message('StockReserved', 'orderId', Type.Object({ orderId: Type.String() }))
export const StockRejected = message(
  'StockRejected',
  'orderId',
  Type.Object({ orderId: Type.String(), sku: Type.String(), message: Type.String() }),
)
/** Asks to give back what is held, also before it is held: a later ReserveStock of the order is then refused. */
export const ReleaseStock = message('ReleaseStock', 'orderId', Type.Object({ orderId: Type.String() }))
export const StockReleased = message('StockReleased', 'orderId', Type.Object({ orderId: Type.String() }))
/** The goods left: what was held is gone from the shelf too. */
export const IssueStock = message('IssueStock', 'orderId', Type.Object({ orderId: Type.String() }))
export const StockIssued = message('StockIssued', 'orderId', Type.Object({ orderId: Type.String() }))
/** A product exists and costs this from now on. */
export const ProductPriced = message(
  'ProductPriced',
  'sku',
  Type.Object({ sku: Type.String(), name: Type.String(), amount: Type.Integer(), currency: Type.String() }),
)

export const Product = Type.Object(
  {
    sku: Sku,
    name: Type.String(),
    price: Price,
    onHand: Type.Integer(),
    reserved: Type.Integer(),
    available: Type.Integer(),
    version: Type.Integer(),
  },
  {
    $id: 'Product',
    additionalProperties: false,
    examples: [
      {
        sku: 'LAMP',
        name: 'Reading lamp',
        price: { amount: 1999, currency: 'EUR' },
        onHand: 40,
        reserved: 2,
        available: 38,
        version: 12,
      },
    ],
  },
)
export type Product = Static<typeof Product>

export const PutProduct = Type.Object(
  { name: Type.String({ minLength: 1, maxLength: 200 }), price: Price },
  { additionalProperties: false, examples: [{ name: 'Reading lamp', price: { amount: 1999, currency: 'EUR' } }] },
)
export type PutProduct = Static<typeof PutProduct>

export const AdjustStock = Type.Object(
  {
    delta: Type.Integer({
      minimum: -1_000_000_000,
      maximum: 1_000_000_000,
      description: 'Units added, or taken when negative',
    }),
    reason: Type.String({ minLength: 1, maxLength: 200 }),
  },
  { additionalProperties: false, examples: [{ delta: 40, reason: 'delivery 12' }] },
)
export type AdjustStock = Static<typeof AdjustStock>
