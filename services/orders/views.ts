/** Orders' reads: SQL and the shape of an order outside. */
import type { Pool } from '@cauce/kit/database/pool'
import type { Statement } from '@cauce/kit/database/session'
import { snakeCase } from '@cauce/kit/database/table'
import type { Order } from './contract.ts'
import { order, type OrderRow } from './tables.ts'

const named = (name: string, text: string): Statement => ({ name: `orders.view.${name}`, text })

export const columns = Object.keys(order.columns)
  .map((column) => `${snakeCase(column)} AS "${column}"`)
  .join(', ')

const byId = named('by_id', `SELECT ${columns} FROM orders.orders WHERE id = $1`)

/** An order as the API shows it. */
export function show(row: OrderRow): Order {
  return {
    id: row.id,
    customer: row.customer,
    status: row.status,
    lines: row.lines as Order['lines'],
    total: { amount: row.totalAmount, currency: row.currency } as Order['total'],
    payment: { id: row.paymentId, method: row.paymentMethod, status: row.paymentStatus },
    shipment:
      row.shipmentId === null
        ? null
        : { id: row.shipmentId, status: row.shipmentStatus ?? 'booking', tracking: row.tracking },
    failure:
      row.failureCode === null
        ? null
        : { code: row.failureCode as NonNullable<Order['failure']>['code'], message: row.failureMessage ?? '' },
    version: row.version,
    placedAt: new Date(row.placedAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  }
}

export async function findOrder(pool: Pool, id: string): Promise<OrderRow | undefined> {
  const [row] = await pool.query<OrderRow>(byId, [id])
  return row
}

const laterVersions = named(
  'later_versions',
  `SELECT ${columns.replaceAll(/^|(?<=, )/g, 'o.')} FROM unnest($1::text[], $2::int8[]) AS k(id, version)
   JOIN orders.orders o ON o.id = k.id WHERE o.version > k.version`,
)

/** Of these orders, the ones that are at a later version by now. */
export function findLaterVersions(
  pool: Pool,
  known: readonly { readonly id: string; readonly version: number }[],
): Promise<OrderRow[]> {
  return pool.query<OrderRow>(laterVersions, [known.map(({ id }) => id), known.map(({ version }) => version)])
}

export interface OrdersAudit {
  readonly total: number
  readonly terminal: number
  /** Not terminal, and no timer will wake them: stuck unless a message is on its way. At most 1,000. */
  readonly untimed: readonly string[]
}

const counts = named(
  'audit_counts',
  `SELECT count(*) AS total, count(*) FILTER (WHERE status IN ('completed', 'cancelled')) AS terminal FROM orders.orders`,
)
const untimed = named(
  'audit_untimed',
  `SELECT o.id FROM orders.orders o
   WHERE o.status NOT IN ('completed', 'cancelled')
     AND NOT EXISTS (SELECT FROM orders.tasks t WHERE t.id = 'order-deadline:' || o.id AND t.state = 'open')
   ORDER BY o.id LIMIT 1000`,
)

export async function audit(query: Pool['query']): Promise<OrdersAudit> {
  const [row] = await query<{ total: number; terminal: number }>(counts, [])
  const rows = await query<{ id: string }>(untimed, [])
  return { total: row?.total ?? 0, terminal: row?.terminal ?? 0, untimed: rows.map(({ id }) => id) }
}
