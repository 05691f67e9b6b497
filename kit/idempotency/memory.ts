/** Idempotency keys over memory. */
import { ConstraintError } from '../database/errors.ts'
import type { MemoryDatabase, MemoryTransaction } from '../database/memory.ts'
import type { KeyJanitor, KeyRecord, KeyStore } from './port.ts'

const tableOf = (schema: string): string => `${schema}.idempotency_keys`

export function memoryKeys(schema: string): (tx: MemoryTransaction) => KeyStore {
  const table = tableOf(schema)
  return (tx) => ({
    read: (ids) => tx.run(() => ids.flatMap((id) => (tx.get(table, id) ? [tx.get(table, id) as KeyRecord] : []))),
    write: (records, expired) =>
      tx.run(async () => {
        for (const { id, expiresAt } of expired.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
          await tx.lock(table, id)
          if ((tx.get(table, id) as KeyRecord | undefined)?.expiresAt === expiresAt) tx.put(table, id, undefined)
        }
        for (const record of records.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
          await tx.lock(table, record.id)
          if (tx.get(table, record.id)) throw new ConstraintError('23505', 'idempotency_keys_pkey', 'the key exists')
          tx.put(table, record.id, record)
        }
      }),
  })
}

export function memoryKeyJanitor(database: MemoryDatabase, schema: string): KeyJanitor {
  const table = tableOf(schema)
  return {
    removeExpired: (limit) =>
      database.once((tx) =>
        tx.run(() => {
          const now = database.clock.now()
          let removed = 0
          for (const [id, row] of tx.scan(table)) {
            if (removed === limit || (row as KeyRecord).expiresAt >= now || !tx.tryLock(table, id)) continue
            tx.put(table, id, undefined)
            removed++
          }
          return removed
        }),
      ),
  }
}
