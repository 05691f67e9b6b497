/**
 * What the processes of a lab weigh together. A page that several of them share is counted once (PSS), or a PostgreSQL with twenty
 * backends would seem to hold its cache twenty times.
 *
 * They belong to a lab by their surroundings, not by their parents: PostgreSQL leaves its parent on purpose. Whatever a lab
 * starts has the lab's own temporary directory in its environment, or works in it. Only Linux tells (/proc).
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process may still be its parent's copy when it is first seen: only after as many looks it is none of the lab's. */
const LOOKS = 3

export interface Scales {
  /** Ids of the processes that there are now. */
  members(): number[]
  /** Of all of them now, in bytes. */
  weigh(): number
}

export const canWeigh = process.platform === 'linux'

export function scalesFor(directory: string): Scales {
  const known = new Map<number, true | number>()

  function isMember(pid: number): boolean {
    const before = known.get(pid) ?? 0
    if (before === true || before >= LOOKS) return before === true
    const isOne = belongsTo(pid, directory)
    known.set(pid, isOne || before + 1)
    return isOne
  }

  function members(): number[] {
    if (!canWeigh) return []
    const there = readdirSync('/proc').map(Number).filter(Number.isInteger)
    const alive = new Set(there)
    for (const pid of known.keys()) if (!alive.has(pid)) known.delete(pid)
    return there.filter((pid) => pid !== process.pid && isMember(pid))
  }

  return { members, weigh: () => members().reduce((sum, pid) => sum + weightOf(pid), 0) }
}

function belongsTo(pid: number, directory: string): boolean {
  return read(pid, 'environ').includes(`TMPDIR=${directory}\0`) || workingDirectory(pid).startsWith(directory)
}

/** 0 for a process that has gone, or is only waiting to be forgotten. */
function weightOf(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(read(pid, 'smaps_rollup')) ?? []
  return Number(kilobytes ?? 0) * 1024
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}
