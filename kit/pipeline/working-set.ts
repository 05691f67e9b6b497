/**
 * The rows of one batch: loaded once, changed by one decision after the other, saved once. A decision's changes go in whole
 * or not at all, so an input set aside in the middle of a batch leaves its neighbours untouched.
 */
import { groupBy } from '../core/collections.ts'
import { ConstraintError } from '../database/errors.ts'
import type { Change, RowRef, Table } from '../database/table.ts'
import type { RowChanges } from '../database/rows.ts'
import type { Rows } from './decision.ts'

interface Entry {
  readonly before: object | undefined
  now: object | undefined
  readonly locked: boolean
  /** Removed and inserted anew in this batch: another row, not an update of the old one, which keeps its fixed columns. */
  anew: boolean
}

/** A decision that reads, writes or makes what it must not. A bug, never an input's fault. */
export class DecisionError extends Error {
  override readonly name = 'DecisionError'
}

/** A decision that reads or changes a row which its lock did not name. */
export class UnnamedRowError extends DecisionError {}

export class WorkingSet implements Rows {
  readonly #entries = new Map<Table<object>, Map<string, Entry>>()
  readonly #appended = new Map<Table<object>, object[]>()
  /** Tables asked for before they were loaded, by a `lock` that depends on rows. */
  readonly asked = new Set<Table<object>>()
  readonly #loaded = new Set<Table<object>>()
  #isChanged = false

  get<Row extends object>(table: Table<Row>, key: string): Row | undefined {
    const rows = this.#entries.get(table)
    const entry = rows?.get(key)
    if (entry) return entry.now as Row | undefined
    if (this.#loaded.has(table)) {
      throw new UnnamedRowError(`${table.name} ${key} is read, but the lock did not name it`)
    }
    this.asked.add(table)
    return undefined
  }

  /** Whether a decision of this batch has changed something. */
  get isChanged(): boolean {
    return this.#isChanged
  }

  /** From here on a missing row of this table is an error, not a question. */
  markLoaded(table: Table<object>): void {
    this.#loaded.add(table)
  }

  has(table: Table<object>, key: string, locked: boolean): boolean {
    const entry = this.#entries.get(table)?.get(key)
    return entry !== undefined && (entry.locked || !locked)
  }

  /** Which of these are not there yet, per table. */
  missing(refs: readonly RowRef[]): Map<Table<object>, { lock: string[]; read: string[] }> {
    const wanted = new Map<Table<object>, Map<string, boolean>>()
    for (const { table, key, lock } of refs) {
      const entry = this.#entries.get(table)?.get(key)
      if (entry && (entry.locked || !lock)) continue
      let keys = wanted.get(table)
      if (!keys) wanted.set(table, (keys = new Map<string, boolean>()))
      keys.set(key, lock || keys.get(key) === true)
    }
    return new Map(
      [...wanted].map(([table, keys]) => {
        const byLock = groupBy(keys, ([, lock]) => lock)
        const list = (lock: boolean) => (byLock.get(lock) ?? []).map(([key]) => key)
        return [table, { lock: list(true), read: list(false) }]
      }),
    )
  }

  add(table: Table<object>, keys: readonly string[], rows: readonly object[], locked: boolean): void {
    let entries = this.#entries.get(table)
    if (!entries) this.#entries.set(table, (entries = new Map<string, Entry>()))
    for (const key of keys) entries.set(key, { before: undefined, now: undefined, locked, anew: false })
    for (const row of rows) entries.set(table.keyOf(row), { before: row, now: row, locked, anew: false })
  }

  /** Applies a decision's changes, all or none. */
  apply(changes: readonly Change[]): void {
    const undo: (() => void)[] = []
    try {
      for (const change of changes) undo.push(this.#applyOne(change))
      this.#isChanged ||= changes.length > 0
    } catch (error) {
      for (const back of undo.toReversed()) back()
      throw error
    }
  }

  #applyOne(change: Change): () => void {
    const { table } = change
    if (change.kind !== 'remove') check(table, change.row)
    if (table.appendOnly) {
      if (change.kind !== 'insert') throw new DecisionError(`${table.name} is append-only`)
      const rows = this.#appended.get(table)
      if (rows) rows.push(change.row)
      else this.#appended.set(table, [change.row])
      return () => this.#appended.get(table)!.pop()
    }
    const key = change.kind === 'remove' ? change.key : table.keyOf(change.row)
    let entry = this.#entries.get(table)?.get(key)
    // A key made from the input's own id belongs to nobody else yet: its row needs no look-up before the insert.
    if (!entry && change.kind === 'insert') {
      this.add(table, [key], [], true)
      entry = this.#entries.get(table)!.get(key)
    }
    if (!entry?.locked)
      throw new UnnamedRowError(`The decision changes ${table.name} ${key}, which its lock did not name`)
    if (change.kind === 'insert' && entry.now) throw new DecisionError(`${table.name} ${key} exists already`)
    if (change.kind === 'update' && !entry.now) throw new DecisionError(`${table.name} ${key} does not exist`)
    const { now, anew } = entry
    entry.now = change.kind === 'remove' ? undefined : change.row
    if (change.kind === 'insert') entry.anew = true
    return () => {
      entry.now = now
      entry.anew = anew
    }
  }

  /** What differs from what was loaded, per table. */
  changes(table: Table<object>): RowChanges {
    if (table.appendOnly) return { inserted: this.#appended.get(table) ?? [], updated: [], removed: [] }
    const inserted: object[] = []
    const updated: object[] = []
    const removed: string[] = []
    const entries = [...(this.#entries.get(table) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))
    for (const [key, { before, now, anew }] of entries) {
      if (now === before) continue
      if (before && (!now || anew)) removed.push(key)
      if (now && (!before || anew)) inserted.push(now)
      else if (now) updated.push(now)
    }
    return { inserted, updated, removed }
  }
}

/**
 * The declared checks, decision by decision: the database sees only what a batch leaves behind, and would let one input mend
 * what another broke. It also names the culprit without a bisection.
 */
function check(table: Table<object>, row: object): void {
  for (const [name, holds] of Object.entries(table.checks)) {
    if (!holds(row as never)) throw new ConstraintError('23514', `${table.name}_${name}`, JSON.stringify(row))
  }
}
