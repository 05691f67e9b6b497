/** A world for tests: what is printed is kept, the network is a function, time passes as fast as the work. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventEmitter } from 'node:events'
import { systemClock, systemTimers, type Timers } from '@cauce/kit/core/clock'
import { seeded } from '@cauce/kit/core/prng'
import { onTestFinished } from 'vitest'
import { runCli } from './program.ts'
import type { World } from './shell.ts'

/** Sleeps for a turn of the event loop, however long it was asked for. */
export const hurriedTimers: Timers = {
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
  after: (ms, task) => systemTimers.after(ms, task),
}

/** An empty directory that is gone after the test. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cauce-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface TestWorld extends World {
  readonly signals: EventEmitter
  readonly printed: { out: string; err: string }
}

export type Handler = (url: URL, request: RequestInit) => Response | Promise<Response>

export const refuseConnection: Handler = () => {
  throw Object.assign(new TypeError('fetch failed'), {
    cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
  })
}

export const loseConnection: Handler = () => {
  throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET', message: 'socket hang up' } })
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })

export const problem = (status: number, code: string, headers: Record<string, string> = {}): Response => {
  const type = `urn:cauce:problem:${code}`
  return json(
    status,
    { type, title: `Title of ${code}`, status, detail: `Detail of ${code}`, code, requestId: 'req-1' },
    headers,
  )
}

export function testWorld(handler: Handler = refuseConnection, given: Partial<World> = {}): TestWorld {
  const printed = { out: '', err: '' }
  let drawn = 0
  return {
    env: {},
    directory: temporaryDirectory(),
    stdout: { write: (text) => (printed.out += text) },
    stderr: { write: (text) => (printed.err += text) },
    fetch: async (input, init = {}) => handler(new URL(input), init),
    clock: systemClock,
    timers: hurriedTimers,
    random: seeded(1),
    ids: { draw: () => String(++drawn).padStart(32, '0') },
    ...given,
    signals: new EventEmitter(),
    printed,
  }
}

/** Runs a command line as it would be typed: `'audit --json'`. */
export async function typed(line: string, world = testWorld()): Promise<{ code: number; out: string; err: string }> {
  const code = await runCli(line.split(' ').filter(Boolean), world)
  return { code, ...world.printed }
}
