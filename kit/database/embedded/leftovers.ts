/**
 * Places outside (place.ts) that nobody points to any more: their CAUCE_DATA was deleted, or started afresh. Nothing would ever
 * stop their servers, so that is done when a new place outside is made. Their data is kept, unless it was for a CAUCE_DATA in a
 * temporary directory that is gone: a throw-away's leftovers.
 */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock, Timers } from '../../core/clock.ts'
import { ownUid } from './account.ts'
import { readIfThere } from './files.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { type Place, isTemporary, outsideParents, placeIn } from './place.ts'
import { runningPostmaster } from './postmaster.ts'
import { signal } from './processes.ts'

interface Surroundings {
  clock: Clock
  timers: Timers
  logger: Logger
}

const STOP_MS = 5_000

/** Stops and tidies what is left over beside `current`, a place outside that belongs to `home`. Never throws. */
export async function sweepLeftovers(home: string, current: Place, surroundings: Surroundings): Promise<void> {
  for (const parent of new Set([dirname(dirname(current.root)), ...outsideParents(home)])) {
    for (const name of namesIn(parent)) {
      const directory = join(parent, name)
      try {
        if (join(directory, 'pg') !== current.root) await sweep(directory, surroundings)
      } catch (error) {
        surroundings.logger.debug({ directory, err: error }, 'embedded PostgreSQL: a leftover was not tidied')
      }
    }
  }
}

async function sweep(directory: string, { clock, timers, logger }: Surroundings): Promise<void> {
  if (lstatSync(directory).uid !== ownUid()) return
  const owner = readIfThere(join(directory, 'owner'))?.trim()
  const root = join(directory, 'pg')
  if (!owner || !existsSync(root) || readIfThere(join(owner, 'location'))?.trim() === root) return
  const place = placeIn(root)
  const running = runningPostmaster(place)
  if (running) {
    logger.warn({ place: root, owner }, 'embedded PostgreSQL: stopping a server whose data directory is gone')
    signal(running.pid, 'SIGINT')
    const begun = clock.monotonic()
    while (runningPostmaster(place) && clock.monotonic() - begun < STOP_MS) await timers.sleep(20)
  }
  if (isTemporary(owner) && !existsSync(owner) && !runningPostmaster(place))
    rmSync(directory, { recursive: true, force: true })
  else
    logger.warn(
      { place: root, owner },
      'embedded PostgreSQL: data left from an earlier use of this path; delete it if nobody needs it',
    )
}

function namesIn(parent: string): string[] {
  try {
    return readdirSync(parent).filter((name) => /^cauce-[0-9a-f]{12}(-\d+)?$/.test(name))
  } catch {
    return []
  }
}
