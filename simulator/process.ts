/**
 * A server process of the simulated world: it can die between any two of its awaits, stand still, and be answered late. What it
 * was told before it died stays done; nothing that it waits for ever comes.
 */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import { integerBetween } from '@cauce/kit/core/prng'
import { CommitUnknownError, ContentionError, DatabaseUnavailableError } from '@cauce/kit/database/errors'
import type { Transactions, UnitOfWork } from '@cauce/kit/pipeline/unit-of-work'
import type { Faults } from './faults.ts'
import { sleepOn } from '@cauce/kit/core/clock'
import type { SimTime } from './time.ts'
import type { Trace } from './trace.ts'

const never = new Promise<never>(() => undefined)

export interface ProcessOptions {
  readonly name: string
  readonly time: SimTime
  readonly faults: Faults
  readonly trace: Trace
  /** How far its own clock is off. */
  readonly skewMs: number
  /** Whether its database is away. */
  readonly databaseDown: () => boolean
}

export class SimProcess {
  readonly name: string
  readonly clock: Clock
  readonly timers: Timers
  readonly #options: ProcessOptions
  readonly #open = new Set<UnitOfWork>()
  #alive = true
  #pausedUntil = 0

  constructor(options: ProcessOptions) {
    const { name, time, skewMs } = options
    this.name = name
    this.#options = options
    this.clock = { now: () => time.now() + skewMs, monotonic: () => time.monotonic() }
    const after = (ms: number, task: () => void) => {
      let cancelled = false
      const fire = () => {
        if (cancelled || !this.#alive) return
        const restMs = this.#pausedUntil - time.monotonic()
        if (restMs > 0) time.after(restMs, fire)
        else task()
      }
      const cancel = time.after(ms, fire)
      return () => {
        cancelled = true
        cancel()
      }
    }
    this.timers = { after, sleep: (ms, signal) => sleepOn(after, ms, signal) }
  }

  get alive(): boolean {
    return this.#alive
  }

  /** Its connections break; the server notices at once or after a while, and rolls back. */
  crash(why: string): void {
    if (!this.#alive) return
    this.#alive = false
    const { time, faults, trace } = this.#options
    trace.add(this.name, `dies: ${why}`)
    for (const work of this.#open) {
      time.after(faults.random.next() < 0.5 ? 0 : integerBetween(faults.random, 1, 1_500), () => void work.rollback())
    }
    this.#open.clear()
  }

  /** The database went away: every connection is gone, and what was open is rolled back. */
  disconnect(): void {
    for (const work of this.#open) void work.rollback()
  }

  pause(ms: number): void {
    const { time, trace } = this.#options
    this.#pausedUntil = time.monotonic() + ms
    trace.add(this.name, `stands still for ${ms} ms`)
  }

  /** Asks for something outside of the process, unless it is dead; the answer may take its time. */
  ask<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#alive) return never
    const asked = work()
    return new Promise((resolve, reject) => {
      const deliver = (act: () => void) => {
        if (!this.#alive) return
        const waitMs = this.#waitMs()
        if (waitMs > 0) this.timers.after(waitMs, act)
        else act()
      }
      asked.then(
        (value) => deliver(() => resolve(value)),
        (error: Error) => deliver(() => reject(error)),
      )
    })
  }

  #waitMs(): number {
    const { time, faults } = this.#options
    const pausedMs = Math.max(0, this.#pausedUntil - time.monotonic())
    if (faults.strikes('slowAnswer')) return pausedMs + integerBetween(faults.random, 500, 5_000)
    // Most answers come in the same moment: it keeps the number of turns low.
    return faults.random.next() < 0.7 ? pausedMs : pausedMs + integerBetween(faults.random, 1, 5)
  }

  /** A port whose methods ask. */
  reach<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const value = target[name as keyof Port] as unknown
        if (typeof value !== 'function') return value
        return (...args: readonly unknown[]) => {
          if (this.#options.databaseDown()) return this.ask(() => Promise.reject(away()))
          return this.ask(() => (value as (...given: readonly unknown[]) => Promise<unknown>).apply(target, [...args]))
        }
      },
    })
  }

  transactions(service: string, transactions: Transactions): Transactions {
    return {
      begin: async () => {
        if (this.#options.databaseDown()) await this.ask(() => Promise.reject(away()))
        const work = await this.ask(() => transactions.begin())
        this.#open.add(work)
        return this.#watched(service, work)
      },
    }
  }

  #watched(service: string, work: UnitOfWork): UnitOfWork {
    const ended = () => void this.#open.delete(work)
    return {
      begun: this.ask(() => work.begun),
      rows: this.reach(work.rows),
      log: this.reach(work.log),
      cursors: this.reach(work.cursors),
      tasks: this.reach(work.tasks),
      keys: this.reach(work.keys),
      actions: this.reach(work.actions),
      commit: () => this.ask(() => this.#commit(service, work)).finally(ended),
      rollback: () => this.ask(() => work.rollback()).finally(ended),
    }
  }

  async #commit(service: string, work: UnitOfWork): Promise<void> {
    const { faults, time, trace } = this.#options
    if (faults.strikes('crashBeforeCommit')) {
      this.crash(`before COMMIT of ${service}`)
      return never
    }
    if (faults.strikes('commitAborted')) {
      await work.rollback()
      throw new ContentionError('40P01', 'deadlock detected, says the simulator')
    }
    if (faults.strikes('commitUnknown')) {
      const fate = faults.random.next()
      trace.add(this.name, `the answer to COMMIT of ${service} is lost`)
      if (fate < 0.4) await work.commit()
      else if (fate < 0.7) await work.rollback()
      // The old backend is still at it: whoever runs again waits for its locks.
      else time.after(integerBetween(faults.random, 1, 1_000), () => void work.commit().catch(() => undefined))
      throw new CommitUnknownError('the answer to COMMIT was lost')
    }
    await work.commit()
    if (faults.strikes('crashAfterCommit')) {
      this.crash(`after COMMIT of ${service}`)
      return never
    }
  }
}

const away = (): Error => new DatabaseUnavailableError('The database is away')
