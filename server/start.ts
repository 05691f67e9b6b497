/**
 * Starting and stopping a server. The database, the sandbox and the program itself start at the same time, then come migrations,
 * services and HTTP (serve.ts); stopping goes back. What was opened is closed when something else fails.
 */
import { seconds, systemClock, systemTimers } from '@cauce/kit/core/clock'
import { together } from '@cauce/kit/pipeline/unit-of-work'
import type { Logger } from '@cauce/kit/telemetry/logger'
import { ensureSandbox } from '@cauce/sandbox/launch'
import { closeAll, type Closers } from './closers.ts'
import type { Config } from './config.ts'
import { openDatabase, type OpenDatabase } from './database.ts'

export interface RunningServer {
  readonly url: string
  /** For people: where the database is. */
  readonly database: string
  readonly durable: boolean
  readonly sandboxUrl: string | undefined
  /** Not ready, finish what is in hand, close. */
  stop(): Promise<void>
}

/** How long a shutdown may take before the process ends anyway. */
export const STOP_WITHIN_MS = seconds(25)

export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  // The sandbox ends before the database, whichever was up first.
  const databases: Closers = []
  const sandboxes: Closers = []
  const services: Closers = []
  const stop = async () => {
    for (const opened of [services, sandboxes, databases]) await closeAll(opened, logger)
  }
  try {
    const [database, sandboxUrl, { serve }] = await together([
      databaseFor(config, logger, databases),
      sandboxFor(config, logger, sandboxes),
      import('./serve.ts'),
    ])
    const url = await serve({ config, logger, databaseUrl: database.url, sandboxUrl, opened: services })
    return { url, database: database.described, durable: database.durability.ok, sandboxUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function databaseFor(config: Config, logger: Logger, opened: Closers): Promise<OpenDatabase> {
  const database = await openDatabase(config, logger, systemTimers)
  opened.push(() => database.close())
  for (const problem of database.durability.problems)
    logger.error({ problem }, 'The database may lose acknowledged writes')
  for (const warning of database.durability.warnings) logger.warn({ warning }, 'The database could be set better')
  return database
}

/** Services that ask something of the outside world. */
const askers: ReadonlySet<string> = new Set(['orders', 'payments', 'shipping'])

async function sandboxFor(config: Config, logger: Logger, opened: Closers): Promise<string | undefined> {
  if (config.sandboxUrl !== undefined || !config.services.some((name) => askers.has(name))) return config.sandboxUrl
  const { dataDirectory } = config
  const sandbox = await ensureSandbox({ dataDirectory, timers: systemTimers, clock: systemClock, logger })
  opened.push(() => sandbox.stop())
  return sandbox.url
}
