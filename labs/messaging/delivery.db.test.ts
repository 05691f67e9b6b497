import { vi } from 'vitest'
import { testGrades } from '../harness/testing.ts'
import { delivery } from './delivery.ts'

// A lab starts up to twenty processes, which takes its time where others want the processor as well.
vi.setConfig({ testTimeout: 60_000 })

const credit = `UPDATE accounts SET balance = balance + $1 WHERE id = 'ana'`

testGrades(delivery, {
  'one statement notes and applies': [
    'holds',
    `export default async ({ id, amount }, { sql, ack }) => {
       await sql(\`WITH first AS (INSERT INTO processed VALUES ($2) ON CONFLICT DO NOTHING RETURNING 1)
         UPDATE accounts SET balance = balance + $1 FROM first WHERE id = 'ana'\`, [amount, id])
       await ack()
     }`,
  ],
  'looking first, then applying and noting in a transaction, with one worker': [
    'holds',
    `export default async ({ id, amount }, { sql, transaction, ack }) => {
       const seen = await sql('SELECT FROM processed WHERE message_id = $1', [id])
       if (seen.length === 0)
         await transaction(async (sql) => {
           await sql("${credit}", [amount])
           await sql('INSERT INTO processed VALUES ($1)', [id])
         })
       await ack()
     }`,
  ],
  'the note before the effect, each by itself': [
    'fails',
    `export default async ({ id, amount }, { sql, ack }) => {
       const first = await sql('INSERT INTO processed VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1', [id])
       if (first.length > 0) await sql("${credit}", [amount])
       await ack()
     }`,
  ],
  'the note in the memory of the worker': [
    'fails',
    `const seen = new Set()
     export default async ({ id, amount }, { sql, ack }) => {
       if (!seen.has(id)) await sql("${credit}", [amount])
       seen.add(id)
       await ack()
     }`,
  ],
  'never acknowledging': ['fails', 'export default async () => {}'],
})
