/** PostgreSQL as a variant sees it: a statement on any connection, or several on one between BEGIN and COMMIT. */
import type pg from 'pg'
import type { LabDatabase } from './database.ts'
import type { Party } from './lockstep.ts'
import { assertCommitted, type Sql, type Statements } from './statements.ts'

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

export interface Watching {
  /** Around every statement of the variant; BEGIN, COMMIT and ROLLBACK are not its own. */
  around<T>(statement: Statement, run: () => Promise<T>): Promise<T>
  /** After each COMMIT. */
  committed?(): Promise<void>
  /** After each transaction, however it ended. */
  closed?(): void
}

/** What a party of a lockstep works with. */
export function accessOf(pool: pg.Pool, party: Party, watching: Watching): Statements {
  const on =
    (client: pg.PoolClient): Sql =>
    async <Row extends object>(text: string, values: readonly unknown[] = []) => {
      const run = () => party.busy(() => client.query(text, [...values]))
      return (await watching.around({ text, values }, run)).rows as Row[]
    }
  const take = async () => {
    const client = await party.busy(() => pool.connect())
    party.pid = backendOf(client)
    return client
  }
  return {
    async sql<Row extends object>(text: string, values: readonly unknown[] = []) {
      const run = async () => {
        const client = await take()
        try {
          return await party.busy(() => client.query(text, [...values]))
        } finally {
          party.pid = undefined
          client.release()
        }
      }
      return (await watching.around({ text, values }, run)).rows as Row[]
    },
    async transaction(work) {
      const client = await take()
      let broken = false
      try {
        await party.busy(() => client.query('BEGIN'))
        const result = await work(on(client))
        assertCommitted(await party.busy(() => client.query('COMMIT')))
        if (watching.committed) await party.busy(watching.committed)
        return result
      } catch (error) {
        await party.busy(() => client.query('ROLLBACK')).catch(() => (broken = true))
        throw error
      } finally {
        party.pid = undefined
        client.release(broken)
        watching.closed?.()
      }
    },
  }
}

/** The process of the server that serves this connection. */
export const backendOf = (client: pg.ClientBase): number => (client as unknown as { processID: number }).processID

/** Lets sessions look for a deadlock after `ms` instead of a second: those on connections that are opened from now on. */
export async function lookForDeadlocksAfter(ms: number, query: LabDatabase['query']): Promise<void> {
  await query(`DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = %L', current_database(), '${ms}ms');
  END $$`)
}
