/** The pipeline's transaction over memory. */
import { memoryCursors } from '../consumer/memory.ts'
import type { MemoryDatabase } from '../database/memory.ts'
import { memoryRows } from '../database/rows-memory.ts'
import { memoryKeys } from '../idempotency/memory.ts'
import { memoryLog } from '../log/memory.ts'
import { memoryActions } from '../operator/memory.ts'
import { memoryTasks } from '../task/memory.ts'
import type { Transactions } from './unit-of-work.ts'

export function memoryTransactions(database: MemoryDatabase, schema: string, lanes: number): Transactions {
  const log = memoryLog(schema, lanes)
  const cursors = memoryCursors(schema)
  const tasks = memoryTasks(schema)
  const keys = memoryKeys(schema)
  const actions = memoryActions(schema)
  return {
    async begin() {
      const tx = database.begin()
      return {
        begun: tx.begun,
        rows: memoryRows(schema, tx),
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
