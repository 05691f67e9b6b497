/**
 * The logger: pino, one JSON object a line. What must never reach a log is stopped twice: members with a secret's name are
 * censored by pino wherever a caller put them (three levels deep), and on the finished line anything that *looks* like a
 * secret inside a text (a password in a connection URL, a bearer token, a card token in an error's message) is masked.
 */

import { destination, pino, stdSerializers, stdTimeFunctions } from 'pino'
import type { Logger as PinoLogger } from 'pino'

export type Logger = PinoLogger

export const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type Level = (typeof levels)[number]

export interface LoggerOptions {
  /** Defaults to `info`. */
  readonly level?: Level
  /** In every line: which program, which version. */
  readonly base?: Readonly<Record<string, unknown>>
  /** Where the lines go. Defaults to standard error: standard output is for results. */
  readonly stream?: { write(line: string): unknown }
}

const secretNames = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'accessToken',
  'cardToken',
  'privateKey',
  'connectionString',
  'databaseUrl',
  'DATABASE_URL',
  'REDIS_URL',
  'NATS_URL',
]
const CENSORED = '[redacted]'

const credentialsInUrl = /([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/?#@"]*:)[^\s/?#@"]+@/gi
const jsonWebToken = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g
const cardToken = /\btok_\w+/g

/** The level a setting names, or an error that lists them. */
export function parseLevel(text: string): Level {
  const level = levels.find((known) => known === text.toLowerCase())
  if (level) return level
  throw new Error(`LOG_LEVEL is ${JSON.stringify(text)}, which is not a level. Use one of: ${levels.join(', ')}`)
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const out = options.stream ?? destination(2)
  return pino(
    {
      level: options.level ?? 'info',
      base: { ...options.base },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: withoutRows },
      redact: { paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: CENSORED },
    },
    { write: (line: string) => void out.write(maskSecrets(line)) },
  )
}

/** PostgreSQL tells in `detail` which row it refused: tokens, addresses and names are in it. */
function withoutRows(error: unknown): unknown {
  const shown: unknown = error instanceof Error ? stdSerializers.err(error) : error
  if (typeof shown !== 'object' || shown === null || !('detail' in shown)) return shown
  return { ...shown, detail: undefined }
}

/** Nothing is written. For tests and for libraries used without a server. */
export const silentLogger = (): Logger => pino({ level: 'silent' })

/** The same logger with what every further line is about. Only the members that are known are written. */
export function about(logger: Logger, context: { requestId?: string; orderId?: string; traceId?: string }): Logger {
  return logger.child(context)
}

/** The text without passwords in URLs, tokens and card tokens. */
export function maskSecrets(text: string): string {
  let masked = text
  if (masked.includes('://')) masked = masked.replace(credentialsInUrl, `$1${CENSORED}@`)
  if (masked.includes('eyJ')) masked = masked.replace(jsonWebToken, CENSORED)
  if (masked.includes('tok_')) masked = masked.replace(cardToken, CENSORED)
  return masked
}
