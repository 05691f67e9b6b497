/**
 * Starts and stops the server through pg_ctl, which puts it into a session of its own: it survives whatever ends us, and
 * pg_ctl knows when it is ready. Call everything here while holding the start lock.
 */
import { closeSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import type { Timers } from '../../core/clock.ts'
import type { Account } from './account.ts'
import type { Binaries } from './binaries.ts'
import { SUPERUSER } from './initialise.ts'
import type { Place } from './place.ts'
import { runningPostmaster } from './postmaster.ts'
import { run, signal } from './processes.ts'

export interface Controlled {
  place: Place
  account: Account
  binaries: Binaries
  timers: Timers
}

export type StartResult =
  | { ok: true }
  /**
   * `orphans`: children of a killed server still hold its memory. `port`: somebody else is listening. `refused`: it said why
   * in its log. `silent`: it said nothing, so it was killed or is still recovering.
   */
  | { ok: false; reason: 'orphans' | 'port' | 'refused' | 'silent'; output: string }

const LOG_LIMIT_BYTES = 50 * 1024 * 1024

/** How long pg_ctl waits for a server to become ready before we look for ourselves. */
const READY_S = 10

/** Starts the server on a port. It may still be recovering when this returns without success: look before trying again. */
export async function startServer(
  { place, account, binaries, timers }: Controlled,
  port: number,
): Promise<StartResult> {
  rotateLog(place.log)
  const logged = sizeOf(place.log)
  // Paths go by the environment and the working directory: pg_ctl would put them into a shell command.
  const { code, output } = await run(
    join(binaries.directory, 'pg_ctl'),
    ['start', '-w', '-t', String(READY_S), '-l', 'postgres.log', '-o', `-p ${port}`],
    { account, timers, limitMs: (READY_S + 15) * 1000, directory: place.root, environment: { PGDATA: place.data } },
  )
  if (code === 0) return { ok: true }
  const said = logSince(place.log, logged)
  const reason = /pre-existing shared memory block/.test(said)
    ? 'orphans'
    : /could not (bind|create any TCP\/IP sockets)/.test(said)
      ? 'port'
      : /FATAL|PANIC|error|could not|cannot/.test(said)
        ? 'refused'
        : 'silent'
  return { ok: false, reason, output: `${output}\n${said}` }
}

/** Stops a running server: fast (open transactions roll back), else at once (the next start recovers), else by force. */
export async function stopServer({ place, account, binaries, timers }: Controlled, fastS = 8): Promise<void> {
  for (const [mode, limitS] of [
    ['fast', fastS],
    ['immediate', 4],
  ] as const) {
    if (!runningPostmaster(place)) return
    const environment = { PGDATA: place.data }
    const options = { account, timers, limitMs: (limitS + 5) * 1000, environment }
    await run(join(binaries.directory, 'pg_ctl'), ['stop', '-w', '-m', mode, '-t', String(limitS)], options)
  }
  const left = runningPostmaster(place)
  if (left) signal(left.pid, 'SIGKILL')
}

/** Gives the superuser of a stopped cluster a new password. Whoever may run the data directory may do that. */
export async function teachPassword(
  { place, account, binaries, timers }: Controlled,
  password: string,
): Promise<string | null> {
  const { code, output } = await run(
    join(binaries.directory, 'postgres'),
    ['--single', '-j', '-D', place.data, 'postgres'],
    {
      account,
      timers,
      limitMs: 120_000,
      input: `ALTER ROLE ${SUPERUSER} PASSWORD '${password}';\n\n`,
    },
  )
  return code === 0 && !/ERROR|FATAL/.test(output) ? null : output
}

/**
 * The preferred port when it is free, else a free one. Chosen below the range that systems take for outgoing connections
 * (32768 and up on Linux): a port from that range may be taken by any client while the server restarts.
 */
export async function choosePort(preferred: number): Promise<number> {
  if (preferred > 0 && (await isFree(preferred))) return preferred
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(20_000, 32_000)
    if (await isFree(port)) return port
  }
  return freePort()
}

export async function isFree(port: number): Promise<boolean> {
  return (await listenBriefly(port)) !== null
}

async function freePort(): Promise<number> {
  return (await listenBriefly(0)) ?? 0
}

function listenBriefly(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
    })
  })
}

function rotateLog(path: string): void {
  if (sizeOf(path) > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`)
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** At most the last 8 kB of what was logged after `from`. */
function logSince(path: string, from: number): string {
  const size = sizeOf(path)
  const start = Math.max(from, size - 8192)
  if (size <= start) return ''
  const buffer = Buffer.alloc(size - start)
  const file = openSync(path, 'r')
  try {
    readSync(file, buffer, 0, buffer.length, start)
  } finally {
    closeSync(file)
  }
  return buffer.toString('utf8')
}
