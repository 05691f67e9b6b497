/** The pipeline's transaction over PostgreSQL. */
import type { Timers } from '../core/clock.ts'
import { postgresCursors } from '../consumer/postgres.ts'
import type { Pool } from '../database/pool.ts'
import { postgresRows } from '../database/rows-postgres.ts'
import type { Table } from '../database/table.ts'
import { beginTransaction } from '../database/transaction.ts'
import { postgresKeys } from '../idempotency/postgres.ts'
import { postgresLog } from '../log/postgres.ts'
import { postgresActions } from '../operator/postgres.ts'
import { postgresTasks } from '../task/postgres.ts'
import type { Transactions } from './unit-of-work.ts'

export interface PostgresTransactionsOptions {
  readonly pool: Pool
  readonly schema: string
  readonly tables: readonly Table<object>[]
  readonly lanes: number
  readonly timers: Timers
}

export function postgresTransactions(options: PostgresTransactionsOptions): Transactions {
  const { pool, schema, tables, lanes, timers } = options
  const rows = postgresRows(schema, tables)
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
