/**
 * Where the cluster lives: `<CAUCE_DATA>/pg`, unless the account that runs it cannot get there (root's data in a 0700 home, run
 * by `postgres`). Then it lives in a directory of its own outside, and `<CAUCE_DATA>/location` says where, in one line.
 *
 *   <place>/data          the data directory      <place>/postgres.log   what the server says      <place>/.s.PGSQL.*   socket
 *
 * 1. The place is settled once. From then on `location`, or the existing `pg`, decides.
 * 2. A place outside is as durable as the path asked for: under /var/lib, but for data that was asked for in a temporary
 *    directory under /var/tmp. (Systems empty /var/tmp by age: no place for a database.)
 * 3. When `location` names a directory that is gone, nothing is started: an empty database in its stead would look like data
 *    loss to everybody but us.
 */
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  lstatSync,
  mkdirSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import type { Timers } from '../../core/clock.ts'
import { type Account, chooseAccount } from './account.ts'
import { EmbeddedPostgresError, errnoOf } from './errors.ts'
import { readIfThere, writeWhole } from './files.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { canEnter } from './processes.ts'

export interface Place {
  /** The directory that everything below is in; it belongs to the account. */
  root: string
  data: string
  log: string
}

/** The longest path of a Unix socket is 107 bytes on Linux, 103 on macOS; the socket's own name takes up to 21. */
const SOCKET_DIRECTORY_BYTES = 80

/** Creates CAUCE_DATA when missing. Returns its real path. Throws EmbeddedPostgresError 'account' when it is not ours. */
export function openHome(path: string): string {
  try {
    const made = mkdirSync(path, { recursive: true })
    // One that we just made may be passed through, whatever the umask is; the secrets in it are 0600 anyway.
    if (made !== undefined) chmodSync(path, 0o755)
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    return realpathSync(path)
  } catch (error) {
    const message = `The data directory ${path} cannot be used (${errnoOf(error)}). Give it to this user, or choose another CAUCE_DATA.`
    throw new EmbeddedPostgresError('account', message, { cause: error })
  }
}

/** Finds the place, or settles it. Call it while holding the start lock. */
export async function settlePlace(
  home: string,
  timers: Timers,
  logger: Logger,
): Promise<{ place: Place; account: Account }> {
  const root = knownRoot(home)
  if (root === undefined) return settle(home, timers, logger)
  const owner = statSync(root)
  const account = chooseAccount({ uid: owner.uid, gid: owner.gid })
  if (account.switched && !(await canEnter(account, root, timers))) {
    throw new EmbeddedPostgresError(
      'account',
      `The embedded database in ${root} is out of reach for the account that runs it (${account.name}): ` +
        'a directory on the way has become private. Let others pass through it (chmod o+x), or start as before.',
    )
  }
  return { place: placeIn(root), account }
}

export function placeIn(directory: string): Place {
  const root = realpathSync(directory)
  return { root, data: join(root, 'data'), log: join(root, 'postgres.log') }
}

/** The directory for the server's Unix socket, or undefined when its path is too long for one. */
export const socketDirectory = (place: Place): string | undefined =>
  Buffer.byteLength(place.root) <= SOCKET_DIRECTORY_BYTES && process.platform !== 'win32' ? place.root : undefined

/** The place's root as it was settled earlier; undefined when it was not. */
export function knownRoot(home: string): string | undefined {
  const location = readIfThere(join(home, 'location'))?.trim()
  const root = location || join(home, 'pg')
  if (lstatSync(root, { throwIfNoEntry: false })?.isDirectory()) return root
  if (!location) return undefined
  throw new EmbeddedPostgresError(
    'data',
    `The embedded database of ${home} was kept in ${location}, and that directory is gone. ` +
      `Put it back, or delete ${join(home, 'location')} to start with an empty database.`,
  )
}

async function settle(home: string, timers: Timers, logger: Logger): Promise<{ place: Place; account: Account }> {
  const account = chooseAccount(undefined)
  if (!account.switched) return { place: makePlace(join(home, 'pg'), account), account }
  if (await canEnter(account, home, timers)) {
    try {
      return { place: makePlace(join(home, 'pg'), account), account }
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw error // Else a file system without owners, such as a shared folder.
    }
  }
  const outside = makeOutside(home)
  const place = makePlace(join(outside, 'pg'), account)
  writeWhole(join(home, 'location'), `${place.root}\n`, 0o644)
  logger.warn(
    { place: place.root, account: account.name },
    'embedded PostgreSQL: its account cannot reach the data directory, so the data is kept elsewhere. Back up, move and delete both',
  )
  return { place, account }
}

/** A new place: throws EEXIST when there is one. */
export function makePlace(root: string, account: Account): Place {
  mkdirSync(root, { mode: 0o700 })
  if (account.switched) {
    chownSync(root, account.uid, account.gid)
    if (statSync(root).uid !== account.uid) throw new Error(`${root} does not keep its owner`)
  }
  return placeIn(root)
}

/** A new directory that everybody can pass through and only we can write. An existing one is never taken over. */
function makeOutside(home: string): string {
  const name = `cauce-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`
  for (const parent of outsideParents(home)) {
    for (let attempt = 1; attempt < 100; attempt++) {
      const path = join(parent, attempt === 1 ? name : `${name}-${attempt}`)
      try {
        mkdirSync(path)
        chmodSync(path, 0o755)
        writeFileSync(join(path, 'owner'), `${home}\n`)
        return path
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') break
      }
    }
  }
  throw new EmbeddedPostgresError(
    'data',
    `The account that runs PostgreSQL cannot reach ${home}, and there is no other place for the data. ` +
      'Choose a CAUCE_DATA that others may pass through (such as /srv/cauce), or set DATABASE_URL.',
  )
}

const TEMPORARY = ['/tmp', '/var/tmp']

export const isTemporary = (path: string): boolean =>
  [...TEMPORARY, tmpdir()].some((directory) => path.startsWith(directory + sep))

/** Where places outside may be, best first. */
export const outsideParents = (home: string): string[] =>
  isTemporary(home) ? ['/var/tmp', tmpdir()] : ['/var/lib', '/var/tmp', tmpdir()]
