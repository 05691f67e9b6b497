/**
 * One process per data directory, and no cleaning up after a killed one.
 *
 * The lock is a row of generations, files `<path>.1`, `<path>.2` …; whoever is named in the newest one holds it, as long
 * as that very process runs. A free lock (released, or its holder is dead) is taken by creating the next generation,
 * which the file system lets exactly one do.
 *
 * K1. A generation appears with its content (written aside, then linked), so nobody reads half a name.
 * K2. The newest generation is never removed, only superseded; its holder then removes the older ones. So a taker that
 *     looked long ago and creates a number that was cleaned away finds a newer one beside it, and steps back.
 * K3. There is no moment at which a dead holder's file is removed to make room: that is where two takers would both win.
 */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts'

export interface Lock {
  release(): void
}

interface Generation {
  readonly number: number
  /** Null when it was released, or before the first. */
  readonly holder: ProcessIdentity | null
}

let drafts = 0

/** Takes the lock for this process, or answers who holds it. A second lock in the same process is refused as well. */
export function takeLock(path: string): Lock | { heldBy: ProcessIdentity } {
  for (;;) {
    const current = newest(path)
    if (current.holder && isRunning(current.holder)) return { heldBy: current.holder }
    const mine = current.number + 1
    if (!create(path, mine)) continue
    if (newest(path).number !== mine) {
      rmSync(`${path}.${mine}`, { force: true })
      continue
    }
    removeOlder(path, mine)
    return { release: () => release(path, mine) }
  }
}

/** The running process that holds the lock, if any. */
export function holderOf(path: string): ProcessIdentity | undefined {
  const { holder } = newest(path)
  return holder && isRunning(holder) ? holder : undefined
}

function newest(path: string): Generation {
  for (;;) {
    const number = Math.max(0, ...generations(path))
    if (number === 0) return { number, holder: null }
    try {
      return { number, holder: JSON.parse(readFileSync(`${path}.${number}`, 'utf8')) as ProcessIdentity | null }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // else it was superseded meanwhile: look again
    }
  }
}

function generations(path: string): number[] {
  const prefix = `${basename(path)}.`
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d*$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
}

function create(path: string, number: number): boolean {
  const draft = draftOf(path, identify(process.pid))
  try {
    linkSync(draft, `${path}.${number}`)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function release(path: string, number: number): void {
  renameSync(draftOf(path, null), `${path}.${number}`)
}

function draftOf(path: string, holder: ProcessIdentity | null): string {
  const draft = `${path}.${process.pid}-${++drafts}.draft`
  writeFileSync(draft, JSON.stringify(holder))
  return draft
}

function removeOlder(path: string, number: number): void {
  for (const older of generations(path)) if (older < number) rmSync(`${path}.${older}`, { force: true })
  for (const name of readdirSync(dirname(path))) {
    const killed = /\.(\d+)-\d+\.draft$/.exec(name)
    if (killed && name.startsWith(`${basename(path)}.`) && !isRunning({ pid: Number(killed[1]), began: null })) {
      rmSync(join(dirname(path), name), { force: true })
    }
  }
}
