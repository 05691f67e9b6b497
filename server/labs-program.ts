/**
 * The labs are a program of their own, `labs/main.ts`, and each run is a process of it. What is true of that process:
 *
 *   1. It knows nothing of us: neither our settings nor our secrets are in its environment, and its working directory has no
 *      `.env` file and is no data directory of ours. It makes a database for itself, and takes it away.
 *   2. It ends, with all that it started, when it is told to or when we have gone: the channel between us closes. It leads a
 *      process group, so a Ctrl-C of the terminal or a kill of our group leaves it the time to clean up.
 *   3. What it says are lines of JSON on its standard output. Whatever else it says are its last words, if it fails.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { seconds, type Timers } from '@cauce/kit/core/clock'
import { bareEnvironment, killGroup } from '@cauce/kit/program/child'
import { programFile } from '@cauce/kit/program/program.js'
import type { RunCommand } from '@cauce/labs/contract'
import type { Lab, LabEvent, Phase } from './labs-schemas.ts'

/** The labs as the program describes them, in the order in which they are learned. */
export interface Catalogue {
  readonly phases: readonly Phase[]
  readonly labs: readonly Omit<Lab, 'page'>[]
}

export interface LabProcess {
  /** Resolves once it has gone, whatever ended it: with why it was not its own end, if it was not. */
  readonly ended: Promise<string | undefined>
  /** Tells it to end. */
  stop(): void
}

export interface LabProgram {
  list(): Promise<Catalogue>
  /** Runs one lab after the other. Each one's last event is `result` or `failed`. */
  start(commands: readonly RunCommand[], tell: (event: LabEvent) => void): LabProcess
}

export interface LabProgramOptions {
  /** CAUCE_DATA: the working directory is a folder in it. */
  readonly dataDirectory: string
  readonly timers: Timers
  readonly env?: NodeJS.ProcessEnv
}

/** It cleans up within 3 s, and its databases take less than another two. */
const STOP_WITHIN_MS = seconds(10)
/** It takes less than a second; a busy machine, many. */
const LIST_WITHIN_MS = seconds(60)
const MOST_WORDS = 4_000

export function labProgram({ dataDirectory, timers, env = process.env }: LabProgramOptions): LabProgram {
  const directory = join(dataDirectory, 'labs')
  const clean = bareEnvironment(env)

  function launch(args: readonly string[], tell: (line: unknown) => void): LabProcess {
    let stopped = false
    let stop = () => {}
    const run = async () => {
      const file = await programFile('labs/main.ts')
      if (stopped) return undefined
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], {
        cwd: directory,
        env: { ...clean, CAUCE_DATA: directory },
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      })
      let cancel = () => {}
      stop = () => {
        child.kill('SIGTERM')
        cancel = timers.after(STOP_WITHIN_MS, () => killGroup(child.pid))
      }
      return followed(child, tell).finally(() => cancel())
    }
    return {
      ended: run(),
      stop() {
        if (stopped) return
        stopped = true
        stop()
      },
    }
  }

  return {
    async list() {
      const said: unknown[] = []
      const listing = launch(['list'], (line) => said.push(line))
      const cancel = timers.after(LIST_WITHIN_MS, () => listing.stop())
      const problem = await listing.ended.finally(cancel)
      if (problem !== undefined || said.length === 0)
        throw new Error(`The labs cannot be listed: ${problem ?? 'their program said nothing that can be read'}`)
      return said[0] as Catalogue
    },
    start: (commands, tell) =>
      launch(['run', JSON.stringify(commands)], (line) => {
        tell(line as LabEvent)
      }),
  }
}

function followed(child: ChildProcess, tell: (line: unknown) => void): Promise<string | undefined> {
  let words = ''
  const hear = (text: string) => {
    words = `${words}${text}`.slice(-MOST_WORDS)
  }
  child.stderr?.setEncoding('utf8').on('data', hear)
  createInterface({ input: child.stdout! }).on('line', (line) => {
    let said: unknown
    try {
      said = JSON.parse(line)
    } catch {
      return hear(`${line}\n`)
    }
    tell(said)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    // Whatever it left behind would keep its output open.
    child.once('exit', () => killGroup(child.pid))
    child.once('close', (code, signal) =>
      resolve(code === 0 ? undefined : `It ended with ${code ?? signal}. ${words.trim()}`.trim()),
    )
  })
}
