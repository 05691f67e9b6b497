import { testGrades } from '../harness/testing.ts'
import { ordering } from './ordering.ts'

const loop = (take: string, failed = `UPDATE messages SET state = 'parked' WHERE position = $1`) => `
  export default async ({ sql, apply }) => {
    for (;;) {
      await sql('BEGIN')
      const [message] = await sql(\`${take}\`)
      if (message) {
        try {
          await apply(message)
          await sql("UPDATE messages SET state = 'done' WHERE position = $1", [message.position])
        } catch {
          await sql(\`${failed}\`, [message.position])
        }
      }
      await sql('COMMIT')
      if (!message) return
    }
  }`

const oldest = `SELECT position, key, number FROM messages m WHERE state = 'waiting'`
const notBehind = (states: string) =>
  `NOT EXISTS (SELECT FROM messages e WHERE e.key = m.key AND e.position < m.position AND e.state ${states})`

testGrades(ordering, {
  'only what has nothing unfinished of its key before it': [
    'holds',
    loop(`${oldest} AND ${notBehind(`<> 'done'`)} ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED`),
  ],
  'one consumer waits for the lock of the other, and parks the key': [
    'holds',
    loop(
      `SELECT position, key, number, pg_advisory_xact_lock(7) FROM (SELECT pg_advisory_xact_lock(7)) l,
       LATERAL (${oldest} AND ${notBehind(`= 'parked'`)} ORDER BY position LIMIT 1) t`,
    ).replace("await sql('BEGIN')", "await sql('BEGIN'); await sql('SELECT pg_advisory_xact_lock(7)')"),
  ],
  'what is locked is not skipped, but what is parked is': [
    'fails',
    loop(`${oldest} ORDER BY position LIMIT 1 FOR UPDATE`),
  ],
  'a parked message does not keep those behind it': [
    'fails',
    loop(`${oldest} AND ${notBehind(`= 'waiting'`)} ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED`),
  ],
  'sorted by key': ['fails', loop(`${oldest} ORDER BY key, position LIMIT 1 FOR UPDATE SKIP LOCKED`)],
  'what cannot be applied counts as done': [
    'fails',
    loop(
      `${oldest} AND ${notBehind(`<> 'done'`)} ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED`,
      `UPDATE messages SET state = 'done' WHERE position = $1`,
    ),
  ],
  'nothing is applied': ['fails', 'export default async () => {}'],
})
