/**
 * Makes an empty cluster. initdb works in a directory aside, which is renamed into place when it is complete and flushed, so
 * `data` is there whole or not at all; what a killed initdb left is removed by the next. Call it while holding the start lock.
 */
import { appendFileSync, chownSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Timers } from '../../core/clock.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { EmbeddedPostgresError } from './errors.ts'
import { flushDirectory, readIfThere } from './files.ts'
import type { Place } from './place.ts'
import { run } from './processes.ts'
import { SETTINGS_FILE } from './settings.ts'

/** The superuser of every cluster of ours, and the database that it starts with. */
export const SUPERUSER = 'cauce'
export const DATABASE = 'cauce'

export interface Making {
  place: Place
  account: Account
  binaries: Binaries
  timers: Timers
  password: string
  /** False leaves flushing out: for throw-away clusters. Defaults to true. */
  durable?: boolean
}

export const isInitialised = (place: Place): boolean => existsSync(place.data)

/** Throws EmbeddedPostgresError 'start' with initdb's output. */
export async function initialise(making: Making): Promise<void> {
  const { place, account, binaries, timers, password } = making
  removeLeftovers(place)
  const aside = join(place.root, `init-${process.pid}`)
  const passwordFile = `${aside}.secret`
  writeFileSync(passwordFile, password, { mode: 0o600, flag: 'wx' })
  if (account.switched) chownSync(passwordFile, account.uid, account.gid)
  try {
    const { code, output } = await run(join(binaries.directory, 'initdb'), argumentsFor(making, passwordFile), {
      account,
      timers,
      limitMs: 120_000,
      environment: { PGDATA: aside },
    })
    if (code !== 0) {
      const message = `A new embedded database could not be made in ${place.root}: initdb failed. Is the disk full?`
      throw new EmbeddedPostgresError('start', message, { output })
    }
    appendFileSync(join(aside, 'postgresql.conf'), `\ninclude_if_exists = '${SETTINGS_FILE}'\n`)
    renameSync(aside, place.data)
    flushDirectory(place.root)
  } finally {
    rmSync(passwordFile, { force: true })
    rmSync(aside, { recursive: true, force: true })
  }
}

/** Throws EmbeddedPostgresError 'data' when the data was written by another major version. */
export function checkVersion(place: Place, binaries: Binaries): void {
  const major = Number(readIfThere(join(place.data, 'PG_VERSION')))
  if (major === binaries.major) return
  throw new EmbeddedPostgresError(
    'data',
    `The database in ${place.data} was written by PostgreSQL ${major || 'of an unknown version'}, and this is ${binaries.major}. ` +
      'Dump it with the version that wrote it and restore the dump into an empty CAUCE_DATA.',
  )
}

function argumentsFor({ binaries, durable = true }: Making, passwordFile: string): string[] {
  // Ordering and case by code point, the same on every machine. Before 17 there was no provider of PostgreSQL's own.
  const locale =
    binaries.major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'] : ['--locale=C']
  return [
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--data-checksums',
    ...locale,
    ...(binaries.major >= 14 ? ['--no-instructions'] : []),
    ...(durable ? [] : ['--no-sync']),
  ]
}

function removeLeftovers(place: Place): void {
  for (const name of readdirSync(place.root)) {
    if (name.startsWith('init-')) rmSync(join(place.root, name), { recursive: true, force: true, maxRetries: 5 })
  }
}
