/** Statements of a learner's own, with something of the lab's around each of them: a kill before it, a meeting after it. */
import type pg from 'pg'
import type { Step } from './steps.ts'

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

export interface Statements {
  /** One statement, on any connection. */
  readonly sql: Sql
  /** Several on one connection, between BEGIN and COMMIT. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/** After a failed statement that nobody minded, COMMIT is answered with ROLLBACK. */
export function assertCommitted({ command }: { readonly command: string }): void {
  if (command !== 'COMMIT') throw new Error(`COMMIT was answered with ${command}: a statement before it had failed`)
}

export function statementsOn(pool: pg.Pool, step: Step): Statements {
  const on =
    (client: pg.Pool | pg.PoolClient): Sql =>
    <Row extends object>(statement: string, values: readonly unknown[] = []) =>
      step(statement, async () => (await client.query<Row>(statement, [...values])).rows)
  return {
    sql: on(pool),
    async transaction(work) {
      const client = await pool.connect()
      const sql = on(client)
      try {
        await sql('BEGIN')
        const result = await work(sql)
        await step('COMMIT', async () => assertCommitted(await client.query('COMMIT')))
        client.release()
        return result
      } catch (error) {
        client.release(true)
        throw error
      }
    },
  }
}
