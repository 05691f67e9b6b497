/**
 * The project's own database, on the embedded PostgreSQL or on the server that DATABASE_URL names. Its name is that of the platform's
 * with `_project_<n>` behind it: nothing of the platform's is ever touched. It is made when it is missing.
 */
import pg from 'pg'
import { systemTimers } from '@cauce/kit/core/clock'
import { readDurability } from '@cauce/kit/database/durability'
import { startEmbedded } from '@cauce/kit/database/embedded/server'
import { sqlState } from '@cauce/kit/database/errors'
import type { Logger } from '@cauce/kit/telemetry/logger'
import { ConfigError } from '@cauce/kit/config/config'
import type { Config } from './config.ts'

export interface OpenDatabase {
  /** The URL to connect to now: an embedded server may come back on another port. */
  url(): string
  /** For people: where it is, without a password. */
  readonly described: string
  /** Whether an answer to COMMIT means that it is on the disk. */
  readonly durable: boolean
  close(): Promise<unknown>
}

/** @throws ConfigError, EmbeddedPostgresError */
export async function openDatabase(config: Config, logger: Logger): Promise<OpenDatabase> {
  const { databaseUrl, dataDirectory } = config
  const server = databaseUrl === undefined ? await startEmbedded({ dataDirectory, logger, timers: systemTimers }) : null
  const serverUrl = () => server?.url ?? databaseUrl ?? ''
  const url = () => ownDatabase(serverUrl(), config)
  const close = async () => server?.stop()
  try {
    await createIfMissing(serverUrl(), url())
    const { ok, settings } = await withClient(url(), readDurability)
    const where = server ? `in ${server.location}` : `at ${new URL(url()).host}`
    const described = `${server ? 'embedded ' : ''}PostgreSQL ${settings.version} ${where}, database ${nameIn(url())}`
    return { url, described, durable: ok, close }
  } catch (error) {
    await close()
    throw error
  }
}

function ownDatabase(serverUrl: string, { project }: Config): string {
  const url = new URL(serverUrl)
  url.pathname = `/${nameIn(serverUrl) || 'cauce'}_project_${project}`
  return url.href
}

const nameIn = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1))

async function createIfMissing(serverUrl: string, url: string): Promise<void> {
  const name = nameIn(url)
  try {
    await withClient(url, async (client) => client.query('SELECT 1'))
  } catch (error) {
    if (sqlState(error) !== NO_SUCH_DATABASE) throw error
    await withClient(serverUrl, (client) => client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`)).catch(
      (problem: unknown) => {
        if (sqlState(problem) === THERE_IS_ONE) return
        throw new ConfigError(`The database ${name} cannot be made: ${(problem as Error).message}. Make it yourself`)
      },
    )
  }
}

const NO_SUCH_DATABASE = '3D000'
/** Another process of the project was faster. */
const THERE_IS_ONE = '42P04'

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
