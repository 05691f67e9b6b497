/**
 * Processes of the operating system: run one to its end as some account, and tell whether one seen earlier still lives.
 *
 * A pid alone names nobody: pids are reused, and a killed process may stay in the table as a zombie when nothing reaps it
 * (a container whose first process is not an init). So a process is known by its pid *and* its start time, and a zombie is
 * dead. Linux answers both from /proc in microseconds; elsewhere `ps` does.
 */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs'
import type { Timers } from '../../core/clock.ts'
import type { Account } from './account.ts'

const LINUX = process.platform === 'linux'

export interface RunOptions {
  account: Account
  timers: Timers
  /** The program is killed after this long. */
  limitMs: number
  /** Written to its standard input, which is empty otherwise. */
  input?: string
  /** Added to an otherwise minimal environment. */
  environment?: Record<string, string>
  /** Defaults to `/`, which every account can enter. */
  directory?: string
}

export interface RunResult {
  /** Null when it could not be started or was killed by a signal. */
  code: number | null
  /** Standard output and error together. */
  output: string
}

/** Runs a program to its end. Never rejects: a program that cannot be started is a result with code null. */
export function run(file: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { account, timers, limitMs, input } = options
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(file, args, {
      cwd: options.directory ?? '/',
      // Nothing of our own environment: PGPORT, PGOPTIONS, LD_LIBRARY_PATH and the like would change what runs.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', ...options.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(account.switched ? { uid: account.uid, gid: account.gid } : {}),
    })
    const cancel = timers.after(limitMs, () => {
      output += `\n(killed: not finished after ${limitMs} ms)`
      child.kill('SIGKILL')
    })
    const finish = (code: number | null) => {
      cancel()
      resolve({ code, output })
    }
    const collect = (chunk: string) => {
      output = (output + chunk).slice(-20_000)
    }
    child.stdout.setEncoding('utf8').on('data', collect)
    child.stderr.setEncoding('utf8').on('data', collect)
    child.stdin.on('error', () => {}) // It may end without reading: its exit code tells.
    child.stdin.end(input ?? '')
    child.on('error', (error) => {
      output += error.message
      finish(null)
    })
    child.on('close', finish)
  })
}

/** Can the account pass through `directory` and everything above it? Asked of the system itself, not of permission bits. */
export async function canEnter(account: Account, directory: string, timers: Timers): Promise<boolean> {
  const { code } = await run('/bin/sh', ['-c', 'test -x "$1"', 'sh', directory], { account, timers, limitMs: 5_000 })
  return code === 0
}

/** Tells one process from every other that had or will have its pid. Null when it is not running (zombies are not). */
export function processIdentity(pid: number): string | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null
  return LINUX ? fromProc(pid) : fromPs(pid)
}

export interface WatchedProcess {
  /** Whether it still lives. Cheap enough to ask several times a second. */
  isAlive(): boolean
  close(): void
}

/** On Linux an open `/proc/<pid>/stat` is of that one process, however often its pid is used again; elsewhere it goes by pid only. */
export function watchProcess(pid: number, identity: string): WatchedProcess {
  if (!LINUX) return { isAlive: () => signal(pid, 0), close: () => undefined }
  let descriptor: number | undefined
  try {
    descriptor = openSync(`/proc/${pid}/stat`, 'r')
  } catch {
    return { isAlive: () => false, close: () => undefined }
  }
  if (fromProc(pid) !== identity) {
    closeSync(descriptor)
    return { isAlive: () => false, close: () => undefined }
  }
  const open = descriptor
  const buffer = Buffer.alloc(1024)
  return {
    isAlive() {
      try {
        const stat = buffer.toString('latin1', 0, readSync(open, buffer, 0, buffer.length, 0))
        return !isOver(stat.charAt(stat.lastIndexOf(')') + 2))
      } catch {
        return false
      }
    },
    close: () => closeSync(open),
  }
}

/** Zombies are not running. */
const isOver = (state: string | undefined): boolean => state === 'Z' || state === 'X'

/** Does this process belong to a PostgreSQL server on `dataDirectory`? Its working directory says so; elsewhere its name must do. */
export function servesDirectory(pid: number, dataDirectory: string): boolean {
  if (processIdentity(pid) === null) return false
  if (!LINUX) return commandOf(pid).includes('postgres')
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dataDirectory && /^\d+ \((postgres|postmaster)/.test(statOf(pid))
  } catch {
    return false // Not ours to look at, so not ours.
  }
}

/** The server processes on `dataDirectory` that are left, postmaster or orphaned children. Empty where that cannot be told. */
export function serversOf(dataDirectory: string): number[] {
  if (!LINUX) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && servesDirectory(pid, dataDirectory))
}

/** Sends a signal and says whether there was somebody to take it. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

const statOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'latin1')

function fromProc(pid: number): string | null {
  try {
    // The name is in parentheses and may hold anything; behind it: state (field 3) … start time in ticks (field 22).
    const stat = statOf(pid)
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return isOver(fields[0]) ? null : (fields[19] ?? null)
  } catch {
    return null
  }
}

function fromPs(pid: number): string | null {
  const line = ps(pid, 'stat=,lstart=')
  return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '')
}

const commandOf = (pid: number): string => ps(pid, 'command=')

function ps(pid: number, columns: string): string {
  try {
    return execFileSync('ps', ['-o', columns, '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return ''
  }
}
