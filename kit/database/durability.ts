/**
 * Does an answer to COMMIT mean that it is on the disk? Read at start-up and shown: everything this project promises rests on
 * it, and a server that was tuned for speed gives no other sign.
 */
import type pg from 'pg'

export interface DurabilitySettings {
  /** As the server names it: `18.4`. */
  version: string
  fsync: string
  fullPageWrites: string
  /** Of this connection: it can be set for a role or a database. */
  synchronousCommit: string
  dataChecksums: string
}

export interface Durability {
  /** No acknowledged commit can be lost by a crash of the server or its machine. */
  ok: boolean
  settings: DurabilitySettings
  /** Why it is not ok, each with what to do. */
  problems: string[]
  /** What does not endanger commits and is better changed all the same. */
  warnings: string[]
}

/** Ask on a connection that is opened like the application's. Rejects when the database cannot be asked. */
export async function readDurability(database: Pick<pg.ClientBase, 'query'>): Promise<Durability> {
  const { rows } = await database.query<DurabilitySettings>(`
    SELECT current_setting('server_version') AS version,
           current_setting('fsync') AS fsync,
           current_setting('full_page_writes') AS "fullPageWrites",
           current_setting('synchronous_commit') AS "synchronousCommit",
           current_setting('data_checksums') AS "dataChecksums"`)
  const settings = rows[0]
  if (!settings) throw new Error('The database did not answer with its settings')
  return judge(settings)
}

/** The verdict on settings already read. */
export function judge(settings: DurabilitySettings): Durability {
  const problems: string[] = []
  const warnings: string[] = []
  if (Number.parseInt(settings.version, 10) < 15) {
    problems.push(`PostgreSQL ${settings.version} is older than 15. Upgrade the server.`)
  }
  if (settings.fsync !== 'on') {
    problems.push(
      'fsync is off: a crash of the machine can destroy the whole database. ' +
        'ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();',
    )
  }
  if (settings.fullPageWrites !== 'on') {
    problems.push(
      'full_page_writes is off: a page half written in a crash cannot be repaired. ' +
        'ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();',
    )
  }
  // `local`, `remote_write` and `remote_apply` flush here as well; they differ in what they ask of standbys.
  if (settings.synchronousCommit === 'off') {
    problems.push(
      'synchronous_commit is off: commits answered shortly before a crash are lost. Set it to on, also where a role or ' +
        'database overrides it: ALTER ROLE … RESET synchronous_commit; ALTER DATABASE … RESET synchronous_commit;',
    )
  }
  if (settings.dataChecksums !== 'on') {
    warnings.push(
      'data checksums are off: a damaged page is not noticed when it is read. Stop the server and run pg_checksums --enable.',
    )
  }
  return { ok: problems.length === 0, settings, problems, warnings }
}
