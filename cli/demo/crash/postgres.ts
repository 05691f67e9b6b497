/**
 * The embedded PostgreSQL of a demonstration, seen from outside: which process it is, how to kill it, how to leave nothing of it.
 * It outlives the server that started it, so nobody else would end it. A pid alone names nobody: a server of ours works in its
 * data directory.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Timers } from '@cauce/kit/core/clock'

const LINUX = process.platform === 'linux'
const LOOK_AGAIN_MS = 50
/** Looks at a server that was told to quit before it is killed. */
const LOOKS = 100

/** Where its files are: in the data directory, or where `location` in it says. */
export function placeOf(home: string): string {
  return (readIfThere(join(home, 'location'))?.trim() || undefined) ?? join(home, 'pg')
}

/** The pid of the running server; undefined when there is none. */
export function postmasterOf(home: string): number | undefined {
  const data = join(placeOf(home), 'data')
  const pid = Math.abs(Number(readIfThere(join(data, 'postmaster.pid'))?.split('\n')[0]))
  return Number.isSafeInteger(pid) && pid > 0 && serves(pid, data) ? pid : undefined
}

/** Ends the server and everything it started; nothing it holds is wanted any more. */
export async function endPostgres(home: string, timers: Timers): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const left = leftOf(home)
    if (left.length === 0) return
    const [boss] = left
    if (look === 0 && boss !== undefined) signal(boss, 'SIGQUIT')
    await timers.sleep(LOOK_AGAIN_MS)
  }
  for (const pid of leftOf(home)) signal(pid, 'SIGKILL')
}

/** Removes a data directory, and the database that had to be kept outside of it. */
export function removeData(home: string): void {
  const place = dirname(placeOf(home))
  const isOutside = place !== home && readIfThere(join(place, 'owner'))?.trim() === realpath(home)
  if (isOutside) rmSync(place, { recursive: true, force: true })
  rmSync(home, { recursive: true, force: true })
}

export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** The server first, then its children, also those that outlived it. */
function leftOf(home: string): number[] {
  const boss = postmasterOf(home)
  const data = join(placeOf(home), 'data')
  const all = LINUX
    ? readdirSync('/proc')
        .map(Number)
        .filter((pid) => pid > 0 && serves(pid, data))
    : []
  return [...(boss === undefined ? [] : [boss]), ...all.filter((pid) => pid !== boss)]
}

/** A zombie works nowhere. */
function serves(pid: number, data: string): boolean {
  if (!LINUX) return signal(pid, 0)
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpath(data)
  } catch {
    return false
  }
}

const realpath = (path: string): string => (existsSync(path) ? realpathSync(path) : path)

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
