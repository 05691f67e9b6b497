/**
 * The server's settings, from the environment over a `.env` file. The command line turns its flags into environment variables,
 * so they win. A wrong setting stops the start with what is wrong and what is possible.
 */
import { resolve } from 'node:path'
import { settingsOf } from '@cauce/kit/config/config'
import type { Level } from '@cauce/kit/telemetry/logger'

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

/** @throws ConfigError */
export function readConfig(env: NodeJS.ProcessEnv, directory: string): Config {
  const { text, integer, url, onOff, level, some } = settingsOf(env)
  return {
    host: text('HOST') ?? '127.0.0.1',
    port: integer('PORT', 8080, 0, 65_535),
    dataDirectory: resolve(directory, text('CAUCE_DATA') ?? '.cauce'),
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    sandboxUrl: url('SANDBOX_URL', ['http:', 'https:'])?.replace(/\/$/, ''),
    webhookSecrets: (text('WEBHOOK_SECRETS') ?? '').split(',').filter((secret) => secret !== ''),
    smtpUrl: url('SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: text('MAIL_FROM') ?? 'Cauce <orders@cauce.example>',
    mailDomain: text('MAIL_DOMAIN') ?? 'customers.cauce.example',
    logLevel: level('LOG_LEVEL'),
    services: some('CAUCE_SERVICES', serviceNames, 'service'),
    lanes: integer('CAUCE_LANES', 16, 1, 1024),
    leaseMs: integer('CAUCE_LEASE_MS', 10_000, 1_000, 600_000),
    labs: onOff('CAUCE_LABS', text('NODE_ENV') !== 'production'),
  }
}
