/**
 * What postmaster.pid says, whether it is true, and what to do when it is not.
 *
 * The file names the running server: pid, data directory, start time, port, socket directory, address, shared memory, status.
 * It stays behind after kill -9. PostgreSQL clears it at the next start, *unless* the pid is in use by a process of the same
 * user, or by a zombie: then it refuses to start, and we clear it, having made sure that the process serves another directory.
 * Children that outlive a killed postmaster keep its shared memory; a start is refused until they are gone.
 */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from './files.ts'
import type { Place } from './place.ts'
import { processIdentity, servesDirectory, serversOf, signal } from './processes.ts'

export interface Postmaster {
  pid: number
  /** Tells this process from a later one with the same pid. */
  identity: string
  /** 0 while it is not written yet. */
  port: number
}

/** The living server on this data directory, or null. */
export function runningPostmaster(place: Place): Postmaster | null {
  const file = readPidFile(place)
  if (!file || !servesDirectory(file.pid, place.data)) return null
  const identity = processIdentity(file.pid)
  return identity === null ? null : { ...file, identity }
}

/** Removes lock files whose pid is taken by a stranger or a zombie. Only when runningPostmaster() has said null. */
export function clearStaleFiles(place: Place): void {
  const file = readPidFile(place)
  if (file && pidIsTaken(file.pid)) rmSync(join(place.data, 'postmaster.pid'), { force: true })
  for (const name of readdirSync(place.root)) {
    if (name.startsWith('.s.PGSQL.') && serversOf(place.data).length === 0)
      rmSync(join(place.root, name), { force: true })
  }
}

/** Ends the orphaned children of a postmaster that is dead: there is nothing left for them to do or to lose. */
export function endOrphans(place: Place, how: 'SIGQUIT' | 'SIGKILL'): number {
  if (runningPostmaster(place)) return 0
  return serversOf(place.data).filter((pid) => signal(pid, how)).length
}

function readPidFile(place: Place): { pid: number; port: number } | null {
  const lines = readIfThere(join(place.data, 'postmaster.pid'))?.split('\n') ?? []
  const pid = Math.abs(Number(lines[0])) // Negative in a single-user server.
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, port: Number(lines[3] ?? 0) || 0 } : null
}

/** Like PostgreSQL asks it: a zombie takes its pid too. */
function pidIsTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
