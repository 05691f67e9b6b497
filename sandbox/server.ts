/**
 * The sandbox as a whole: one lock, one store, what there is of the outside world, one HTTP server and one SMTP server, both on
 * loopback.
 *
 * Start: lock, replay, listen, announce, go on with the webhooks that are owed. Stop: no new requests, those under way are
 * answered (for at most `drainMs`), then the journal is closed and the lock released. After kill -9 the next start does without
 * any of that.
 */
import { mkdirSync, realpathSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock, Timers } from '@cauce/kit/core/clock'
import type { Random } from '@cauce/kit/core/prng'
import { announce, announced, lockOf } from './announcement.ts'
import { createHttpServer } from './http.ts'
import { takeLock } from './storage/lock.ts'
import { openStore, type Store } from './storage/store.ts'
import { booksOf, outsideWorld, type OutsideWorld } from './world.ts'

export interface Sandbox {
  readonly url: string
  /** Where its inbox takes mail. */
  readonly smtp: string
  close(): Promise<void>
}

/** Another process has the directory. */
export class SandboxHeld extends Error {
  override readonly name = 'SandboxHeld'
}

const host = '127.0.0.1'
const drainMs = 5_000

export interface SandboxOptions {
  /** Made when missing. Everything in it is named sandbox.*. */
  readonly dataDirectory: string
  /** Of the HTTP server. 0: the port of the last time when it is free, so that a restart is found again, else any. */
  readonly port: number
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
  /** Told when the disk no longer says what it holds: the process must end. */
  readonly onBroken: (error: Error) => void
}

/** @throws SandboxHeld, JournalDamaged, or the listener's error (EADDRINUSE). */
export async function startSandbox({ dataDirectory, port, onBroken, ...system }: SandboxOptions): Promise<Sandbox> {
  mkdirSync(dataDirectory, { recursive: true })
  const directory = realpathSync(dataDirectory)
  const lock = takeLock(lockOf(directory))
  if ('heldBy' in lock) {
    throw new SandboxHeld(
      `Process ${lock.heldBy.pid} keeps its sandbox in ${directory}. Use that one, stop it, or give another directory.`,
    )
  }
  let store: Store | undefined
  let world: OutsideWorld | undefined
  try {
    const books = booksOf()
    store = await openStore(directory, Object.values(books), onBroken)
    let smtp = ''
    world = outsideWorld({ ...system, books, store, drainMs, smtpUrl: () => smtp })
    const { mail } = world
    const last = announced(directory)
    const server = createHttpServer(world.routes)
    smtp = `smtp://${host}:${await listen((at) => mail.listen(at, host), 0, portOf(last?.smtp))}`
    const url = `http://${host}:${await listen((at) => listenOn(server, at), port, portOf(last?.url))}`
    announce(directory, { url, smtp, pid: process.pid })
    world.sender.restart()
    return { url, smtp, close: () => stop(server, world, store, system.timers).finally(lock.release) }
  } catch (error) {
    await world?.mail.close()
    await store?.close()
    lock.release()
    throw error
  }
}

async function listen(on: (port: number) => Promise<number>, port: number, preferred: number): Promise<number> {
  if (port !== 0 || preferred === 0) return on(port)
  try {
    return await on(preferred)
  } catch {
    return on(0)
  }
}

function listenOn(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.removeListener('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

const portOf = (url: string | undefined): number => (url === undefined ? 0 : Number(new URL(url).port))

async function stop(
  server: Server,
  world: OutsideWorld | undefined,
  store: Store | undefined,
  timers: Timers,
): Promise<void> {
  const cancel = timers.after(drainMs, () => server.closeAllConnections())
  const answered = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  await Promise.all([answered, world?.mail.close()])
  cancel()
  await world?.sender.close()
  await store?.close()
}
