/**
 * The server's settings, from the environment over a `.env` file. The command line turns its flags into environment variables,
 * so they win. A wrong setting stops the start with what is wrong and what is possible.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadEnvFile } from 'node:process'
import { parseLevel, type Level } from '@cauce/kit/telemetry/logger'

export const serviceNames = ['orders', 'payments', 'inventory', 'shipping'] as const
export type ServiceName = (typeof serviceNames)[number]

export interface Config {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Absolute path. */
  readonly dataDirectory: string
  /** Undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined
  /** Undefined: one of our own is started. */
  readonly sandboxUrl: string | undefined
  /** What the card processor may sign its news with; none: one of our own, which the sandbox is told. */
  readonly webhookSecrets: readonly string[]
  /** Undefined: the sandbox's inbox. */
  readonly smtpUrl: string | undefined
  /** Sender of the mails. */
  readonly mailFrom: string
  /** Where customers without a mail address get theirs. */
  readonly mailDomain: string
  readonly logLevel: Level
  readonly services: readonly ServiceName[]
  readonly lanes: number
  /** How long the tasks of a process that died wait for another one. */
  readonly leaseMs: number
  /** Whether operators may run labs here. */
  readonly labs: boolean
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Adds the `.env` file of a directory to the environment, without overriding what is set. */
export function loadEnvironmentFile(directory: string): void {
  const path = resolve(directory, '.env')
  if (existsSync(path)) loadEnvFile(path)
}

export function readConfig(env: NodeJS.ProcessEnv, directory: string): Config {
  const set = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name])
  return {
    host: set('HOST') ?? '127.0.0.1',
    port: integer('PORT', set('PORT') ?? '8080', 0, 65_535),
    dataDirectory: resolve(directory, set('CAUCE_DATA') ?? '.cauce'),
    databaseUrl: url('DATABASE_URL', set('DATABASE_URL'), ['postgres:', 'postgresql:']),
    sandboxUrl: url('SANDBOX_URL', set('SANDBOX_URL'), ['http:', 'https:'])?.replace(/\/$/, ''),
    webhookSecrets: (set('WEBHOOK_SECRETS') ?? '').split(',').filter((secret) => secret !== ''),
    smtpUrl: url('SMTP_URL', set('SMTP_URL'), ['smtp:', 'smtps:']),
    mailFrom: set('MAIL_FROM') ?? 'Cauce <orders@cauce.example>',
    mailDomain: set('MAIL_DOMAIN') ?? 'customers.cauce.example',
    logLevel: level(set('LOG_LEVEL') ?? 'info'),
    services: services(set('CAUCE_SERVICES')),
    lanes: integer('CAUCE_LANES', set('CAUCE_LANES') ?? '16', 1, 1024),
    leaseMs: integer('CAUCE_LEASE_MS', set('CAUCE_LEASE_MS') ?? '10000', 1_000, 600_000),
    labs: onOff('CAUCE_LABS', set('CAUCE_LABS') ?? (set('NODE_ENV') === 'production' ? 'off' : 'on')),
  }
}

function integer(name: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= low && value <= high && text.trim() !== '') return value
  throw new ConfigError(`${name} is ${JSON.stringify(text)}; it must be a whole number from ${low} to ${high}`)
}

function onOff(name: string, text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on'
  throw new ConfigError(`${name} is ${JSON.stringify(text)}; it must be on or off`)
}

function url(name: string, text: string | undefined, protocols: readonly string[]): string | undefined {
  if (text === undefined) return undefined
  const parsed = URL.parse?.(text) ?? tryUrl(text)
  if (parsed && protocols.includes(parsed.protocol)) return text
  // The value may hold a password: it is not repeated.
  throw new ConfigError(
    `${name} is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  )
}

function tryUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

function level(text: string): Level {
  try {
    return parseLevel(text)
  } catch (error) {
    throw new ConfigError((error as Error).message)
  }
}

function services(text: string | undefined): readonly ServiceName[] {
  if (text === undefined) return serviceNames
  const wanted = text.split(',').map((name) => name.trim())
  const unknown = wanted.find((name) => !serviceNames.some((known) => known === name))
  if (unknown !== undefined) {
    throw new ConfigError(`There is no service ${JSON.stringify(unknown)}. Choose from ${serviceNames.join(', ')}`)
  }
  return serviceNames.filter((name) => wanted.includes(name))
}
