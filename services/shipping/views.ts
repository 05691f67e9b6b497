/** Shipping's reads. */
import type { Pool } from '@cauce/kit/database/pool'
import type { Query } from '@cauce/kit/database/snapshot'
import type { Statement } from '@cauce/kit/database/session'
import { snakeCase } from '@cauce/kit/database/table'
import { shipment, type Shipment } from './tables.ts'

const named = (name: string, text: string): Statement => ({ name: `shipping.view.${name}`, text })

const columns = Object.keys(shipment.columns)
  .map((column) => `${snakeCase(column)} AS "${column}"`)
  .join(', ')

const byId = named('by_id', `SELECT ${columns} FROM shipping.shipments WHERE id = $1`)

export async function findShipment(pool: Pool, id: string): Promise<Shipment | undefined> {
  const [row] = await pool.query<Shipment>(byId, [id])
  return row
}

export interface ShippingAudit {
  /** Orders whose shipment is being booked while no task will book it: each waits until somebody redrives it. At most 1,000. */
  readonly stranded: readonly string[]
}

const stranded = named(
  'audit_stranded',
  `SELECT s.order_id AS "orderId" FROM shipping.shipments s
   WHERE s.status = 'booking'
     AND NOT EXISTS (SELECT FROM shipping.tasks t WHERE t.key = s.order_id AND t.type = 'book-shipment' AND t.state = 'open')
   ORDER BY s.order_id LIMIT 1000`,
)

export async function audit(query: Query): Promise<ShippingAudit> {
  const rows = await query<{ orderId: string }>(stranded, [])
  return { stranded: rows.map(({ orderId }) => orderId) }
}
