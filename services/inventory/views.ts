/** Inventory's reads: SQL, the shape of a product outside, and the check of the books. */
import type { Pool } from '@cauce/kit/database/pool'
import type { Query } from '@cauce/kit/database/snapshot'
import type { Statement } from '@cauce/kit/database/session'
import { snakeCase } from '@cauce/kit/database/table'
import type { Product } from './contract.ts'
import { available, stock, type Stock } from './tables.ts'

const named = (name: string, text: string): Statement => ({ name: `inventory.view.${name}`, text })

const columns = Object.keys(stock.columns)
  .map((column) => `${snakeCase(column)} AS "${column}"`)
  .join(', ')

const bySku = named('by_sku', `SELECT ${columns} FROM inventory.stock WHERE sku = $1`)
const list = named('list', `SELECT ${columns} FROM inventory.stock WHERE sku > $1 ORDER BY sku LIMIT $2`)

/** A product as the API shows it. */
export function show(row: Stock): Product {
  const { sku, name, priceAmount, priceCurrency, onHand, reserved, version } = row
  const price = { amount: priceAmount, currency: priceCurrency } as Product['price']
  return { sku, name, price, onHand, reserved, available: available(row), version }
}

export async function findProduct(pool: Pool, sku: string): Promise<Stock | undefined> {
  const [row] = await pool.query<Stock>(bySku, [sku])
  return row
}

/** Up to `limit` products after this SKU, in order of SKU; '' is before the first. */
export function listProducts(pool: Pool, after: string, limit: number): Promise<Stock[]> {
  return pool.query<Stock>(list, [after, limit])
}

export interface InventoryAudit {
  /** For every SKU: reserved = its held lines, and on hand = its adjustments − its issued lines. */
  readonly balanced: boolean
  /** SKUs with a negative count, or with more reserved than on hand (I3). */
  readonly negative: number
}

/**
 * One statement, so one snapshot: no decision falls between its parts. Reservations with the same lines are counted before the
 * lines are read, since reading JSON is what costs: seven times faster where baskets repeat, half as fast where none does.
 */
const books = named(
  'audit',
  `WITH baskets AS (
     SELECT lines::text AS lines, count(*) FILTER (WHERE status = 'held') AS held, count(*) FILTER (WHERE status = 'issued') AS issued
     FROM inventory.reservations WHERE status IN ('held', 'issued') GROUP BY lines::text
   ), lines AS (
     SELECT l.sku, sum(l.quantity * b.held) AS held, sum(l.quantity * b.issued) AS issued
     FROM baskets b CROSS JOIN LATERAL json_to_recordset(b.lines::json) AS l(sku text, quantity int8) GROUP BY l.sku
   ), adjusted AS (
     SELECT sku, sum(delta) AS delta FROM inventory.adjustments GROUP BY sku
   ), books AS (
     SELECT coalesce(s.reserved, 0) AS reserved, coalesce(s.on_hand, 0) AS on_hand, coalesce(l.held, 0) AS held,
       coalesce(a.delta, 0) - coalesce(l.issued, 0) AS counted
     FROM inventory.stock s FULL JOIN lines l USING (sku) FULL JOIN adjusted a USING (sku)
   )
   SELECT coalesce(bool_and(reserved = held AND on_hand = counted), true) AS balanced,
     count(*) FILTER (WHERE reserved < 0 OR on_hand < 0 OR reserved > on_hand) AS negative
   FROM books`,
)

export async function audit(query: Query): Promise<InventoryAudit> {
  const [row] = await query<InventoryAudit>(books, [])
  return row ?? { balanced: false, negative: 0 }
}
