/**
 * The rows behind `given`: what the pipeline's loading and a database do with declared tables, for one input at a time, in
 * memory and at once. Rows are frozen; saving gives new maps and leaves the old ones as they were.
 */
import { isDeepStrictEqual } from 'node:util'
import type { RowChanges } from '../database/rows.ts'
import type { RowRef, Table } from '../database/table.ts'
import { assertHolds } from '../database/values.ts'
import type { Rows } from './decision.ts'
import { DecisionError, type WorkingSet } from './working-set.ts'

export type StoredRows = ReadonlyMap<Table<object>, ReadonlyMap<string, object>>

/** Loads what `lock` names into the set, asking again as `loadRows` does, and marks every table as loaded. */
export function loadFor(
  tables: readonly Table<object>[],
  stored: StoredRows,
  set: WorkingSet,
  lock: (rows: Rows) => readonly RowRef[],
): void {
  let loaded = 0
  while (loaded < tables.length) {
    set.asked.clear()
    const refs = lock(set)
    for (const ref of refs) {
      const at = tables.indexOf(ref.table)
      if (at < 0) throw new DecisionError(`${ref.table.name} is not one of the service's tables`)
      if (at < loaded && !set.has(ref.table, ref.key, ref.lock)) {
        throw new DecisionError(`The lock names ${ref.table.name} ${ref.key} after a later table was loaded`)
      }
    }
    const asked = [...set.asked].map((table) => tables.indexOf(table))
    const next = asked.length === 0 ? tables.length : Math.min(...asked) + 1
    const missing = set.missing(refs)
    for (const table of tables.slice(loaded, next)) {
      const keys = missing.get(table)
      if (keys) {
        set.add(table, keys.lock, find(stored, table, keys.lock), true)
        set.add(table, keys.read, find(stored, table, keys.read), false)
      }
      set.markLoaded(table)
    }
    loaded = next
  }
}

function find(stored: StoredRows, table: Table<object>, keys: readonly string[]): object[] {
  return keys.flatMap((key) => stored.get(table)?.get(key) ?? [])
}

/** The rows after these changes. Throws when one violates what its table declares. */
export function saveAll(
  tables: readonly Table<object>[],
  before: StoredRows,
  changesOf: (table: Table<object>) => RowChanges,
): StoredRows {
  return new Map(tables.map((table) => [table, save(table, before.get(table) ?? new Map(), changesOf(table))]))
}

function save(
  table: Table<object>,
  before: ReadonlyMap<string, object>,
  { inserted, updated, removed }: RowChanges,
): ReadonlyMap<string, object> {
  if (inserted.length + updated.length + removed.length === 0) return before
  const after = new Map(before)
  for (const row of inserted) {
    const key = table.keyOf(row)
    if (after.has(key)) throw new DecisionError(`${table.name} ${key} exists already`)
    after.set(key, stored(table, row))
  }
  for (const row of updated) {
    assertFixed(table, before.get(table.keyOf(row))!, row)
    after.set(table.keyOf(row), stored(table, row))
  }
  assertUnique(table, after)
  for (const key of removed) after.delete(key)
  return after
}

function stored(table: Table<object>, row: object): object {
  const values = row as Record<string, unknown>
  const at = `${table.name} ${table.keyOf(row)}`
  for (const name of Object.keys(values)) {
    if (!table.columns[name]) throw new DecisionError(`${at} has a value for ${name}, which is not one of its columns`)
  }
  for (const [name, { kind, nullable }] of Object.entries(table.columns)) {
    const value = values[name]
    if (value === undefined || (value === null && !nullable)) throw new DecisionError(`${at}: ${name} is missing`)
    assertHolds(kind, `${at}: ${name}`, value)
  }
  for (const [name, holds] of Object.entries(table.checks)) {
    if (!holds(row as never)) throw new DecisionError(`${at} violates the check "${name}": ${JSON.stringify(row)}`)
  }
  return frozen(structuredClone(row))
}

function assertFixed(table: Table<object>, before: object, after: object): void {
  for (const name of table.fixed) {
    if (isDeepStrictEqual((before as Record<string, unknown>)[name], (after as Record<string, unknown>)[name])) continue
    throw new DecisionError(`${table.name} ${table.keyOf(after)}: ${name} is fixed, and the decision changes it`)
  }
}

function assertUnique(table: Table<object>, rows: ReadonlyMap<string, object>): void {
  for (const [name, columns] of Object.entries(table.unique)) {
    const seen = new Map<string, string>()
    for (const [key, row] of rows) {
      const value = JSON.stringify(columns.map((column) => (row as Record<string, unknown>)[column]))
      const other = seen.get(value)
      if (other)
        throw new DecisionError(`${table.name} ${other} and ${key} share ${value}, which "${name}" says are unique`)
      seen.set(value, key)
    }
  }
}

/** Freezes a value and all that is in it. Rows and inputs are trees of plain data. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}
