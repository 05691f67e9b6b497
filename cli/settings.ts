/**
 * The settings a command needs: flags over environment over the `.env` file of the working directory, as the server reads them.
 * An empty value is one that is not set.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { usageError } from './exit.ts'
import type { Translate } from './texts.ts'

export interface SettingFlags {
  readonly url?: string | undefined
  readonly data?: string | undefined
}

export interface Settings {
  /** What the command line talks to, without a slash at its end. */
  readonly url: string
  /** True when the URL is the one that is used when nothing is set. */
  readonly urlIsDefault: boolean
  /** Absolute path. */
  readonly dataDirectory: string
  readonly dataIsDefault: boolean
  readonly host: string
  /** As set: the server says what is wrong with it. */
  readonly port: string
  readonly databaseUrl: string | undefined
  readonly sandboxUrl: string | undefined
}

const defaults = { host: '127.0.0.1', port: '8080', data: '.cauce' } as const

/** The environment over the `.env` file of the directory. */
export function readEnvironment(env: NodeJS.ProcessEnv, directory: string): NodeJS.ProcessEnv {
  const path = resolve(directory, '.env')
  return existsSync(path) ? { ...parseEnv(readFileSync(path, 'utf8')), ...env } : env
}

/** @throws CliError (usage) when a URL is none. */
export function readSettings(flags: SettingFlags, env: NodeJS.ProcessEnv, directory: string, t: Translate): Settings {
  const merged = readEnvironment(env, directory)
  const set = (name: string) => merged[name] || undefined
  const host = set('HOST') ?? defaults.host
  const port = set('PORT') ?? defaults.port
  const data = flags.data ?? set('CAUCE_DATA') ?? defaults.data
  const url = flags.url ?? set('CAUCE_URL')
  const ownUrl = urlOf(host, port)
  return {
    url: url === undefined ? ownUrl : checkedUrl(url, t),
    urlIsDefault: (url ?? ownUrl) === urlOf(defaults.host, defaults.port),
    dataDirectory: resolve(directory, data),
    dataIsDefault: resolve(directory, data) === resolve(directory, defaults.data),
    host,
    port,
    databaseUrl: set('DATABASE_URL'),
    sandboxUrl: set('SANDBOX_URL')?.replace(/\/$/, ''),
  }
}

/** Where a server that listens on `host` is reached from here: "every address" is not one to talk to. */
export function urlOf(host: string, port: string): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** The same for the URL that a server says it listens on. */
export function reachableUrl(url: string): string {
  const { hostname, port } = new URL(url)
  return urlOf(hostname.replaceAll(/[[\]]/g, ''), port || '80')
}

function checkedUrl(text: string, t: Translate): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '')
  throw usageError(t('usage.invalidValue', { name: '--url (CAUCE_URL)', value: text, why: t('value.url') }))
}
