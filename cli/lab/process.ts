/**
 * The labs as a process of their own.
 *
 * 1. It leads a process group, so that a Ctrl-C of the terminal reaches us alone, and a kill -9 of the group ends whatever a
 *    variant started.
 * 2. It is asked to end by closing the channel between us, which also closes when we die.
 * 3. Everything it makes is in one temporary directory, which it works in. The guard sees to it that nothing is left, whichever
 *    way it ends.
 * 4. It knows nothing of the server's settings and data: a lab breaks what it finds.
 */
import { execFile, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { seconds, type Timers } from '@cauce/kit/core/clock'
import { bareEnvironment, killGroup } from '@cauce/kit/program/child'
import type { LabList, Roadmap, RunCommand } from '@cauce/labs/contract'
import { CliError } from '../exit.ts'
import type { Shell } from '../shell.ts'
import { readLine } from './events.ts'
import { startGuard } from './guard.ts'

export interface LabsProcess {
  /** Resolves to how it ended, when nothing of it is left. */
  readonly ended: Promise<string>
  /** Asks it to end. */
  stop(): void
  /** kill -9 of it and of what it started. */
  kill(): void
}

export interface StartOptions {
  /** The file of JavaScript to run. */
  readonly file: string
  readonly commands: readonly RunCommand[]
  onLine(line: string): void
  /** A line of its standard error. */
  onError(line: string): void
}

const run = promisify(execFile)
const LAST_WORDS_MS = seconds(1)
const LARGEST_ANSWER = 32 * 1024 * 1024

/** Starts it on a list of labs. */
export function startLabs(shell: Shell, { file, commands, onLine, onError }: StartOptions): LabsProcess {
  const directory = mkdtempSync(join(tmpdir(), 'cauce-lab-'))
  chmodSync(directory, 0o755) // The account of the database passes through.
  const guard = startGuard(directory)
  // A path of somebody's own is as they see it.
  const whole = commands.map(({ own, ...rest }) => ({
    ...rest,
    ...(own === undefined ? {} : { own: pathOf(shell, own) }),
  }))
  const child = spawn(process.execPath, ['--enable-source-maps', file, 'run', JSON.stringify(whole)], {
    detached: true,
    cwd: directory,
    env: { ...environmentOf(shell), TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const group = child.pid
  const kill = () => killGroup(group)
  if (group !== undefined) guard.watch(group)
  const exited = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message))
    child.once('exit', (code, signal) => {
      kill() // What a variant has left behind.
      resolve(signal ?? `exit ${code}`)
    })
  })
  // Not the event 'close': it never comes when it was us who closed the channel.
  const read = Promise.all([readLines(child.stdout, onLine), readLines(child.stderr, onError)])
  return {
    ended: exited.then(async (how) => {
      await atMost(LAST_WORDS_MS, read, shell.world.timers)
      await guard.dismiss()
      return how
    }),
    stop: () => void (child.connected && child.disconnect()),
    kill,
  }
}

/** Something that left our group may hold our pipes open. */
async function atMost(ms: number, work: Promise<unknown>, timers: Timers): Promise<void> {
  let cancel = () => {}
  const late = new Promise<void>((resolve) => {
    cancel = timers.after(ms, resolve)
  })
  await Promise.race([work, late])
  cancel()
}

async function readLines(input: Readable | null, onLine: (line: string) => void): Promise<void> {
  if (!input) return
  await new Promise((resolve) => void createInterface({ input }).on('line', onLine).once('close', resolve))
}

/** The whole path of somebody's own variant, which the program calls it by. */
export const pathOf = ({ world }: Shell, own: string): string => resolve(world.directory, own)

/** Processes of a lab may have to keep what they are made into, where the checkout cannot be written. */
const environmentOf = ({ world, settings }: Shell): NodeJS.ProcessEnv => ({
  ...bareEnvironment(world.env),
  CAUCE_DATA: join(settings.dataDirectory, 'labs'),
})

export const listLabs = (shell: Shell, file: string): Promise<LabList> => ask<LabList>(shell, file, ['list'])

/** The roadmap, and the labs it speaks of. */
export const roadmapOf = (shell: Shell, file: string): Promise<Roadmap> => ask<Roadmap>(shell, file, ['roadmap'])

export async function scaffoldOf(shell: Shell, file: string, id: string): Promise<string> {
  return (await ask<{ source: string }>(shell, file, ['scaffold', id])).source
}

/** @throws CliError with what it said instead of an answer */
async function ask<Answer>(shell: Shell, file: string, args: readonly string[]): Promise<Answer> {
  try {
    const options = { env: environmentOf(shell), cwd: shell.world.directory, maxBuffer: LARGEST_ANSWER }
    const { stdout } = await run(process.execPath, ['--enable-source-maps', file, ...args], options)
    return JSON.parse(stdout) as Answer
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    const { event } = readLine(stdout.trim())
    const said = event?.type === 'failed' ? event.message : stderr.trim() || message
    throw new CliError(shell.t('lab.noAnswer', { said }))
  }
}
