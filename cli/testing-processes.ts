/** The command line as it is typed, for tests of what it says, how it ends and what it leaves behind. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Typed {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly printed: { out: string; err: string }
  /** Its exit code. */
  readonly ended: Promise<number | null>
  /** Until it has said this on standard error, or has ended. */
  until(text: string): Promise<void>
}

const cauce = fileURLToPath(new URL('bin/cauce.js', import.meta.url))

/** `cauce …` in this directory, with nothing else in its environment. */
export function typed(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Typed {
  const child = spawn(process.execPath, [cauce, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (printed.err += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const until = (text: string) =>
    new Promise<void>((resolve) => {
      child.stderr.on('data', () => (printed.err.includes(text) ? resolve() : undefined))
      void ended.then(() => resolve())
    })
  return { child, printed, ended, until }
}

/** Processes that run in a directory, were started with it or were told of it. Linux alone can say. */
export function processesOf(directory: string): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').filter((pid) => {
    try {
      const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1')
      return (
        /^\d+$/.test(pid) &&
        [readlinkSync(`/proc/${pid}/cwd`), read('cmdline'), read('environ')].join().includes(directory)
      )
    } catch {
      return false
    }
  })
}
