/**
 * A database in memory with PostgreSQL's READ COMMITTED manners, for unit tests and the simulator: row locks that queue,
 * SKIP LOCKED, deadlock detection, lock and idle timeouts, writes that nobody sees before commit, and a transaction that
 * stays failed after its first error. What the mechanisms' memory adapters are built on.
 *
 * M1 Operations of one transaction run one after the other in the order of their calls, as on a pipelined connection.
 * M2 A lock is held until commit or rollback; waiters are served in order.
 * M3 Commit is atomic: between two awaits every committed row of a transaction is visible or none.
 */
import type { Clock, Timers } from '../core/clock.ts'
import { ContentionError, DatabaseUnavailableError, NotCommittedError } from './errors.ts'

const LOCK_TIMEOUT_MS = 2000
const IDLE_TIMEOUT_MS = 2000

interface Waiter {
  readonly tx: MemoryTransaction
  grant(): void
  fail(error: Error): void
}

interface Lock {
  holder: MemoryTransaction
  readonly waiters: Waiter[]
}

type Row = object

/** What a commit did to one row; undefined where it was not, or is no longer. */
export interface MemoryChange {
  readonly table: string
  readonly key: string
  readonly before: Row | undefined
  readonly after: Row | undefined
}

export interface MemoryDatabaseOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** Waited for before each statement: lets statements of several transactions alternate. */
  readonly beforeStatement?: () => Promise<void> | undefined
  /** Told of every commit, right after it. */
  readonly onCommit?: (changes: readonly MemoryChange[]) => void
}

export class MemoryDatabase {
  readonly clock: Clock
  readonly timers: Timers
  /** Set to make every write fail with this SQLSTATE: '53100' is a full disk, '25006' a read-only server. */
  refuseWrites: string | undefined
  readonly #tables = new Map<string, Map<string, Row>>()
  readonly #locks = new Map<string, Lock>()
  readonly #options: MemoryDatabaseOptions

  constructor(options: MemoryDatabaseOptions) {
    this.clock = options.clock
    this.timers = options.timers
    this.#options = options
  }

  beforeStatement(): Promise<void> | undefined {
    return this.#options.beforeStatement?.()
  }

  /** Makes the changes of a transaction visible, all in one turn (M3). */
  apply(changes: ReadonlyMap<string, ReadonlyMap<string, Row | undefined>>): void {
    const { onCommit } = this.#options
    const told: MemoryChange[] = []
    for (const [table, changed] of changes) {
      const rows = this.committed(table)
      for (const [key, after] of changed) {
        if (onCommit) told.push({ table, key, before: rows.get(key), after })
        if (after) rows.set(key, after)
        else rows.delete(key)
      }
    }
    onCommit?.(told)
  }

  /** Committed rows of a table, in insertion order. Mutated only by commits. */
  committed(table: string): Map<string, Row> {
    let rows = this.#tables.get(table)
    if (!rows) this.#tables.set(table, (rows = new Map<string, Row>()))
    return rows
  }

  begin(): MemoryTransaction {
    return new MemoryTransaction(this)
  }

  /** One statement outside a transaction. */
  async once<T>(work: (tx: MemoryTransaction) => Promise<T>): Promise<T> {
    const tx = this.begin()
    try {
      const result = await work(tx)
      await tx.commit()
      return result
    } catch (error) {
      await tx.rollback()
      throw error
    }
  }

  /** Takes the lock at once or says that somebody else has it. */
  tryLock(tx: MemoryTransaction, name: string): boolean {
    const lock = this.#locks.get(name)
    if (!lock) {
      this.#locks.set(name, { holder: tx, waiters: [] })
      tx.held.add(name)
      return true
    }
    return lock.holder === tx
  }

