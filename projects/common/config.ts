/**
 * A project's settings: the same names as the platform's (`.env.example`), from the environment over a `.env` file. A project keeps
 * what is its own in `<CAUCE_DATA>/project-<n>`; the development key and the embedded PostgreSQL are those of CAUCE_DATA.
 */
import { join, resolve } from 'node:path'
import { loadEnvironmentFile, settingsOf } from '@cauce/kit/config/config'
import type { Level } from '@cauce/kit/telemetry/logger'

export type ProjectNumber = 1 | 2

export interface Config {
  readonly project: ProjectNumber
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** CAUCE_DATA, absolute. */
  readonly dataDirectory: string
  /** The project's own part of it. */
  readonly directory: string
  /** Undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined
  /** Undefined: one of the project's own is started. */
  readonly sandboxUrl: string | undefined
  readonly logLevel: Level
  /** What runs in this process. */
  readonly services: readonly string[]
  /** How long the tasks of a process that died wait for another one. */
  readonly leaseMs: number
}

export interface ConfigOptions {
  readonly project: ProjectNumber
  /** What can run in a process of this project. All of it does when nothing else is said. */
  readonly services: readonly string[]
}

/** @throws ConfigError */
export function readConfig({ project, services }: ConfigOptions): Config {
  loadEnvironmentFile('.')
  const { text, integer, url, level, some } = settingsOf(process.env)
  const dataDirectory = resolve(text('CAUCE_DATA') ?? '.cauce')
  return {
    project,
    host: text('HOST') ?? '127.0.0.1',
    port: integer('PORT', 8080, 0, 65_535),
    dataDirectory,
    directory: join(dataDirectory, `project-${project}`),
    databaseUrl: url('DATABASE_URL', ['postgres:', 'postgresql:']),
    sandboxUrl: url('SANDBOX_URL', ['http:', 'https:'])?.replace(/\/$/, ''),
    logLevel: level('LOG_LEVEL'),
    services: some('CAUCE_SERVICES', services, 'service'),
    leaseMs: integer('CAUCE_LEASE_MS', 10_000, 1_000, 600_000),
  }
}
