/**
 * Brings schemas up to date: node-pg-migrate over `.sql` files (`-- Up Migration`, `-- Down Migration`), in the order of their
 * numbers. A schema has several sets (the kit's tables, the service's own), each with its own table of what was applied.
 *
 * 1. When every file of every set is recorded, one query says so and nothing else happens: the usual start.
 * 2. Otherwise one advisory lock per database (the library's own id) is waited for, on the one connection that then does all
 *    the work, so processes that start together apply each migration once.
 * 3. The pending migrations of a set are one transaction: all or none. Sets go one after the other; the next start goes on.
 * 4. Statements run with search_path = the schema, and wait for other people's locks for 10 s at most.
 *
 * Not through a pooler in transaction mode: the lock belongs to the session.
 */
import { readdir } from 'node:fs/promises'
import pg from 'pg'
import type { Logger } from '../telemetry/logger.ts'

export interface MigrationSet {
  /** Its record is the table `migrations_<name>` in the schema. */
  name: string
  /** Where its `.sql` files are; other files are ignored. */
  directory: string
}

export interface SchemaMigrations {
  /** Created when missing. */
  schema: string
  sets: readonly MigrationSet[]
}

/** The names of what was applied, as `schema/set/file`; empty when everything was in place. */
export type Applied = string[]

export type MigrationFault = 'unreachable' | 'too-old' | 'locked' | 'failed'

/** The database cannot be brought up to date. The message says why and what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
  readonly code: MigrationFault

  constructor(code: MigrationFault, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

const OLDEST_VERSION = 15
const CONNECT_MS = 5_000
/** How long to wait for another process that is migrating. */
const LOCK_WAIT = '60s'
const TABLE_LOCK_WAIT = '10s'
const NAME = /^[a-z][a-z0-9_]{0,40}$/

/** One schema. Throws MigrationError. */
export function migrate(options: SchemaMigrations & { url: string; logger: Logger }): Promise<Applied> {
  return migrateAll(options.url, [{ schema: options.schema, sets: options.sets }], options.logger)
}

/** Several schemas of one database, over one connection. Throws MigrationError. */
export async function migrateAll(url: string, schemas: readonly SchemaMigrations[], logger: Logger): Promise<Applied> {
  const steps = await Promise.all(schemas.flatMap(({ schema, sets }) => sets.map((set) => stepOf(schema, set))))
  const client = await connect(url)
  try {
    return (await isUpToDate(client, steps)) ? [] : await apply(client, steps, logger)
  } finally {
    await client.end().catch(() => {})
  }
}

interface Step {
  schema: string
  set: MigrationSet
  table: string
  /** File names without `.sql`. */
  files: string[]
}

async function stepOf(schema: string, set: MigrationSet): Promise<Step> {
  for (const name of [schema, set.name]) {
    if (!NAME.test(name))
      throw new RangeError(`${JSON.stringify(name)} is no name for a schema or set: use ${NAME.source}`)
  }
  const files = (await readdir(set.directory)).filter((file) => file.endsWith('.sql')).map((file) => file.slice(0, -4))
  return { schema, set, table: `migrations_${set.name}`, files }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS })
  client.on('error', () => {}) // A connection that breaks fails its query as well.
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => {})
    const message = `The database at ${client.host}:${client.port} cannot be reached: ${textOf(error)}. Is it running, and is DATABASE_URL right?`
    throw new MigrationError('unreachable', message, error)
  }
  const { rows } = await client.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  )
  try {
    requireVersion(rows[0]?.version ?? 0)
    return client
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
}

/** `version` is server_version_num: 180004 for 18.4. Throws MigrationError 'too-old'. */
export function requireVersion(version: number): void {
  const major = Math.floor(version / 10_000)
  if (major >= OLDEST_VERSION) return
  throw new MigrationError(
    'too-old',
    `The database is PostgreSQL ${major}. Cauce needs ${OLDEST_VERSION} or newer: upgrade it.`,
  )
}

async function isUpToDate(client: pg.Client, steps: readonly Step[]): Promise<boolean> {
  if (steps.length === 0) return true
  const recorded = steps.map(({ schema, table }, index) => `SELECT ${index} AS step, name FROM "${schema}"."${table}"`)
  try {
    const { rows } = await client.query<{ step: number; name: string }>(recorded.join(' UNION ALL '))
    const done = new Set(rows.map(({ step, name }) => `${step}/${name}`))
    return steps.every(({ files }, index) => files.every((file) => done.has(`${index}/${file}`)))
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined
    if (code === '42P01' || code === '3F000') return false // A table or schema that is not there yet.
    throw new MigrationError('failed', `What was migrated cannot be read: ${textOf(error)}`, error)
  }
}

async function apply(client: pg.Client, steps: readonly Step[], logger: Logger): Promise<Applied> {
  // Loaded only when there is work: it costs more than a whole start without any.
  const { PG_MIGRATE_LOCK_ID } = await import('node-pg-migrate')
  await client.query(`SET statement_timeout = 0; SET lock_timeout = '${LOCK_WAIT}'`)
  try {
    await client.query(`SELECT pg_advisory_lock(${PG_MIGRATE_LOCK_ID})`)
  } catch (error) {
    const message = `Another process has been migrating this database for ${LOCK_WAIT}. Look what it waits for (pg_stat_activity), then start again.`
    throw new MigrationError('locked', message, error)
  }
  await client.query(`SET lock_timeout = '${TABLE_LOCK_WAIT}'`)
  const applied: Applied = []
  for (const step of steps) applied.push(...(await applyStep(client, step, logger))) // The lock goes with the connection.
  return applied
}

async function applyStep(client: pg.Client, { schema, set, table }: Step, logger: Logger): Promise<Applied> {
  const { runner } = await import('node-pg-migrate')
  let current = 'its first step'
  const about = { schema, set: set.name }
  try {
    const done = await runner({
      dbClient: client,
      direction: 'up',
      dir: set.directory,
      ignorePattern: '(?!.*\\.sql$).*',
      schema,
      createSchema: true,
      migrationsTable: table,
      noLock: true,
      singleTransaction: true,
      checkOrder: true,
      logger: {
        info(message) {
          current = /### MIGRATION (\S+)/.exec(message)?.[1] ?? current
          logger.debug(about, message)
        },
        warn: (message) => logger.warn(about, message),
        error: (message) => logger.error(about, message),
      },
    })
    const names = done.map(({ name }) => `${schema}/${set.name}/${name}`)
    if (names.length > 0) logger.info({ ...about, applied: names }, 'schema migrated')
    return names
  } catch (error) {
    const message =
      `Migrating the schema ${schema} failed in ${current} of ${set.directory}: ${textOf(error)}. ` +
      'Nothing of this set was applied. Correct the cause and start again.'
    throw new MigrationError('failed', message, error)
  }
}

/** A refused connection to a name with several addresses is an AggregateError without a message of its own. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
