/**
 * Loading a batch's rows: one statement per table, in the service's one order of tables and in key order within a table, so
 * transactions cannot deadlock over rows.
 *
 * Most locks follow from the input alone, and all tables are loaded in one flush. When a lock asks for a row that is not
 * there yet, tables are loaded up to the one it asked for, and the locks are asked again; they may then add rows of later
 * tables only.
 */
import type { RowStore } from '../database/rows.ts'
import type { RowRef, Table } from '../database/table.ts'
import type { Handler } from './decision.ts'
import type { Input } from './input.ts'
import { together } from './unit-of-work.ts'
import { DecisionError, type WorkingSet } from './working-set.ts'

/** Fills the set. Gives the inputs whose lock threw: they will be set aside, the others go on. */
export async function loadRows(
  store: RowStore,
  set: WorkingSet,
  tables: readonly Table<object>[],
  inputs: readonly Input[],
  handler: (input: Input) => Handler<never> | undefined,
): Promise<Map<string, Error>> {
  const failed = new Map<string, Error>()
  let loaded = 0
  while (loaded < tables.length) {
    set.asked.clear()
    const refs = inputs.flatMap((input) => refsOf(input, set, tables, loaded, handler, failed))
    const missing = set.missing(refs)
    const last =
      set.asked.size === 0 ? tables.length - 1 : Math.min(...[...set.asked].map((table) => tables.indexOf(table)))
    const loads = tables.slice(loaded, last + 1).flatMap((table) => {
      const { lock, read } = missing.get(table) ?? { lock: [], read: [] }
      return [load(store, set, table, lock, true), load(store, set, table, read, false)]
    })
    await together(loads)
    for (const table of tables.slice(loaded, last + 1)) set.markLoaded(table)
    loaded = last + 1
  }
  return failed
}

function refsOf(
  input: Input,
  set: WorkingSet,
  tables: readonly Table<object>[],
  loaded: number,
  handler: (input: Input) => Handler<never> | undefined,
  failed: Map<string, Error>,
): readonly RowRef[] {
  if (failed.has(input.id)) return []
  try {
    const refs = handler(input)?.lock(input.data as never, set) ?? []
    for (const table of set.asked) if (!tables.includes(table)) throw foreign(table)
    for (const { table, key, lock } of refs) {
      const at = tables.indexOf(table)
      if (at < 0) throw foreign(table)
      if (at < loaded && !set.has(table, key, lock)) {
        throw new DecisionError(`The lock names ${table.name} ${key} after a later table was loaded`)
      }
    }
    return refs
  } catch (error) {
    for (const table of set.asked) if (!tables.includes(table)) set.asked.delete(table)
    failed.set(input.id, error instanceof Error ? error : new Error(String(error)))
    return []
  }
}

const foreign = (table: Table<object>) => new DecisionError(`${table.name} is not one of the service's tables`)

async function load(
  store: RowStore,
  set: WorkingSet,
  table: Table<object>,
  keys: readonly string[],
  lock: boolean,
): Promise<void> {
  if (keys.length === 0) return
  const sorted = keys.toSorted((a, b) => (a < b ? -1 : 1))
  set.add(table, sorted, await store.load(table, sorted, lock), lock)
}
