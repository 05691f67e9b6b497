/**
 * The server as a child process.
 *
 *   starting ──line on stdout──▶ running ──disconnect──▶ stopping ──▶ ended
 *
 * 1. It shares our process group: what ends the group ends both. When only we die, the channel between us closes, the server
 *    notices ('disconnect') and stops: nothing that nobody watches is left behind.
 * 2. It is asked to stop by closing that channel, not by a signal: at Ctrl-C the terminal signals the whole group, and a server
 *    that gets a second signal takes it for impatience. For the same reason the channel closes a moment later.
 * 3. Its standard error is the log file; its standard output says once where it listens.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Timers } from '@cauce/kit/core/clock'
import type { LogFile } from './log-file.ts'

/** What the server says when it listens. */
export interface Ready {
  readonly url: string
  readonly database: string
  readonly durable: boolean
  readonly sandboxUrl: string | null
  readonly services: readonly string[]
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServerProcess {
  readonly pid: number | undefined
  /** Undefined when it ends before it listens. */
  readonly ready: Promise<Ready | undefined>
  readonly ended: Promise<Ended>
  /** Asks it to finish what it has begun and to end. */
  stop(): Promise<void>
  kill(): void
}

export interface SpawnOptions {
  readonly env: NodeJS.ProcessEnv
  readonly log: LogFile
  readonly timers: Timers
  /** The file of JavaScript to run. */
  readonly program: string
}

/** How long a signal that the terminal sent to the group takes to arrive, generously. */
const SIGNALS_ARRIVE_MS = 200

export function spawnServer({ env, log, timers, program }: SpawnOptions): ServerProcess {
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    env,
    stdio: ['ignore', 'pipe', log.descriptor, 'ipc'],
  })
  closeSync(log.descriptor)
  const ended = new Promise<Ended>((resolve) => {
    child.once('error', () => resolve({ code: 1, signal: null }))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return {
    pid: child.pid,
    ready: Promise.race([firstLine(child), ended.then(() => undefined)]),
    ended,
    async stop() {
      await timers.sleep(SIGNALS_ARRIVE_MS)
      if (child.connected) child.disconnect()
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

function firstLine({ stdout }: ChildProcess): Promise<Ready> {
  return new Promise((resolve) => {
    let text = ''
    stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end > 0 && text.startsWith('{')) resolve(JSON.parse(text.slice(0, end)) as Ready)
    })
  })
}
