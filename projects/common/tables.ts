/**
 * The tables of orders and of payments in one database, each in the schema of its service, as on the platform. What is new is that
 * one transaction reaches both. A third schema, `shop`, has the kit's own tables: idempotency keys and tasks.
 */
import { fileURLToPath } from 'node:url'
import type { SchemaMigrations } from '@cauce/kit/database/migrate'
import type { RowStore } from '@cauce/kit/database/rows'
import { postgresRows } from '@cauce/kit/database/rows-postgres'
import type { Table } from '@cauce/kit/database/table'
import type { PostgresTransaction } from '@cauce/kit/database/transaction'
import { orders, migrations as ordersMigrations } from '@cauce/orders/service'
import { payments, migrations as paymentsMigrations } from '@cauce/payments/service'

export const SHOP = 'shop'

/** In lock order: every transaction takes them in this one, so none waits for another in a circle. */
export const tables: readonly Table<object>[] = [...orders.tables, ...payments.tables]

const directoryOf = (url: URL): string => fileURLToPath(url)

export const schemas: readonly SchemaMigrations[] = [
  {
    schema: SHOP,
    sets: [{ name: 'kit', directory: directoryOf(new URL('../../kit/database/migrations/', import.meta.url)) }],
  },
  { schema: orders.name, sets: [{ name: orders.name, directory: directoryOf(ordersMigrations) }] },
  { schema: payments.name, sets: [{ name: payments.name, directory: directoryOf(paymentsMigrations) }] },
]

/** Loads and saves rows of both services within one transaction. */
export function rowsOfBoth(): (tx: PostgresTransaction) => RowStore {
  const services = [orders, payments].map(({ name, tables: own }) => ({ own, open: postgresRows(name, own) }))
  return (tx) => {
    const stores = services.map(({ own, open }) => ({ own, rows: open(tx) }))
    const rowsOf = (table: Table<object>): RowStore => {
      const found = stores.find(({ own }) => own.includes(table))
      if (!found) throw new Error(`Table ${table.name} belongs to neither orders nor payments`)
      return found.rows
    }
    return {
      load: (table, keys, lock) => rowsOf(table).load(table, keys, lock),
      save: (table, changes) => rowsOf(table).save(table, changes),
    }
  }
}
