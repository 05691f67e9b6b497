import { testGrades } from '../harness/testing.ts'
import { duplicateMessages } from './duplicate-messages.ts'

const add = `await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, account])`
const note = (more = '') => `await sql('INSERT INTO processed VALUES ($1) ${more}', [id])`
const handle = (body: string) => `export default async ({ id, account, amount }, { sql, transaction }) => { ${body} }`
const inTransaction = (body: string) => handle(`await transaction(async (sql) => { ${body} })`)

testGrades(duplicateMessages, {
  'a look first, and the unique id for whoever comes between': [
    'holds',
    handle(`if ((await sql('SELECT FROM processed WHERE message_id = $1', [id])).length > 0) return
            await transaction(async (sql) => { ${note()}; ${add} })`),
  ],
  'the amount first, then the id, in one transaction; error 23505 is a duplicate': [
    'holds',
    handle(`try { await transaction(async (sql) => { ${add}; ${note()} }) }
            catch (error) { if (error.code !== '23505') throw error }`),
  ],
  'one statement': [
    'holds',
    handle(`await sql('WITH first AS (INSERT INTO processed VALUES ($3) ON CONFLICT DO NOTHING RETURNING 1) ' +
              'UPDATE accounts SET balance = balance + $1 WHERE id = $2 AND EXISTS (SELECT FROM first)', [amount, account, id])`),
  ],
  'a look and no unique id': [
    'fails',
    handle(`if ((await sql('SELECT FROM processed WHERE message_id = $1', [id])).length > 0) return
            await transaction(async (sql) => { ${note('ON CONFLICT DO NOTHING')}; ${add} })`),
  ],
  'the id noted in a transaction of its own': [
    'fails',
    handle(`if ((${note('ON CONFLICT DO NOTHING RETURNING 1')}).length > 0) ${add}`),
  ],
  'duplicates that nobody ever acknowledges': ['fails', inTransaction(`${note()}; ${add}`)],
  'the balance set instead of added to': [
    'fails',
    handle(`await sql('UPDATE accounts SET balance = $1 WHERE id = $2', [amount, account])`),
  ],
  'adding nothing': ['fails', handle('')],
})
