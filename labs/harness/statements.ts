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
        await sql('COMMIT')
        client.release()
        return result
      } catch (error) {
        client.release(true)
        throw error
      }
    },
  }
}
