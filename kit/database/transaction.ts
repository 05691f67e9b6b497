/**
 * One PostgreSQL transaction over a pipelined connection.
 *
 * T1 Nothing is written before BEGIN is confirmed: a statement behind a failed BEGIN would commit on its own. Reads and row
 *    locks may travel with BEGIN, they leave nothing behind.
 * T2 Committed means the tag is COMMIT and no warning came with it: a COMMIT behind a failed statement resolves happily
 *    with the tag ROLLBACK, and a COMMIT outside a transaction, or one that no standby has, with a mere warning. They
 *    are known by their class (25, 57): the word for a warning is translated, and triggers may give warnings of their own.
 * T3 When the answer to COMMIT is lost the outcome is unknown (CommitUnknownError) and the caller runs again from its claim.
 * T4 No cancel requests: a transaction that outlives its limit loses its connection, and the server rolls it back.
 */
import type pg from 'pg'
import type { Timers } from '../core/clock.ts'
import { CommitUnknownError, DatabaseUnavailableError, NotCommittedError, sqlState } from './errors.ts'
import type { Pool } from './pool.ts'
import { query, send, type Statement, type Value } from './session.ts'

const BEGIN: Statement = { name: 'begin', text: 'BEGIN' }
const COMMIT: Statement = { name: 'commit', text: 'COMMIT' }
const NOW: Statement = { name: 'now', text: 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::int8 AS now' }

/** Longer than any server-side timeout of a pipeline session: this one is for a network that swallows everything. */
const LIMIT_MS = 15_000

export class PostgresTransaction {
  /** The database's clock in milliseconds, once BEGIN is confirmed. */
  readonly begun: Promise<number>
  readonly #client: pg.PoolClient
  readonly #stopLimit: () => void
  #open = false
  #released = false

  constructor(client: pg.PoolClient, timers: Timers) {
    this.#client = client
    this.#stopLimit = timers.after(LIMIT_MS, () =>
      this.#release(new DatabaseUnavailableError('Transaction time limit')),
    )
    this.begun = Promise.all([query(client, BEGIN, []), query<{ now: number }>(client, NOW, [])]).then(([, [row]]) => {
      this.#open = true
      return row!.now
    })
    // Awaited by whoever uses the transaction; without this a rejection before that would end the process.
    this.begun.catch(() => undefined)
  }

  /** A read or a row lock. May be sent before BEGIN is confirmed. */
  read<Row>(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    return query<Row>(this.#client, statement, values)
  }

  /** A write. Refused until BEGIN is confirmed (T1). */
  write<Row>(statement: Statement, values: readonly Value[]): Promise<Row[]> {
    if (!this.#open) throw new Error(`${statement.name}: a write before BEGIN was confirmed`)
    return query<Row>(this.#client, statement, values)
  }

  async commit(): Promise<void> {
    let warning: string | undefined
    const onNotice = ({ code = '', message }: { code?: string | undefined; message?: string | undefined }) => {
      if (/^(25|57)/.test(code)) warning = `${code} ${message}`
    }
    this.#client.on('notice', onNotice)
    try {
      const { command } = await send(this.#client, COMMIT, [])
      if (command !== 'COMMIT' || warning !== undefined) {
        throw new NotCommittedError(`COMMIT was answered with ${command}${warning ? ` and “${warning}”` : ''}`)
      }
      this.#release()
    } catch (error) {
      // The server refused (a deferred constraint, say): it has answered, nothing is in doubt. Anything else is doubt.
      if (error instanceof NotCommittedError || isAnswer(error)) throw error
      throw new CommitUnknownError('The connection was lost while COMMIT was in flight', { cause: error })
    } finally {
      this.#client.removeListener('notice', onNotice)
    }
  }

  /** Ends a transaction that will not commit. Never throws: a connection that cannot roll back is closed. */
  async rollback(): Promise<void> {
    if (this.#released) return
    try {
      await this.#client.query('ROLLBACK')
      this.#release()
    } catch (error) {
      this.#release(error as Error)
    }
  }

  #release(error?: Error): void {
    if (this.#released) return
    this.#released = true
    this.#stopLimit()
    // Ending it politely would wait for the answers to everything that was sent.
    if (error) streamOf(this.#client).destroy()
    this.#client.release(error ?? false)
  }
}

const streamOf = (client: pg.ClientBase): { destroy(): void } =>
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream

/** The server itself answered with an error and lives on: classes other than a lost or ended connection. */
function isAnswer(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && !state.startsWith('08') && !state.startsWith('57')
}

export async function beginTransaction(pool: Pool, timers: Timers): Promise<PostgresTransaction> {
  return new PostgresTransaction(await pool.acquire(), timers)
}
