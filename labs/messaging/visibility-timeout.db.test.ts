import { vi } from 'vitest'
import { testGrades } from '../harness/testing.ts'
import { visibilityTimeout } from './visibility-timeout.ts'

// A lab starts up to twenty processes, which takes its time where others want the processor as well.
vi.setConfig({ testTimeout: 60_000 })

/** A worker over SQL that leaves out what is asked for. */
function worker({ heartbeat = true, token = true }): string {
  const extend = `UPDATE tasks SET due_at = clock_timestamp() + $3 * interval '1 millisecond'
                  WHERE id = $1 AND token = $2 AND state = 'open'`
  const current = token ? "token = $2 AND state = 'open'" : '$2::bigint IS NOT NULL'
  return `
    export default async ({ sql, transaction, work, pause, every, signal, leaseMs }) => {
      while (!signal.aborted) {
        const [message] = await sql(
          \`UPDATE tasks SET token = token + 1, due_at = clock_timestamp() + $1 * interval '1 millisecond' WHERE id = (
             SELECT id FROM tasks WHERE state = 'open' AND due_at <= clock_timestamp() LIMIT 1 FOR UPDATE SKIP LOCKED
           ) RETURNING id, token\`, [leaseMs])
        if (!message) { await pause(); continue }
        const { id, token } = message
        const stop = every(leaseMs / 4, async () => { ${heartbeat ? `await sql(\`${extend}\`, [id, token, leaseMs])` : ''} })
        const result = await work(id)
        stop()
        await transaction(async (sql) => {
          const mine = await sql(\`UPDATE tasks SET state = 'done' WHERE id = $1 AND ${current} RETURNING 1\`, [id, token])
          if (mine.length > 0)
            await sql('INSERT INTO results VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET result = excluded.result', [id, result])
        })
      }
    }`
}

testGrades(visibilityTimeout, {
  'a lease, a heartbeat and a token in plain SQL': ['holds', worker({})],
  'no heartbeat': ['fails', worker({ heartbeat: false })],
  'no token': ['fails', worker({ token: false })],
  'taking nothing': ['fails', 'export default async () => {}'],
})