  async lock(tx: MemoryTransaction, name: string): Promise<void> {
    if (this.tryLock(tx, name)) return
    const lock = this.#locks.get(name)!
    if (this.#wouldDeadlock(tx, lock)) throw new ContentionError('40P01', `deadlock detected at ${name}`)
    tx.waitsFor = lock
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        tx,
        grant: () => {
          stop()
          tx.waitsFor = undefined
          tx.held.add(name)
          resolve()
        },
        fail: (error) => {
          stop()
          tx.waitsFor = undefined
          lock.waiters.splice(lock.waiters.indexOf(waiter), 1)
          reject(error)
        },
      }
      const stop = this.timers.after(LOCK_TIMEOUT_MS, () =>
        waiter.fail(new ContentionError('55P03', `lock timeout at ${name}`)),
      )
      lock.waiters.push(waiter)
    })
  }

  release(tx: MemoryTransaction): void {
    for (const name of tx.held) {
      const lock = this.#locks.get(name)
      const next = lock?.waiters.shift()
      if (!lock || !next) this.#locks.delete(name)
      else {
        lock.holder = next.tx
        next.grant()
      }
    }
    tx.held.clear()
  }

  #wouldDeadlock(tx: MemoryTransaction, lock: Lock): boolean {
    for (let at: Lock | undefined = lock; at; at = at.holder.waitsFor) if (at.holder === tx) return true
    return false
  }
}

export class MemoryTransaction {
  readonly begun: Promise<number>
  readonly held = new Set<string>()
  waitsFor: Lock | undefined
  readonly #database: MemoryDatabase
  readonly #changes = new Map<string, Map<string, Row | undefined>>()
  #last: Promise<unknown> = Promise.resolve()
  #failed = false
  #ended = false
  #stopIdle: () => void = () => undefined

  constructor(database: MemoryDatabase) {
    this.#database = database
    this.begun = this.run(() => database.clock.now())
  }

  /** Queues one statement of this transaction (M1). After the first error every later one fails too. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      const before = this.#database.beforeStatement()
      if (before) await before
      this.#stopIdle()
      if (this.#ended) throw new DatabaseUnavailableError('The transaction has ended')
      if (this.#failed) throw Object.assign(new Error('current transaction is aborted'), { code: '25P02' })
      try {
        return await work()
      } catch (error) {
        this.#failed = true
        throw error
      } finally {
        this.#stopIdle = this.#database.timers.after(IDLE_TIMEOUT_MS, () => this.#end())
      }
    })
    this.#last = result.catch(() => undefined)
    return result
  }

  get(table: string, key: string): Row | undefined {
    const changed = this.#changes.get(table)
    return changed?.has(key) ? changed.get(key) : this.#database.committed(table).get(key)
  }

  /** Every row of the table as this transaction sees it. */
  *scan(table: string): Generator<[key: string, row: Row]> {
    const changed = this.#changes.get(table)
    for (const [key, row] of this.#database.committed(table)) if (!changed?.has(key)) yield [key, row]
    for (const [key, row] of changed ?? []) if (row) yield [key, row]
  }

  /** Writes a row, or removes it with undefined. Visible to others after commit. */
  put(table: string, key: string, row: Row | undefined): void {
    const refused = this.#database.refuseWrites
    if (refused) throw Object.assign(new Error('the database does not write now'), { code: refused })
    let changed = this.#changes.get(table)
    if (!changed) this.#changes.set(table, (changed = new Map<string, Row | undefined>()))
    changed.set(key, row)
  }

  lock(table: string, key: string): Promise<void> {
    return this.#database.lock(this, `${table}/${key}`)
  }

  tryLock(table: string, key: string): boolean {
    return this.#database.tryLock(this, `${table}/${key}`)
  }

  commit(): Promise<void> {
    const done = this.#last.then(() => {
      if (this.#ended) throw new DatabaseUnavailableError('The transaction has ended')
      const failed = this.#failed
      if (!failed) this.#database.apply(this.#changes)
      this.#end()
      if (failed) throw new NotCommittedError('COMMIT was answered with ROLLBACK')
    })
    this.#last = done.catch(() => undefined)
    return done
  }

  async rollback(): Promise<void> {
    await this.#last
    this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#stopIdle()
    this.#database.release(this)
  }
}
