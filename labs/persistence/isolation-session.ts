/**
 * A session that is moved step by step through a script: one statement at a time, at a level of isolation. When PostgreSQL
 * refuses a statement with a serialization failure (40001) the transaction is rolled back, and what the script still has for it
 * is left out, until it is run again as a whole. That is what a program has to do.
 */
import type pg from 'pg'
import type { Timers } from '@cauce/kit/core/clock'
import { sqlState } from '@cauce/kit/database/errors'
import { backendOf } from '../harness/access.ts'
import type { LabDatabase } from '../harness/database.ts'

export type Level = 'READ UNCOMMITTED' | 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE'

const SERIALIZATION_FAILURE = '40001'
const LOOK_EVERY_MS = 1
const MOST_ATTEMPTS = 5

export class Session {
  /** What PostgreSQL said when it refused; undefined when it did not. */
  refusal: { readonly code: string; readonly message: string } | undefined
  readonly #client: pg.Client
  readonly #level: Level
  readonly #query: LabDatabase['query']
  readonly #timers: Timers
  #dead = false

  /** `query` is another connection: it looks at who waits, and at what was committed. */
  constructor(client: pg.Client, level: Level, query: LabDatabase['query'], timers: Timers) {
    this.#client = client
    this.#level = level
    this.#query = query
    this.#timers = timers
  }

  async begin(): Promise<void> {
    this.#dead = false
    await this.#client.query(`BEGIN ISOLATION LEVEL ${this.#level}`)
  }

  /** The statement's rows; none when the transaction was refused. */
  async run(statement: string): Promise<Record<string, unknown>[]> {
    if (this.#dead) return []
    try {
      return (await this.#client.query<Record<string, unknown>>(statement)).rows
    } catch (error) {
      if (sqlState(error) !== SERIALIZATION_FAILURE) throw error
      this.refusal ??= { code: SERIALIZATION_FAILURE, message: (error as Error).message }
      this.#dead = true
      await this.#client.query('ROLLBACK')
      return []
    }
  }

  /** The only value of the only row. */
  async number(statement: string): Promise<number> {
    return Number(Object.values((await this.run(statement))[0] ?? {})[0])
  }

  async commit(): Promise<void> {
    await this.run('COMMIT')
  }

  async rollback(): Promise<void> {
    await this.#client.query('ROLLBACK')
  }

  /** Waits until the statement was answered or waits for a lock. */
  async answeredOrBlocked(statement: Promise<unknown>): Promise<void> {
    let answered = false
    const answer = statement.finally(() => {
      answered = true
    })
    answer.catch(() => undefined)
    while (!answered && !(await this.#isBlocked())) await this.#timers.sleep(LOOK_EVERY_MS)
  }

  /** Runs the transaction again, alone, when it was refused. */
  async againIfRefused(work: () => Promise<unknown>): Promise<void> {
    for (let attempt = 1; this.#dead; attempt++) {
      if (attempt > MOST_ATTEMPTS) throw new Error(`Refused ${attempt} times: ${this.refusal?.message}`)
      await this.begin()
      await work()
      await this.commit()
    }
  }

  /** What is committed. */
  async peek(statement: string): Promise<string> {
    const [row = {}] = await this.#query<Record<string, unknown>>(statement)
    return String(Object.values(row)[0])
  }

  async #isBlocked(): Promise<boolean> {
    const [row] = await this.#query<{ blocked: boolean }>('SELECT pg_blocking_pids($1) <> $2 AS blocked', [
      backendOf(this.#client),
      [],
    ])
    return row?.blocked === true
  }
}
