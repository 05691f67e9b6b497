/**
 * The server process: settings from the environment, logs to standard error, and one line of JSON to standard output once it
 * listens, for whoever started it.
 */
import closeWithGrace from 'close-with-grace'
import { MigrationError } from '@cauce/kit/database/migrate'
import { EmbeddedPostgresError } from '@cauce/kit/database/embedded/errors'
import { isUnavailable } from '@cauce/kit/database/errors'
import { LaneMismatchError } from '@cauce/kit/log/port'
import { createLogger } from '@cauce/kit/telemetry/logger'
import { ConfigError, loadEnvironmentFile, readConfig } from './config.ts'
import { startServer, STOP_WITHIN_MS } from './start.ts'
import { version } from './version.ts'

try {
  loadEnvironmentFile(process.cwd())
  const config = readConfig(process.env, process.cwd())
  const logger = createLogger({ level: config.logLevel, base: { version } })
  const server = await startServer({ config, logger })
  closeWithGrace({ delay: STOP_WITHIN_MS, logger }, async ({ err, signal }) => {
    if (err) logger.fatal({ err }, 'An error that nobody expected; stopping')
    else logger.info({ signal }, 'Stopping')
    await server.stop()
  })
  const { url, database, durable, sandboxUrl = null } = server
  process.stdout.write(`${JSON.stringify({ url, database, durable, sandboxUrl, services: config.services })}\n`)
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
