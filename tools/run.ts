/**
 * Runs one program of the repository's tooling and reports what came of it. Never rejects: a failed start is an outcome.
 *
 * Each program leads a process group of its own, so that its time limit, and an interrupt of this process, also reach what
 * it started: a test worker in an endless loop does not notice that its runner is gone.
 */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { systemTimers } from '../kit/core/clock.ts'

export const root = fileURLToPath(new URL('..', import.meta.url))

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Where it runs. Defaults to the root of the repository. */
  readonly cwd?: string
  /** After this the program is ended and counts as failed. */
  readonly timeoutMs: number
  /** `inherit` shows the output as it comes; `capture` (the default) keeps it. */
  readonly output?: 'inherit' | 'capture'
}

export interface Outcome {
  /** 0 is success; 124 stands for the time limit, 127 for a program that did not start. */
  readonly code: number
  readonly stdout: string
  /** stdout and stderr, as they came. */
  readonly output: string
  readonly ms: number
}

/** How long a program has to end by itself once it was asked to. */
const graceMs = 10_000

export function run({ program, args, env, timeoutMs, cwd = root, output = 'capture' }: Command): Promise<Outcome> {
  const started = performance.now()
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let stdout = ''
    let all = ''
    let late = false
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      all += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      all += text
    })
    const forget = watch(child.pid)
    const cancel = systemTimers.after(timeoutMs, () => {
      late = true
      signalGroup(child.pid, 'SIGTERM')
      systemTimers.after(graceMs, () => signalGroup(child.pid, 'SIGKILL'))
    })
    const end = (code: number, note: string): void => {
      cancel()
      forget()
      resolve({ code, stdout, output: all + note, ms: performance.now() - started })
    }
    child.on('error', (error) => end(127, `\n${program} did not start: ${error.message}\n`))
    child.on('close', (code) =>
      late ? end(124, `\n${program} did not end within ${seconds(timeoutMs)}\n`) : end(code ?? 1, ''),
    )
  })
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // The group is gone.
  }
}

/** The groups under way. An interrupt of this process ends them before it follows. */
const groups = new Set<number>()

function interrupted(signal: NodeJS.Signals): void {
  for (const pid of groups) signalGroup(pid, 'SIGTERM')
  process.exit(signal === 'SIGINT' ? 130 : 143)
}

function watch(pid: number | undefined): () => void {
  if (pid === undefined) return () => {}
  if (groups.size === 0) process.on('SIGINT', interrupted).on('SIGTERM', interrupted)
  groups.add(pid)
  return () => {
    groups.delete(pid)
    if (groups.size === 0) process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
  }
}

/** A program of node_modules/.bin. */
export const bin = (name: string): string => `${root}node_modules/.bin/${name}`

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
