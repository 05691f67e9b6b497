import { testGrades } from '../harness/testing.ts'
import { exactlyOnce } from './exactly-once.ts'

const credit = `await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, account])`
const note = `await sql('INSERT INTO processed VALUES ($1) ON CONFLICT DO NOTHING RETURNING id', [id])`
const ack = `await sql('DELETE FROM inbox WHERE id = $1', [id])`
const begin = `await sql('BEGIN')`
const commit = `await sql('COMMIT')`
const handle = (body: string) => `export default async ({ id, account, amount }, { sql, send }) => { ${body} }`

const outbox = (send: string) => `
  const handle = async ({ id, account, amount }, { sql, send }) => {
    ${begin}
    ${credit}
    await sql('INSERT INTO outbox VALUES ($1, $2)', [id, 'receipt for ' + account])
    ${ack}
    ${commit}
    await empty(sql, send, await sql('SELECT id, text FROM outbox WHERE id = $1', [id]))
  }
  const empty = async (sql, send, rows) => {
    for (const { id, text } of rows) {
      ${send}
      await sql('DELETE FROM outbox WHERE id = $1', [id])
    }
  }
  export default Object.assign(handle, {
    start: async ({ sql, send }) => empty(sql, send, await sql('SELECT id, text FROM outbox')),
  })`

testGrades(exactlyOnce, {
  'an outbox, emptied by whoever takes over': ['holds', outbox('await send(text, id)')],
  'an outbox, and mails without a key': ['fails', outbox('await send(text)')],
  'one at a time, under a lock on the table': [
    'holds',
    handle(`${begin}
            await sql('LOCK TABLE processed IN EXCLUSIVE MODE')
            if ((${note}).length > 0) ${credit}
            ${commit}
            await send('receipt for ' + account, 'receipt ' + id)
            ${ack}`),
  ],
  'the note in a transaction of its own, before the credit': [
    'fails',
    handle(`if ((${note}).length > 0) ${credit}; await send('receipt for ' + account, id); ${ack}`),
  ],
  'a key that is drawn at each delivery': [
    'fails',
    handle(`${begin}; if ((${note}).length > 0) ${credit}; ${commit}
            await send('receipt for ' + account, String(Math.random())); ${ack}`),
  ],
  'never acknowledging': [
    'fails',
    handle(`${begin}; if ((${note}).length > 0) ${credit}; ${commit}; await send('receipt for ' + account, id)`),
  ],
  'only acknowledging': ['fails', handle(ack)],
})
