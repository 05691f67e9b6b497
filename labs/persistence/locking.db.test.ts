import { expect, test } from 'vitest'
import { runSmall, testGrades } from '../harness/testing.ts'
import { locking } from './locking.ts'

test('on one row the retries grow with the square of the writers, the waits with their number', async () => {
  for (const writers of [2, 3, 6]) {
    const { variants } = await runSmall(locking, { set: { writers, changes: 1 } })
    const counted = variants.map(({ measured: { retries, waits } }) => [retries, waits])
    expect(counted).toEqual([
      [0, 0],
      [(writers * (writers - 1)) / 2, 0],
      [0, writers - 1],
    ])
  }
})

const inTransaction = (reading: string): string => `
  export default ({ transaction, id, decide }) =>
    transaction(async (sql) => {
      const [{ balance }] = await sql(\`${reading}\`, [id])
      await sql('UPDATE accounts SET balance = $1 WHERE id = $2', [await decide(balance), id])
    })`

const repeatableRead = (onRefusal: string): string => `
  const once = ({ transaction, id, decide }) =>
    transaction(async (sql) => {
      await sql('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
      const [{ balance }] = await sql('SELECT balance FROM accounts WHERE id = $1', [id])
      await sql('UPDATE accounts SET balance = $1 WHERE id = $2', [await decide(balance), id])
    })
  export default async (account) => {
    for (;;) {
      try {
        return await once(account)
      } catch (error) {
        if (error.code !== '40001') throw error
        ${onRefusal}
      }
    }
  }`

testGrades(locking, {
  'the balance itself is the version': [
    'holds',
    `export default async ({ sql, id, decide }) => {
       for (;;) {
         const [{ balance }] = await sql('SELECT balance FROM accounts WHERE id = $1', [id])
         const written = await sql('UPDATE accounts SET balance = $1 WHERE id = $2 AND balance = $3 RETURNING 1', [await decide(balance), id, balance])
         if (written.length === 1) return
         await new Promise((resolve) => setTimeout(resolve, 2))
       }
     }`,
  ],
  'the database compares: repeatable read, again when it refuses': ['holds', repeatableRead('')],
  'an advisory lock': [
    'holds',
    `export default ({ transaction, id, decide }) =>
       transaction(async (sql) => {
         await sql('SELECT pg_advisory_xact_lock($1)', [id])
         const [{ balance }] = await sql('SELECT balance FROM accounts WHERE id = $1', [id])
         await sql('UPDATE accounts SET balance = $1 WHERE id = $2', [await decide(balance), id])
       })`,
  ],
  'the reading locks': ['holds', inTransaction('SELECT balance FROM accounts WHERE id = $1 FOR NO KEY UPDATE')],
  'a transaction, and no lock': ['fails', inTransaction('SELECT balance FROM accounts WHERE id = $1')],
  'a lock that ends with its statement': [
    'fails',
    `export default async ({ sql, id, decide }) => {
       const [{ balance }] = await sql('SELECT balance FROM accounts WHERE id = $1 FOR UPDATE', [id])
       await sql('UPDATE accounts SET balance = $1 WHERE id = $2', [await decide(balance), id])
     }`,
  ],
  'everybody may read on together: FOR SHARE': [
    'fails',
    inTransaction('SELECT balance FROM accounts WHERE id = $1 FOR SHARE'),
  ],
  'optimistic, and content with having lost': ['fails', repeatableRead('return')],
  'a version that nobody looks at': [
    'fails',
    `export default async ({ sql, id, decide }) => {
       const [{ balance }] = await sql('SELECT balance, version FROM accounts WHERE id = $1', [id])
       await sql('UPDATE accounts SET balance = $1, version = version + 1 WHERE id = $2', [await decide(balance), id])
     }`,
  ],
  'changing nothing': ['fails', 'export default async () => {}'],
  'changing it twice': [
    'fails',
    `export default async ({ sql, id }) => { await sql('UPDATE accounts SET balance = balance + 2 WHERE id = $1', [id]) }`,
  ],
})
