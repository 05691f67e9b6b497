import { testGrades } from '../harness/testing.ts'
import { consumerGroups } from './consumer-groups.ts'

const loop = (take: string, after = '') => `
  export default async ({ group, sql, apply }) => {
    for (;;) {
      await sql('BEGIN')
      ${take}
      if (message) await apply(message)
      ${after}
      await sql('COMMIT')
      if (!message) return
    }
  }`

testGrades(consumerGroups, {
  'a cursor for each group; its members wait for each other': [
    'holds',
    loop(`
      const [{ position }] = await sql('SELECT position FROM cursors WHERE consumer_group = $1 FOR UPDATE', [group])
      const [message] = await sql('SELECT * FROM messages WHERE position > $1 ORDER BY position LIMIT 1', [position])
      if (message) await sql('UPDATE cursors SET position = $2 WHERE consumer_group = $1', [group, message.position])`),
  ],
  'what a group has applied is noted message by message': [
    'holds',
    loop(`
      const [message] = await sql(\`
        SELECT * FROM messages m WHERE NOT EXISTS
          (SELECT FROM applied p WHERE p.consumer_group = $1 AND p.position = m.position)
        AND pg_try_advisory_xact_lock(hashtext($1), position) ORDER BY position LIMIT 1\`, [group])
      if (message) {
        const noted = await sql('INSERT INTO applied VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1', [group, message.position])
        if (noted.length === 0) { await sql('COMMIT'); continue }
      }`),
  ],
  'one cursor for both groups': [
    'fails',
    loop(`
      const [message] = await sql(\`
        INSERT INTO applied SELECT 'all', position FROM messages m
        WHERE NOT EXISTS (SELECT FROM applied p WHERE p.position = m.position)
        ORDER BY position LIMIT 1 ON CONFLICT DO NOTHING RETURNING position, 'order-' || position AS key\`)`),
  ],
  'every member reads everything': [
    'fails',
    `export default async ({ sql, apply }) => {
       for (const message of await sql('SELECT * FROM messages ORDER BY position')) await apply(message)
     }`,
  ],
  'the note comes before the work, in a transaction of its own': [
    'fails',
    `export default async ({ group, sql, apply }) => {
       for (const message of await sql('SELECT * FROM messages ORDER BY position')) {
         const noted = await sql('INSERT INTO applied VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1', [group, message.position])
         if (noted.length > 0) await apply(message)
       }
     }`,
  ],
  'nobody applies anything': ['fails', 'export default async () => {}'],
})
