/** Rows over memory. Enforces what the migrated schema enforces: keys, unique sets, row checks, what a column can hold. */
import { ConstraintError } from './errors.ts'
import type { MemoryTransaction } from './memory.ts'
import type { RowStore } from './rows.ts'
import type { Table } from './table.ts'
import { assertHolds, jsonText } from './values.ts'

type Values = Record<string, unknown>

export function memoryRows(schema: string, tx: MemoryTransaction): RowStore {
  const nameOf = (table: Table<object>) => `${schema}.${table.name}`
  return {
    load: (table, keys, lock) =>
      tx.run(async () => {
        const found: object[] = []
        for (const key of keys.toSorted(byCodeUnit)) {
          // PostgreSQL cannot lock a row that is not there; two inserters meet at the unique index instead.
          if (lock && tx.get(nameOf(table), key)) await tx.lock(nameOf(table), key)
          const row = tx.get(nameOf(table), key)
          if (row) found.push(row)
        }
        return found
      }),
    save: (table, { inserted, updated, removed }) =>
      tx.run(async () => {
        const name = nameOf(table)
        const updates = updated.map((row) => stored(table, row as Values, table.fixed))
        const inserts = inserted.map((row) => stored(table, row as Values))
        for (const key of removed) await remove(tx, name, table, key)
        for (const row of updates) await update(tx, name, table, row)
        for (const row of inserts) await insert(tx, name, table, row)
      }),
  }
}

/**
 * A row as it would come back from PostgreSQL: its declared columns only, JSON without what JSON leaves out. Frozen, because
 * here all readers share it: a decision that mutates fails instead of changing what is committed.
 */
function stored(table: Table<object>, row: Values, except?: ReadonlySet<string>): Values {
  const copy: Values = {}
  for (const [name, { kind }] of Object.entries(table.columns)) {
    const value = row[name] ?? null
    if (name !== table.keyColumn && except?.has(name)) continue
    assertHolds(kind, name, value)
    if (kind === 'json' && value !== null) copy[name] = frozen(JSON.parse(jsonText(value)))
    else copy[name] = typeof value === 'number' ? Math.trunc(value) + 0 : value
  }
  return Object.freeze(copy)
}

function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}

async function insert(tx: MemoryTransaction, name: string, table: Table<object>, row: Values): Promise<void> {
  check(table, row)
  const key = table.keyOf(row)
  await tx.lock(name, key)
  if (tx.get(name, key)) throw new ConstraintError('23505', `${table.name}_pkey`, `${key} exists`)
  for (const [index, value] of uniqueValues(name, table, row)) await take(tx, index, value, key)
  tx.put(name, key, row)
}

async function update(tx: MemoryTransaction, name: string, table: Table<object>, row: Values): Promise<void> {
  const key = table.keyOf(row)
  await tx.lock(name, key)
  const before = tx.get(name, key) as Values | undefined
  if (!before) return
  const after = Object.freeze({ ...before, ...row })
  check(table, after)
  const old = new Map(uniqueValues(name, table, before))
  const next = new Map(uniqueValues(name, table, after))
  for (const [index, value] of old) if (next.get(index) !== value) await give(tx, index, value)
  for (const [index, value] of next) if (old.get(index) !== value) await take(tx, index, value, key)
  tx.put(name, key, after)
}

async function remove(tx: MemoryTransaction, name: string, table: Table<object>, key: string): Promise<void> {
  await tx.lock(name, key)
  const row = tx.get(name, key) as Values | undefined
  if (!row) return
  for (const [index, value] of uniqueValues(name, table, row)) await give(tx, index, value)
  tx.put(name, key, undefined)
}

/** Whoever wants the value meanwhile waits for this transaction's end. */
async function give(tx: MemoryTransaction, index: string, value: string): Promise<void> {
  await tx.lock(index, value)
  tx.put(index, value, undefined)
}

async function take(tx: MemoryTransaction, index: string, value: string, key: string): Promise<void> {
  await tx.lock(index, value)
  if (tx.get(index, value)) throw new ConstraintError('23505', index, `${value} exists`)
  tx.put(index, value, { key })
}

function check(table: Table<object>, row: Values): void {
  for (const [name, column] of Object.entries(table.columns)) {
    if (row[name] === null && !column.nullable) {
      throw new ConstraintError('23502', `${table.name}.${name}`, 'a value is required')
    }
  }
  for (const [name, holds] of Object.entries(table.checks)) {
    if (!holds(row as never)) throw new ConstraintError('23514', `${table.name}_${name}`, JSON.stringify(row))
  }
}

/** A set with a null in it is unlike every other, as in SQL. */
function uniqueValues(name: string, table: Table<object>, row: Values): [index: string, value: string][] {
  return Object.entries(table.unique)
    .filter(([, columns]) => columns.every((column) => row[column] !== null))
    .map(([set, columns]) => [`${name}_${set}`, JSON.stringify(columns.map((column) => row[column]))])
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
