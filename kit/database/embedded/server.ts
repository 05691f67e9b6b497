/**
 * The embedded PostgreSQL: a real server from npm on `CAUCE_DATA`, started, adopted, watched and stopped by us.
 *
 *   starting ──► up ◄──► down ──► (stopped)
 *
 * 1. The server is a process of its own, in a session of its own: killing us does not stop it, and whoever comes next adopts it.
 * 2. While we live it is watched: a dead postmaster is noticed within 250 ms and started again, with backoff, for ever.
 * 3. Several processes may use one CAUCE_DATA. Each registers; the last to leave stops the server; a twin that sees it go
 *    meanwhile starts it again. Starting, initialising and stopping happen under one lock.
 * 4. An empty cluster is made by a first start only. If the data disappears under a running application it stays down.
 * 5. Listens on 127.0.0.1 only. The port is kept from start to start while it is free: read `url` again at every 'up'.
 */
import { join } from 'node:path'
import { type Clock, type Timers, systemClock, systemTimers } from '../../core/clock.ts'
import { findBinaries } from './binaries.ts'
import { stopServer } from './control.ts'
import { type Cluster, type Running, ensureRunning } from './ensure.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { sweepLeftovers } from './leftovers.ts'
import { withLock } from './lock.ts'
import { openHome, settlePlace, socketDirectory } from './place.ts'
import { urlOf } from './probe.ts'
import { watchProcess } from './processes.ts'
import { readOrMakeSecret } from './secret.ts'
import { type Settings, defaultSettings } from './settings.ts'
import { countUsers, register } from './users.ts'

export interface EmbeddedOptions {
  /** CAUCE_DATA. Created when missing. */
  dataDirectory: string
  logger: Logger
  clock?: Clock
  timers?: Timers
  /** Added to, or instead of, the defaults in settings.ts. They take effect when the server starts, not when it is adopted. */
  settings?: Settings
  /** How long a start may take, recovery included. Defaults to 60,000. */
  startLimitMs?: number
}

export type ServerState = 'up' | 'down' | 'stopped'

export interface EmbeddedServer {
  /** `postgres://cauce:<password>@127.0.0.1:<port>/cauce`, a superuser's. The port may change when the server comes back. */
  readonly url: string
  readonly state: ServerState
  /** The directory with the cluster (`data/`) and its log (`postgres.log`). */
  readonly location: string
  /** The directory of its Unix socket (the file is `.s.PGSQL.<port>`), or undefined when the path is too long for one. */
  readonly socketDirectory: string | undefined
  /** True when it was already running when we came. */
  readonly adopted: boolean
  /** The postmaster's process id. */
  readonly pid: number
  /** Calls back at every change, after `url` and `state` have changed. Returns how to stop listening. */
  onState(listener: (state: ServerState) => void): () => void
  /** Leaves. Stops the server when nobody else uses it. Answers whether it was stopped or left to others. Idempotent. */
  stop(): Promise<'stopped' | 'left'>
}

const WATCH_MS = 200
const STOP_PATIENCE_MS = 15_000
const BACKOFF_BASE_MS = 200
const BACKOFF_CAP_MS = 5_000
/** A server that lived this long was not crashing at its start. */
const HEALTHY_MS = 30_000

/** Starts or adopts the server. Throws EmbeddedPostgresError. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { logger, clock = systemClock, timers = systemTimers, startLimitMs = 60_000 } = options
  const begun = clock.monotonic()
  const home = openHome(options.dataDirectory)
  const lock = { path: join(home, 'postgres.lock'), clock, timers }
  const users = join(home, 'users')
  const leave = register(users)
  try {
    const { cluster, running } = await withLock(lock.path, lock, async () => {
      const { place, account } = await settlePlace(home, timers, logger)
      const binaries = await findBinaries({ account, timers, logger })
      const secret = readOrMakeSecret(home)
      const settings = { ...defaultSettings, ...options.settings }
      const cluster: Cluster = { home, place, account, binaries, secret, settings, clock, timers, logger }
      if (place.root !== join(home, 'pg')) await sweepLeftovers(home, place, { clock, timers, logger })
      return { cluster, running: await ensureRunning(cluster, { mayInitialise: true, limitMs: startLimitMs }) }
    })
    const { pid, port, adopted } = running
    const tookMs = Math.round(clock.monotonic() - begun)
    logger.info({ pid, port, adopted, location: cluster.place.root, tookMs }, 'embedded PostgreSQL is up')
    return supervise(cluster, running, { lock, users, leave, startLimitMs })
  } catch (error) {
    leave()
    throw error
  }
}

interface Supervision {
  lock: { path: string; clock: Clock; timers: Timers }
  users: string
  leave: () => void
  startLimitMs: number
}

function supervise(
  cluster: Cluster,
  first: Running,
  { lock, users, leave, startLimitMs }: Supervision,
): EmbeddedServer {
  const { clock, timers, logger, place, secret } = cluster
  const listeners = new Set<(state: ServerState) => void>()
  const stopping = new AbortController()
  const again = { mayInitialise: false, limitMs: startLimitMs }
  let running = first
  let state: ServerState = 'up'
  let stopped: Promise<'stopped' | 'left'> | undefined

  const become = (next: ServerState) => {
    state = next
    for (const listener of listeners) {
      try {
        listener(next)
      } catch (error) {
        logger.error({ err: error }, 'embedded PostgreSQL: a state listener threw') // A bug of theirs must not end the watch.
      }
    }
  }

  /** Until it runs again or we are stopping. */
  async function bringBack(failures: number): Promise<number> {
    for (; !stopping.signal.aborted; failures++) {
      if (failures > 0)
        await timers.sleep(Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (failures - 1)), stopping.signal)
      if (stopping.signal.aborted) break
      try {
        running = await withLock(lock.path, lock, () => ensureRunning(cluster, { ...again, signal: stopping.signal }))
        return failures
      } catch (error) {
        logger.error({ err: error, failures: failures + 1 }, 'embedded PostgreSQL does not come back, trying again')
      }
    }
    return failures
  }

  async function watch(): Promise<void> {
    let failures = 0
    while (!stopping.signal.aborted) {
      const since = clock.monotonic()
      const postmaster = watchProcess(running.pid, running.identity)
      while (postmaster.isAlive() && !stopping.signal.aborted) await timers.sleep(WATCH_MS, stopping.signal)
      postmaster.close()
      if (stopping.signal.aborted) return
      logger.warn({ pid: running.pid }, 'embedded PostgreSQL died, starting it again')
      become('down')
      // One that dies soon after each start is given the longer and longer pauses of a failing start.
      failures = clock.monotonic() - since > HEALTHY_MS ? 0 : failures
      failures = (await bringBack(failures)) + 1
      if (stopping.signal.aborted) return
      logger.info({ pid: running.pid, port: running.port }, 'embedded PostgreSQL is up again')
      become('up')
    }
  }
  const watching = watch()

  async function stop(): Promise<'stopped' | 'left'> {
    stopping.abort()
    await watching
    leave()
    const outcome = await withLock(lock.path, { ...lock, patienceMs: STOP_PATIENCE_MS }, async () => {
      if (countUsers(users) > 0) return 'left'
      await stopServer(cluster)
      return 'stopped'
    })
    become('stopped')
    return outcome
  }

  return {
    get url() {
      return urlOf(running.port, secret.password, { socket: socketDirectory(place) })
    },
    get state() {
      return state
    },
    get pid() {
      return running.pid
    },
    location: place.root,
    socketDirectory: socketDirectory(place),
    adopted: first.adopted,
    onState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    stop: () => (stopped ??= stop()),
  }
}
