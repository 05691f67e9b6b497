/** The pipeline's transaction over PostgreSQL. */
import type { Timers } from '../core/clock.ts'
import { postgresCursors } from '../consumer/postgres.ts'
import type { Pool } from '../database/pool.ts'
import { postgresRows } from '../database/rows-postgres.ts'
import type { Table } from '../database/table.ts'
import type { RowStore } from '../database/rows.ts'
import { beginTransaction, type PostgresTransaction } from '../database/transaction.ts'
import { postgresKeys } from '../idempotency/postgres.ts'
import { postgresLog } from '../log/postgres.ts'
import { postgresActions } from '../operator/postgres.ts'
import { postgresTasks } from '../task/postgres.ts'
import type { Transactions } from './unit-of-work.ts'

export interface TransactionsOptions {
  readonly pool: Pool
  /** Where the kit's own tables are. */
  readonly schema: string
  readonly lanes: number
  readonly timers: Timers
}

export interface PostgresTransactionsOptions extends TransactionsOptions {
  /** In the same schema. */
  readonly tables: readonly Table<object>[]
}

export function postgresTransactions({ tables, ...options }: PostgresTransactionsOptions): Transactions {
  return transactionsOver(postgresRows(options.schema, tables), options)
}

/** The same where rows are kept elsewhere, in several schemas perhaps. */
export function transactionsOver(
  rows: (tx: PostgresTransaction) => RowStore,
  { pool, schema, lanes, timers }: TransactionsOptions,
): Transactions {
  const log = postgresLog(schema, lanes)
  const cursors = postgresCursors(schema)
  const tasks = postgresTasks(schema)
  const keys = postgresKeys(schema)
  const actions = postgresActions(schema)
  return {
    async begin() {
      const tx = await beginTransaction(pool, timers)
      return {
        begun: tx.begun,
        rows: rows(tx),
        log: log(tx),
        cursors: cursors(tx),
        tasks: tasks(tx),
        keys: keys(tx),
        actions: actions(tx),
        commit: () => tx.commit(),
        rollback: () => tx.rollback(),
      }
    },
  }
}
