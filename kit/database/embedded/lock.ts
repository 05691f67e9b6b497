/**
 * One process at a time looks at the cluster and starts, initialises or stops it. PostgreSQL's own postmaster.pid keeps two
 * servers apart; this lock keeps two of *us* from working against each other before it exists.
 *
 * The file holds its owner as "pid start-time". An owner that died leaves the file: whoever finds it removes it, so a lock is
 * never lost to kill -9. A file without content is an owner caught between creating and writing; it gets a short grace.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Clock, Timers } from '../../core/clock.ts'
import { EmbeddedPostgresError, errnoOf } from './errors.ts'
import { readIfThere } from './files.ts'
import { processIdentity } from './processes.ts'

const POLL_MS = 20
const EMPTY_GRACE_MS = 1_000

export interface LockOptions {
  clock: Clock
  timers: Timers
  /** How long to wait for another holder that is alive. Defaults to 120,000. */
  patienceMs?: number
}

/** Runs `work` while holding the lock file at `path`. Throws EmbeddedPostgresError 'locked' when a living holder keeps it. */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const own = `${process.pid} ${processIdentity(process.pid)}`
  await acquire(path, own, options)
  try {
    return await work()
  } finally {
    if (readIfThere(path) === own) rmSync(path, { force: true })
  }
}

async function acquire(path: string, own: string, { clock, timers, patienceMs = 120_000 }: LockOptions): Promise<void> {
  const begun = clock.monotonic()
  let emptySince: number | undefined
  for (;;) {
    try {
      return writeFileSync(path, own, { flag: 'wx' })
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
    const holder = readIfThere(path)
    if (holder === '') emptySince ??= clock.monotonic()
    else emptySince = undefined
    const abandoned = emptySince !== undefined && clock.monotonic() - emptySince > EMPTY_GRACE_MS
    if (holder && !isHeld(holder)) steal(path, holder)
    else if (abandoned) steal(path, '')
    if (clock.monotonic() - begun > patienceMs) {
      throw new EmbeddedPostgresError(
        'locked',
        `Another process (${holder ?? 'unknown'}) has been starting or stopping the embedded PostgreSQL for ${patienceMs} ms. ` +
          `If it hangs, end it and start again. The lock is ${path}.`,
      )
    }
    await timers.sleep(POLL_MS)
  }
}

function isHeld(holder: string): boolean {
  const [pid, identity] = holder.split(/ (.*)/s)
  return processIdentity(Number(pid)) === identity
}

/** Takes the dead owner's file away, but not one that a third process has put there meanwhile. */
function steal(path: string, expected: string): void {
  const aside = `${path}.${process.pid}.stale`
  try {
    renameSync(path, aside)
    if (readIfThere(aside) === expected) rmSync(aside, { force: true })
    else renameSync(aside, path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
