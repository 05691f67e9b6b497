/** The process that makes pairs of writes that belong together, and is killed where the lab says. */
import pg from 'pg'
import { child } from '../harness/child.ts'
import type { PairsInput } from './acid-atomicity.ts'

await child<PairsInput>(async ({ url, pairs, transaction }, { at }) => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const pair of pairs) {
    if (transaction) await client.query('BEGIN')
    await client.query('UPDATE accounts SET balance = balance - 30 WHERE pair = $1 AND owner = $2', [pair, 'ana'])
    await at('between the two writes')
    await client.query('UPDATE accounts SET balance = balance + 30 WHERE pair = $1 AND owner = $2', [pair, 'ben'])
    if (transaction) await at('before COMMIT')
    if (transaction) await client.query('COMMIT')
  }
  await client.end()
})
