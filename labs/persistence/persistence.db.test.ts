import { testGrades, testPhase } from '../harness/testing.ts'
import { transfer } from './transfer.ts'

testPhase(2)

testGrades(transfer, {
  'credit first, between BEGIN and COMMIT': [
    'holds',
    `export default async ({ sql, from, to, amount }) => {
       await sql('BEGIN')
       await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
       await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
       await sql('COMMIT')
     }`,
  ],
  'credit first, without': [
    'fails',
    `export default async ({ sql, from, to, amount }) => {
       await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
       await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
     }`,
  ],
  'a BEGIN without its COMMIT': [
    'fails',
    `export default async ({ sql, from, to, amount }) => {
       await sql('BEGIN')
       await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, to])
       await sql('UPDATE accounts SET balance = balance - $1 WHERE id = $2', [amount, from])
     }`,
  ],
  'moving nothing': ['fails', 'export default async () => {}'],
})
