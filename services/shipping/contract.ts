/** What shipping says and understands. Shipping knows nobody but the carrier behind its port. */
import { Type, type Static } from 'typebox'
import { message } from '@cauce/kit/log/message'

export const Address = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    line1: Type.String({ minLength: 1, maxLength: 200 }),
    city: Type.String({ minLength: 1, maxLength: 100 }),
    postalCode: Type.String({ minLength: 1, maxLength: 20 }),
    country: Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2', examples: ['ES'] }),
  },
  { additionalProperties: false },
)
export type Address = Static<typeof Address>

const Shipped = { orderId: Type.String(), shipmentId: Type.String() }

/** Asks to send the goods. Past this there is no way back but ShipmentFailed. */
export const DispatchShipment = message(
  'DispatchShipment',
  'orderId',
  Type.Object({
    ...Shipped,
    shipTo: Address,
    lines: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer() })),
  }),
)
export const ShipmentDispatched = message(
  'ShipmentDispatched',
  'orderId',
  Type.Object({ ...Shipped, tracking: Type.String() }),
)
/** The carrier will never take it. */
export const ShipmentFailed = message(
  'ShipmentFailed',
  'orderId',
  Type.Object({ ...Shipped, code: Type.Enum(['undeliverable']), message: Type.String() }),
)

export const shipmentStatuses = ['booking', 'dispatched', 'failed'] as const
