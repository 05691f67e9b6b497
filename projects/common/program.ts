/**
 * A project as a process, in the platform's manner: settings from the environment, logs to standard error, and one line of JSON to
 * standard output once it listens. A signal, or the end of the channel to whoever started it, stops it: what is in hand is finished.
 *
 * `<CAUCE_DATA>/project-<n>/<service>.pid` says which process runs a service, for who wants to kill it.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { ConfigError } from '@cauce/kit/config/config'
import { seconds, systemClock, systemTimers } from '@cauce/kit/core/clock'
import { EmbeddedPostgresError } from '@cauce/kit/database/embedded/errors'
import { isUnavailable } from '@cauce/kit/database/errors'
import { migrateAll, MigrationError } from '@cauce/kit/database/migrate'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { createAuthenticator } from '@cauce/kit/http/auth'
import { loadDevKey } from '@cauce/kit/http/dev-key'
import { createDrain, drainAndClose } from '@cauce/kit/http/drain'
import { createHttpServer } from '@cauce/kit/http/server'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { createLogger, type Logger } from '@cauce/kit/telemetry/logger'
import { createMetrics, type Metrics } from '@cauce/kit/telemetry/metrics'
import { ensureSandbox } from '@cauce/sandbox/launch'
import { readConfig, type Config, type ConfigOptions } from './config.ts'
import { openDatabase } from './database.ts'
import { schemas } from './tables.ts'

/** What a project builds on. */
export interface Stage {
  readonly config: Config
  readonly logger: Logger
  readonly metrics: Metrics
  readonly databaseUrl: () => string
  /** Where the card processor is. */
  readonly sandboxUrl: string
  /** For views. */
  readonly reads: Pool
  /** To add routes to. */
  readonly app: HttpServer
  /** Closed in reverse order when the process stops. */
  closing(close: () => Promise<unknown>): void
}

/** Runs until it is stopped. `serve` adds the routes and starts what works behind them. */
export async function runProject(options: ConfigOptions, serve: (stage: Stage) => Promise<void>): Promise<void> {
  const opened: (() => Promise<unknown>)[] = []
  try {
    const config = readConfig(options)
    const logger = createLogger({ level: config.logLevel, base: { version, project: config.project } })
    let stopping = false
    const begun: { start?: Promise<unknown> } = {}
    const { close } = closeWithGrace({ delay: seconds(25), logger }, async ({ err }) => {
      stopping = true
      if (err) logger.fatal({ err }, 'An error that nobody expected; stopping')
      // What is only half started is waited for, then stopped like the rest.
      await begun.start?.catch(() => undefined)
      for (const end of opened.splice(0).toReversed()) {
        await end().catch((problem: unknown) => logger.error({ err: problem }, 'While closing'))
      }
    })
    // Whoever started us closes the channel to stop us, or by dying.
    process.once('disconnect', () => {
      if (!stopping) close()
    })
    begun.start = start(config, logger, serve, opened)
    const said = await begun.start
    if (!stopping) process.stdout.write(`${JSON.stringify(said)}\n`)
  } catch (error) {
    process.stderr.write(`${explain(error as Error)}\n`)
    for (const end of opened.toReversed()) await end().catch(() => undefined)
    process.exit(error instanceof ConfigError ? 2 : 1)
  }
}

async function start(
  config: Config,
  logger: Logger,
  serve: (stage: Stage) => Promise<void>,
  opened: (() => Promise<unknown>)[],
) {
  const { directory, services } = config
  const closing = (close: () => Promise<unknown>) => void opened.push(close)
  const database = await openDatabase(config, logger)
  closing(() => database.close())
  mkdirSync(directory, { recursive: true })
  await migrateAll(database.url(), schemas, logger)
  const sandboxUrl = config.sandboxUrl ?? (await sandbox(directory, logger, closing))
  const reads = createPool({ url: database.url, purpose: 'read', size: 4 })
  closing(() => reads.close())
  const metrics = createMetrics()
  const drain = createDrain()
  const key = await loadDevKey(config.dataDirectory)
  const app = await createHttpServer({
    logger,
    metrics,
    version,
    authenticator: createAuthenticator({ keys: [key.publicJwk] }),
    checks: { database: () => reads.query({ name: 'ping', text: 'SELECT 1' }, []) },
    drain,
    isUnavailable,
  })
  await serve({ config, logger, metrics, databaseUrl: database.url, sandboxUrl, reads, app, closing })
  await app.listen({ host: config.host, port: config.port })
  closing(() => drainAndClose(app, drain))
  for (const name of services) {
    const file = join(directory, `${name}.pid`)
    writeFileSync(file, `${process.pid}\n`)
    closing(async () => withdraw(file))
  }
  const { address, family, port } = app.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  return { url, database: database.described, durable: database.durable, sandboxUrl, services }
}

async function sandbox(directory: string, logger: Logger, closing: Stage['closing']): Promise<string> {
  const world = { timers: systemTimers, clock: systemClock }
  const running = await ensureSandbox({ dataDirectory: directory, ...world, logger })
  closing(() => running.stop())
  return running.url
}

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** The id of a process that has gone may become somebody else's; the file of one that took our place stays. */
function withdraw(file: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8').trim() === String(process.pid)) rmSync(file)
}

/** What a person can act on is told in one line; the rest with its stack. */
function explain(error: Error & { code?: string }): string {
  if ([ConfigError, MigrationError, EmbeddedPostgresError].some((type) => error instanceof type)) return error.message
  if (error.code === 'EADDRINUSE') return `The port is taken: ${error.message}. Set PORT (or --port) to another one`
  if (isUnavailable(error)) return `The database cannot be reached: ${error.message}. Check DATABASE_URL`
  return error.stack ?? error.message
}
