import { openWorld, until } from '../pipeline/testing.ts'
import { taskConformance } from './conformance.ts'

taskConformance('PostgreSQL', async () => {
  const { tally, sql, close } = await openWorld('postgres')
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  return {
    queue: tally.queue,
    begin: () => tally.transactions.begin(),
    // The server's clock cannot be moved, so everything that waits for it is.
    pass: async (ms) => void (await sql(`UPDATE tally.tasks SET due_at = due_at - $1 * interval '1 ms'`, [ms])),
    blocked: async () => void (await until('somebody waits for a lock', async () => (await sql(waiting)).length > 0)),
    close,
  }
})
