import { createPool } from '../database/pool.ts'
import { openWorld, until } from '../pipeline/testing.ts'
import { keyConformance } from './conformance.ts'
import { postgresKeyJanitor } from './postgres.ts'

keyConformance('PostgreSQL', async () => {
  const { tally, sql, url, close } = await openWorld('postgres')
  const pool = createPool({ url: url!, purpose: 'read', size: 2 })
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  return {
    janitor: postgresKeyJanitor(pool, 'tally'),
    begin: () => tally.transactions.begin(),
    blocked: async () => void (await until('somebody waits for a lock', async () => (await sql(waiting)).length > 0)),
    async close() {
      await pool.close()
      await close()
    },
  }
})
