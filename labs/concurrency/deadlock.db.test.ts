import { testGrades } from '../harness/testing.ts'
import { deadlock } from './deadlock.ts'

const transfer = (statements: string): string => `
  export default ({ transaction, from, to, amount }) =>
    transaction(async (sql) => {
      ${statements}
      await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
      await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
    })`

testGrades(deadlock, {
  'the greater id first is an order too': [
    'holds',
    transfer(
      `for (const id of [from, to].sort().reverse()) await sql('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE', [id])`,
    ),
  ],
  'one lock for all transfers': ['holds', transfer(`await sql('SELECT pg_advisory_xact_lock(1)')`)],
  'the whole table': ['holds', transfer(`await sql('LOCK TABLE accounts IN EXCLUSIVE MODE')`)],
  'one after the other, in this process': [
    'holds',
    `import { Mutex } from 'async-mutex'
     const mutex = new Mutex()
     const one = async ({ transaction, from, to, amount }) =>
       transaction(async (sql) => {
         await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
         await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
       })
     export default (bank) => mutex.runExclusive(() => one(bank))`,
  ],
  'no waiting: whoever does not get a lock lets go and starts again a little later': [
    'holds',
    `export default async ({ transaction, from, to, amount }) => {
       for (let attempt = 0; ; attempt++) {
         try {
           return await transaction(async (sql) => {
             for (const id of [from, to]) await sql('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE NOWAIT', [id])
             await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
             await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
           })
         } catch (error) {
           if (error.code !== '55P03') throw error
           await new Promise((resolve) => setTimeout(resolve, (from < to ? 3 : 17) * (attempt + 1)))
         }
       }
     }`,
  ],
  'locking before, in the same opposite orders': [
    'fails',
    transfer(`for (const id of [from, to]) await sql('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE', [id])`),
  ],
  'no waiting, and giving up': [
    'fails',
    transfer(`for (const id of [from, to]) await sql('SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE NOWAIT', [id])`),
  ],
  'not minding the error': [
    'fails',
    `const naive = ({ transaction, from, to, amount }) =>
       transaction(async (sql) => {
         await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
         await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
       })
     export default (bank) => naive(bank).catch(() => undefined)`,
  ],
  'a transaction for each of the two accounts': [
    'fails',
    `export default async ({ transaction, from, to, amount }) => {
       await transaction((sql) => sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from]))
       await transaction((sql) => sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to]))
     }`,
  ],
  'moving nothing': ['fails', 'export default async () => {}'],
})
