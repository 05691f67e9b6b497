/** Makes the kit's tables in a lab's database. Processes that only use them do not load this: it would double their start. */
import { fileURLToPath } from 'node:url'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import { migrate } from '@cauce/kit/database/migrate'
import { createPool } from '@cauce/kit/database/pool'
import { ensureLanes } from '@cauce/kit/log/postgres'
import { silentLogger } from '@cauce/kit/telemetry/logger'
import { LANES } from './log.ts'

const kit = { name: 'kit', directory: fileURLToPath(new URL('../../kit/database/migrations', import.meta.url)) }

/** A schema with a log, and perhaps a group that reads one: of its own service or of another, whose schema is there. */
export async function prepareSchema(
  url: string,
  schema: string,
  reads?: { readonly group: string; readonly source: string },
): Promise<void> {
  await migrate({ url, schema, sets: [kit], logger: silentLogger() })
  const pool = createPool({ url, purpose: 'read', size: 1 })
  try {
    await ensureLanes(pool, schema, LANES)
    if (reads) await postgresGroups(pool, schema).ensure(reads.group, [reads.source], LANES)
  } finally {
    await pool.close()
  }
}
