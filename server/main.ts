/**
 * The server process: settings from the environment, logs to standard error, and one line of JSON to standard output once it
 * listens, for whoever started it. A signal, or the end of the channel to them, stops it: what is in hand is finished first.
 */
import closeWithGrace from 'close-with-grace'
import { MigrationError } from '@cauce/kit/database/migrate'
import { EmbeddedPostgresError } from '@cauce/kit/database/embedded/errors'
import { isUnavailable } from '@cauce/kit/database/errors'
import { LaneMismatchError } from '@cauce/kit/log/port'
import { createLogger } from '@cauce/kit/telemetry/logger'
import { ConfigError, loadEnvironmentFile } from '@cauce/kit/config/config'
import { readConfig } from './config.ts'
import { startServer, STOP_WITHIN_MS, type RunningServer } from './start.ts'
import { version } from './version.ts'

try {
  loadEnvironmentFile(process.cwd())
  const config = readConfig(process.env, process.cwd())
  const logger = createLogger({ level: config.logLevel, base: { version } })
  const begun: { server?: Promise<RunningServer> } = {}
  let stopping = false
  const { close } = closeWithGrace({ delay: STOP_WITHIN_MS, logger }, async ({ err, signal }) => {
    stopping = true
    if (err) logger.fatal({ err }, 'An error that nobody expected; stopping')
    else logger.info({ signal: signal ?? 'disconnect' }, 'Stopping')
    // What is only half started is waited for, then stopped like the rest.
    await (await begun.server?.catch(() => undefined))?.stop()
  })
  // Whoever started us closes the channel to stop us, or by dying.
  process.once('disconnect', () => {
    if (!stopping) close()
  })
  begun.server = startServer(config, logger)
  const { url, database, durable, sandboxUrl = null } = await begun.server
  const { services } = config
  if (!stopping) process.stdout.write(`${JSON.stringify({ url, database, durable, sandboxUrl, services })}\n`)
} catch (error) {
  process.stderr.write(`${explain(error as Error)}\n`)
  process.exit(error instanceof ConfigError ? 2 : 1)
}

/** Errors that a person can act on are told in one line; the others with their stack. */
function explain(error: Error & { code?: string }): string {
  const known = [ConfigError, MigrationError, EmbeddedPostgresError, LaneMismatchError].some(
    (type) => error instanceof type,
  )
  if (known) return error.message
  if (error.code === 'EADDRINUSE')
    return `The port is taken: ${error.message}. Set PORT (or --port) to another one, or 0 for any`
  if (isUnavailable(error)) return `The database cannot be reached: ${error.message}. Check DATABASE_URL`
  return error.stack ?? error.message
}
