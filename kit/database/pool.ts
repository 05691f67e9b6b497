/**
 * Connections by purpose: `pipeline` for the one transaction, `read` for views, `audit` for long snapshots.
 * A pool never throws at the process: a connection that dies idle is logged and replaced at the next use.
 */
import pg from 'pg'
import { DatabaseUnavailableError, isUnavailable } from './errors.ts'
import { connectionConfig, query, type Purpose, type Statement, type Value } from './session.ts'

export interface Pool {
  /** Takes a connection. Rejects with DatabaseUnavailableError when none can be had within 3 seconds. */
  acquire(): Promise<pg.PoolClient>
  /** One statement on any connection, outside a transaction. */
  query<Row>(statement: Statement, values: readonly Value[]): Promise<Row[]>
  /** Connections open, idle, and callers waiting for one. */
  usage(): { total: number; idle: number; waiting: number }
  close(): Promise<void>
}

export interface PoolOptions {
  /** A function is asked at every new connection: an embedded server may come back on another port. */
  readonly url: string | (() => string)
  readonly purpose: Purpose
  /** Most connections. */
  readonly size: number
  /** Told about connections that died while idle. */
  readonly onError?: (error: Error) => void
}

export function createPool({ url, purpose, size, onError }: PoolOptions): Pool {
  const urlNow = typeof url === 'string' ? () => url : url
  const pool = new pg.Pool({ ...connectionConfig(urlNow(), purpose), max: size, idleTimeoutMillis: 60_000 })
  Object.defineProperty(pool.options, 'connectionString', { get: urlNow })
  pool.on('error', (error) => onError?.(error))
  // A socket that dies while its client is out, or before anybody has it, says so on the client; its statements reject anyway.
  pool.on('connect', (client) => client.on('error', () => undefined))

  const acquire = async () => {
    try {
      const client = await pool.connect()
      return client
    } catch (error) {
      if (!isUnavailable(error)) throw error
      throw new DatabaseUnavailableError(`No database connection: ${(error as Error).message}`, { cause: error })
    }
  }

  return {
    acquire,
    async query<Row>(statement: Statement, values: readonly Value[]) {
      const client = await acquire()
      try {
        const rows = await query<Row>(client, statement, values)
        client.release()
        return rows
      } catch (error) {
        client.release(isUnavailable(error))
        throw error
      }
    },
    usage: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => pool.end(),
  }
}
