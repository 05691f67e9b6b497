/** What operators did, over memory. */
import { ConstraintError } from '../database/errors.ts'
import type { MemoryDatabase, MemoryTransaction } from '../database/memory.ts'
import { assertHolds, jsonText } from '../database/values.ts'
import type { ActionReader, ActionStore, OperatorAction } from './port.ts'

const tableOf = (schema: string): string => `${schema}.operator_actions`

export function memoryActions(schema: string): (tx: MemoryTransaction) => ActionStore {
  const table = tableOf(schema)
  return (tx) => ({
    record: (action) =>
      tx.run(async () => {
        await tx.lock(table, action.id)
        if (tx.get(table, action.id)) throw new ConstraintError('23505', 'operator_actions_pkey', `${action.id} exists`)
        assertHolds('text', 'reason', action.reason)
        const copy = JSON.parse(jsonText(action)) as OperatorAction
        tx.put(table, action.id, { ...copy, at: await tx.begun })
      }),
  })
}

export function memoryActionReader(database: MemoryDatabase, schema: string): ActionReader {
  return {
    list: async (limit, before) =>
      [...database.committed(tableOf(schema)).values()]
        .map((row) => row as OperatorAction)
        .filter(({ id }) => before === undefined || id < before)
        .toSorted((a, b) => (a.id > b.id ? -1 : 1))
        .slice(0, limit),
  }
}
