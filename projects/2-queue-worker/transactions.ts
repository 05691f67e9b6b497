/** The pipeline's transaction over the tables of both services. The queue's own tables are in the schema `shop`. */
import type { Timers } from '@cauce/kit/core/clock'
import { postgresCursors } from '@cauce/kit/consumer/postgres'
import type { Pool } from '@cauce/kit/database/pool'
import { beginTransaction } from '@cauce/kit/database/transaction'
import { postgresKeys } from '@cauce/kit/idempotency/postgres'
import { postgresLog } from '@cauce/kit/log/postgres'
import { postgresActions } from '@cauce/kit/operator/postgres'
import type { Transactions } from '@cauce/kit/pipeline/unit-of-work'
import { postgresTasks } from '@cauce/kit/task/postgres'
import { rowsOfBoth, SHOP } from '../common/tables.ts'

export function transactionsOver(pool: Pool, timers: Timers): Transactions {
  const rows = rowsOfBoth()
  const keys = postgresKeys(SHOP)
  const tasks = postgresTasks(SHOP)
  const actions = postgresActions(SHOP)
  // There in every unit of work, and not used: nothing is said into a log, and nobody reads one.
  const log = postgresLog(SHOP, 1)
  const cursors = postgresCursors(SHOP)
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
