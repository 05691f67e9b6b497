/**
 * The list of orders: a copy of what lists filter and sort by, so that the orders themselves need no index on what changes.
 * Every change of a status appends a message to orders' own log; the row is then read from the truth, whatever the message says.
 *
 * The copy may be behind. It only says which orders a page looks at: what is shown of them is the truth, and an order whose
 * status has moved on since is left out, so a page is never wrong, only possibly short.
 */
import { hash32 } from '@cauce/kit/core/hash'
import { projection } from '@cauce/kit/projection/definition'
import type { ViewReader } from '@cauce/kit/projection/reader'
import type { OrderStatus } from '../contract.ts'
import type { OrderRow } from '../tables.ts'
import { columns } from '../views.ts'

const intoList = (table: string, from: string) => `
  INSERT INTO ${table} AS l (id, customer, status, version) ${from}
  ON CONFLICT (id) DO UPDATE SET status = excluded.status, version = excluded.version WHERE excluded.version > l.version`

const copied = 'SELECT id, customer, status, version FROM'

export const orderList = projection({
  name: 'order-list',
  version: 1,
  sources: ['orders'],
  tables: [
    {
      name: 'order_list',
      columns: 'id text PRIMARY KEY, customer text NOT NULL, status text NOT NULL, version int8 NOT NULL',
      indexes: ['customer, id', 'status, id', 'customer, status, id'],
    },
  ],
  statements: {
    refresh: ({ order_list }) =>
      intoList(order_list!, `${copied} orders.orders WHERE id = ANY($1::text[]) ORDER BY id`),
  },
  async apply(messages, run) {
    await run('refresh', [[...new Set(messages.map(({ key }) => key))]])
  },
  seed: {
    // The planner's estimate: counting a table of millions takes longer than a statement may here.
    count: `SELECT greatest(reltuples, 0)::int8 AS total FROM pg_class WHERE oid = 'orders.orders'::regclass`,
    copy: ({ order_list }) => `
      WITH chunk AS (${copied} orders.orders WHERE id > $1 ORDER BY id LIMIT $2),
      copied AS (${intoList(order_list!, `${copied} chunk`)})
      SELECT count(*) AS rows, max(id) AS last FROM chunk`,
  },
})

export interface ListFilter {
  /** Whose orders; everybody's when absent. */
  readonly customer?: string
  readonly status?: OrderStatus
  /** Orders before this id, which are older ones. */
  readonly before?: string
  readonly limit: number
}

/** The SQL of a page, and its values. Its orders are looked up one by one, however little the planner knows. */
export function pageOfOrders({ customer, status, before, limit }: ListFilter) {
  const conditions: string[] = []
  const values: (string | number)[] = [limit]
  const add = (column: string, operator: string, value: string | undefined) => {
    if (value === undefined) return
    values.push(value)
    conditions.push(`${column} ${operator} $${values.length}`)
  }
  add('customer', '=', customer)
  add('status', '=', status)
  add('id', '<', before)
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const sql = (list: string) => `
    SELECT ${columns} FROM orders.orders WHERE id = ANY(ARRAY(
      SELECT id FROM ${list} ${where} ORDER BY id DESC LIMIT $1
    )) ORDER BY id DESC`
  return { name: `page.${hash32(where)}`, sql, values }
}

/**
 * A page, newest first: ids grow with time, so the key of the list is the id. Orders whose status has moved on are there all
 * the same: the caller leaves them out, and goes on behind the last.
 */
export function listOrders(list: ViewReader, filter: ListFilter): Promise<OrderRow[]> {
  const { name, sql, values } = pageOfOrders(filter)
  return list.query<OrderRow>(name, ({ order_list }) => sql(order_list!), values)
}
