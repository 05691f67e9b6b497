/** Reading everything as of one moment: a REPEATABLE READ transaction that only reads. */
import type { Pool } from './pool.ts'
import { query, type Statement, type Value } from './session.ts'

export type Query = <Row>(statement: Statement, values: readonly Value[]) => Promise<Row[]>

/** Runs `read` with a query function whose statements all see the same snapshot. */
export async function inSnapshot<T>(pool: Pool, read: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.acquire()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const result = await read((statement, values) => query(client, statement, values))
    await client.query('COMMIT')
    client.release()
    return result
  } catch (error) {
    // The connection may be in the middle of anything: a new one is cheaper than being wrong about it.
    client.release(true)
    throw error
  }
}
