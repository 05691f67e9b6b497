/**
 * A project's settings: the same names as the platform's (`.env.example`), from the environment over a `.env` file. A project keeps
 * what is its own in `<CAUCE_DATA>/project-<n>`; the development key and the embedded PostgreSQL are those of CAUCE_DATA.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadEnvFile } from 'node:process'
import { parseLevel, type Level } from '@cauce/kit/telemetry/logger'

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

/** A setting that is wrong, in words for whoever set it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface ConfigOptions {
  readonly project: ProjectNumber
  /** What can run in a process of this project. All of it does when nothing else is said. */
  readonly services: readonly string[]
}

/** @throws ConfigError */
export function readConfig({ project, services }: ConfigOptions): Config {
  if (existsSync('.env')) loadEnvFile('.env')
  const set = (name: string) => process.env[name] || undefined
  const dataDirectory = resolve(set('CAUCE_DATA') ?? '.cauce')
  return {
    project,
    host: set('HOST') ?? '127.0.0.1',
    port: integer('PORT', set('PORT') ?? '8080', 0, 65_535),
    dataDirectory,
    directory: join(dataDirectory, `project-${project}`),
    databaseUrl: set('DATABASE_URL'),
    sandboxUrl: set('SANDBOX_URL')?.replace(/\/$/, ''),
    logLevel: level(set('LOG_LEVEL') ?? 'info'),
    services: chosen(services, set('CAUCE_SERVICES')),
    leaseMs: integer('CAUCE_LEASE_MS', set('CAUCE_LEASE_MS') ?? '10000', 1_000, 600_000),
  }
}

function integer(name: string, text: string, low: number, high: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= low && value <= high && text.trim() !== '') return value
  throw new ConfigError(`${name} is ${JSON.stringify(text)}; it must be a whole number from ${low} to ${high}`)
}

function level(text: string): Level {
  try {
    return parseLevel(text)
  } catch (error) {
    throw new ConfigError((error as Error).message)
  }
}

function chosen(all: readonly string[], text: string | undefined): readonly string[] {
  const wanted = text?.split(',').map((name) => name.trim()) ?? all
  const unknown = wanted.find((name) => !all.includes(name))
  if (unknown === undefined) return all.filter((name) => wanted.includes(name))
  throw new ConfigError(`There is no service ${JSON.stringify(unknown)} in this project. Choose from ${all.join(', ')}`)
}
