import { testGrades, testPhase } from '../harness/testing.ts'
import { stockCounter } from './stock-counter.ts'

testPhase(1)

testGrades(stockCounter, {
  'a lock that PostgreSQL holds': [
    'holds',
    `export default ({ transaction }) =>
       transaction(async (sql) => {
         await sql('LOCK TABLE stock IN EXCLUSIVE MODE')
         const [{ left }] = await sql('SELECT "left" FROM stock')
         if (left === 0) return false
         await sql('UPDATE stock SET "left" = $1', [left - 1])
         return true
       })`,
  ],
  'a mutex from a package': [
    'holds',
    `import { Mutex } from 'async-mutex'
     const mutex = new Mutex()
     export default ({ sql }: { sql: Function }) =>
       mutex.runExclusive(async () => (await sql('UPDATE stock SET "left" = "left" - 1 WHERE "left" > 0 RETURNING 1')).length > 0)`,
  ],
  'a transaction alone is not enough at read committed': [
    'fails',
    `export default ({ transaction }) =>
       transaction(async (sql) => {
         const [{ left }] = await sql('SELECT "left" FROM stock')
         if (left === 0) return false
         await sql('UPDATE stock SET "left" = $1', [left - 1])
         return true
       })`,
  ],
  'selling nothing': ['fails', 'export default async () => false'],
  'it throws': ['fails', `export default async () => { throw new Error('no') }`],
})
