/**
 * Finds the sandbox of a data directory, or starts it. For the server's start and for whoever shares the sandbox.
 *
 *   look ─▶ announced, holds the lock, answers as that process ──▶ adopt
 *        ─▶ nobody holds the lock ──▶ spawn, look again
 *        ─▶ held but not answering yet (starting) ──▶ look again, until the deadline
 *
 * N1. One process per directory: the directory's lock, which the sandbox itself takes and keeps, decides between two
 *     launchers at the same time and against one started by hand. The loser ends with exit code 75, or is ended by its
 *     launcher, which adopts the winner.
 * N2. It outlives who started it: a session of its own (no signal to our process group reaches it), output to a file,
 *     no descriptor shared.
 * N3. An adopted one is never stopped from here.
 * N4. A stale announcement convinces nobody: the process named must hold the lock now, and say so itself on its URL.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import type { Clock, Timers } from '@cauce/kit/core/clock'
import { programFile } from '@cauce/kit/program/program.js'
import { announced, lockOf } from './announcement.ts'
import { holderOf } from './storage/lock.ts'

export interface RunningSandbox {
  readonly url: string
  /** True when this call started it, false when it was there. */
  readonly started: boolean
  /** Ends the one this call started (SIGTERM, after 5 s SIGKILL) and waits for it; does nothing to an adopted one. */
  stop(): Promise<void>
}

/** The shape of a pino logger, as far as it is needed. */
export interface LaunchLogger {
  info(details: object, message: string): void
}

export interface LaunchOptions {
  /** Where the sandbox keeps its files, all named sandbox.*. Made when missing. */
  readonly dataDirectory: string
  readonly timers: Timers
  readonly clock: Clock
  readonly logger?: LaunchLogger
}

export class SandboxNotReady extends Error {
  override readonly name = 'SandboxNotReady'
}

const readyWithinMs = 30_000
const lookEveryMs = 25
const probeMs = 2_000
const stopWithinMs = 5_000
const heldByAnother = 75

/** @throws SandboxNotReady with the end of the sandbox's log when none answers within 30 s or the start fails. */
export async function ensureSandbox(options: LaunchOptions): Promise<RunningSandbox> {
  const { dataDirectory, timers, clock, logger } = options
  mkdirSync(dataDirectory, { recursive: true })
  const giveUpAt = clock.monotonic() + readyWithinMs
  let child: ChildProcess | undefined
  while (clock.monotonic() < giveUpAt) {
    const live = await findLive(dataDirectory, timers)
    if (live) {
      const started = child !== undefined && child.pid === live.pid
      if (child && !started) await end(child, timers) // N1: a loser that is still starting must not come up later
      logger?.info({ url: live.url, pid: live.pid, started }, started ? 'sandbox started' : 'sandbox adopted')
      return { url: live.url, started, stop: async () => (started ? end(child, timers) : undefined) }
    }
    if (child && hasEnded(child)) {
      if (child.exitCode !== heldByAnother)
        throw notReady(dataDirectory, `It ended with ${child.exitCode ?? child.signalCode}`)
      child = undefined
    }
    if (!child && !holderOf(lockOf(dataDirectory))) child = await launch(dataDirectory)
    await timers.sleep(lookEveryMs)
  }
  await end(child, timers)
  const holder = holderOf(lockOf(dataDirectory))
  const who = holder ? `Process ${holder.pid} has the directory but does not answer; end it` : 'It does not answer'
  throw notReady(dataDirectory, who)
}

/** The announced process, if it holds the directory and answers as itself (N4). */
async function findLive(directory: string, timers: Timers): Promise<{ url: string; pid: number } | undefined> {
  const hint = announced(directory)
  if (!hint || holderOf(lockOf(directory))?.pid !== hint.pid) return undefined
  const said = await askLivez(hint.url, timers)
  return said?.name === 'cauce-sandbox' && said.pid === hint.pid ? hint : undefined
}

function askLivez(url: string, timers: Timers): Promise<{ name?: unknown; pid?: unknown } | undefined> {
  return new Promise((resolve) => {
    const request = get(new URL('/livez', url), { agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('error', () => resolve(undefined))
      response.on('end', () => resolve(parsed(body)))
    })
    const cancel = timers.after(probeMs, () => request.destroy())
    request.on('error', () => resolve(undefined))
    request.on('close', () => {
      cancel()
      resolve(undefined) // without effect when it was answered
    })
  })
}

function parsed(body: string): { name?: unknown; pid?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Starts the process (N2) and returns once the system has made it. */
async function launch(directory: string): Promise<ChildProcess> {
  const log = openSync(logOf(directory), 'a')
  try {
    const program = await programFile('sandbox/main.ts')
    const child = spawn(process.execPath, ['--enable-source-maps', program, '--data', directory, '--port', '0'], {
      detached: true,
      stdio: ['ignore', log, log],
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) => reject(notReady(directory, `It could not be started: ${error.message}`)))
    })
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

async function end(child: ChildProcess | undefined, timers: Timers): Promise<void> {
  if (!child || hasEnded(child)) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const cancel = timers.after(stopWithinMs, () => child.kill('SIGKILL'))
  await ended
  cancel()
}

const logOf = (directory: string): string => join(directory, 'sandbox.log')

function notReady(directory: string, why: string): SandboxNotReady {
  const log = logOf(directory)
  const tail = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n') : ''
  return new SandboxNotReady(`The sandbox in ${directory} is not there. ${why}. ${log} ends with:\n${tail}`)
}
