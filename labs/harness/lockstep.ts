/**
 * Parties in lockstep: the worst interleaving, every time. After a step a party waits here until each of the others has come as
 * far as it can, and then all go on together.
 *
 * A party has come as far as it can when it
 *   - waits here too,
 *   - waits for a lock that somebody who waits here holds (PostgreSQL is asked: pg_blocking_pids),
 *   - has ended, or
 *   - has asked the database for nothing for a while: it waits for something that only its program knows, a mutex perhaps.
 * A statement that is on its way is waited for, however long it takes, so a busy machine changes nothing.
 */
import type { Timers } from '@cauce/kit/core/clock'
import type { LabDatabase } from './database.ts'

/** How long a party may ask for nothing before the others go on without it. */
const PATIENCE_MS = 25
const LOOK_EVERY_MS = 1

export interface Surroundings {
  /** On a connection that no party uses. */
  readonly query: LabDatabase['query']
  readonly timers: Timers
}

export class Party {
  /** The backend that its locks belong to. */
  pid: number | undefined
  /** Counts its statements, so that an answer about an earlier one is known for what it is. */
  statements = 0
  ended = false
  /** It asks for nothing, for too long. */
  away = false
  #busy = 0
  #waiting: (() => void)[] = []
  #forget = () => {}
  readonly #look: () => void
  readonly #timers: Timers

  constructor(look: () => void, timers: Timers) {
    this.#look = look
    this.#timers = timers
    this.#idle()
  }

  get isBusy(): boolean {
    return this.#busy > 0
  }

  get isHere(): boolean {
    return !this.isBusy && this.#waiting.length > 0
  }

  /** Does something that is waited for: a statement, or getting a connection. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    this.#forget()
    this.away = false
    this.statements += 1
    this.#busy += 1
    try {
      return await work()
    } finally {
      this.#busy -= 1
      this.#idle()
    }
  }

  /** Waits for the others. */
  meet(): Promise<void> {
    if (this.ended) return Promise.resolve()
    this.#forget()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#look()
    })
  }

  /** From now on nobody waits for it, and it waits for nobody. */
  end(): void {
    this.#forget()
    this.ended = true
    this.leave()
  }

  leave(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
    if (!this.ended) this.#idle()
  }

  #idle(): void {
    this.#forget()
    if (this.isBusy || this.ended || this.#waiting.length > 0) return
    this.#forget = this.#timers.after(PATIENCE_MS, () => {
      this.away = true
    })
  }
}

export class Lockstep {
  readonly parties: readonly Party[]
  readonly #surroundings: Surroundings
  readonly #waited = new Set<string>()
  #looking = false

  constructor(parties: number, surroundings: Surroundings) {
    this.#surroundings = surroundings
    const look = () => void this.#watch()
    this.parties = Array.from({ length: parties }, () => new Party(look, surroundings.timers))
  }

  /** Statements that were seen waiting for a lock of somebody who waited here. */
  get waits(): number {
    return this.#waited.size
  }

  async #watch(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      while (this.parties.some((party) => party.isHere)) {
        if (await this.#allCameAsFarAsTheyCan()) this.#open()
        else await this.#surroundings.timers.sleep(LOOK_EVERY_MS)
      }
    } catch {
      // The database is gone: the parties learn it from their own statements.
      this.#open()
    } finally {
      this.#looking = false
    }
  }

  #open(): void {
    for (const party of this.parties) if (party.isHere) party.leave()
  }

  async #allCameAsFarAsTheyCan(): Promise<boolean> {
    const others = this.parties.filter(({ isHere, ended, away }) => !isHere && !ended && !away)
    if (others.length === 0) return true
    const here = this.parties.flatMap(({ isHere, pid }) => (isHere && pid !== undefined ? [pid] : []))
    const asked = others.flatMap((party) => {
      const { pid, statements, isBusy } = party
      return isBusy && pid !== undefined ? [{ party, pid, statements }] : []
    })
    if (asked.length === 0 || here.length === 0) return false
    const pids = asked.map(({ pid }) => pid)
    const held = heldBy(here, await blockers(this.#surroundings, pids))
    const still = asked.filter(({ party, pid, statements }) => held.has(pid) && party.statements === statements)
    for (const { party, statements } of still) this.#waited.add(`${this.parties.indexOf(party)} ${statements}`)
    return still.length === others.length
  }
}

interface Blocked {
  readonly pid: number
  readonly blockers: readonly number[]
}

const blockers = ({ query }: Surroundings, pids: readonly number[]): Promise<Blocked[]> =>
  query<Blocked>('SELECT pid, pg_blocking_pids(pid) AS blockers FROM unnest($1::int[]) AS pid', [pids])

/** Who waits for one of these, or for one who does. */
function heldBy(holders: readonly number[], blocked: readonly Blocked[]): Set<number> {
  const held = new Set(holders)
  for (let before = -1; before !== held.size;) {
    before = held.size
    for (const { pid, blockers } of blocked) if (blockers.some((each) => held.has(each))) held.add(pid)
  }
  return held
}
