/**
 * Composition of the outside world: one lock, one store, a book and routes per provider, one HTTP server on loopback.
 * A new provider is a folder with its book and routes, named here.
 *
 * Start: lock, replay, listen, announce. Stop: no new requests, those under way are answered (for at most
 * `drainMs`), then the journal is closed and the lock released. After kill -9 the next start does without any of that.
 */
import { mkdirSync, realpathSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Timers } from '@cauce/kit/core/clock'
import { announce, announced, lockOf } from './announcement.ts'
import { carrierRoutes } from './carrier/routes.ts'
import { Shipments } from './carrier/shipments.ts'
import { Faults } from './faults.ts'
import { createHttpServer, type Routes } from './http.ts'
import { takeLock } from './storage/lock.ts'
import { openStore, type Store } from './storage/store.ts'

export interface Sandbox {
  readonly url: string
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
  /** 0: the port of the last time when it is free, so that a restart is found again, else any. */
  readonly port: number
  readonly timers: Timers
  /** Told when the disk no longer says what it holds: the process must end. */
  readonly onBroken: (error: Error) => void
}

/** @throws SandboxHeld, JournalDamaged, or the listener's error (EADDRINUSE). */
export async function startSandbox({ dataDirectory, port, timers, onBroken }: SandboxOptions): Promise<Sandbox> {
  mkdirSync(dataDirectory, { recursive: true })
  const directory = realpathSync(dataDirectory)
  const lock = takeLock(lockOf(directory))
  if ('heldBy' in lock) {
    throw new SandboxHeld(
      `Process ${lock.heldBy.pid} keeps its sandbox in ${directory}. Use that one, stop it, or give another directory.`,
    )
  }
  let store: Store | undefined
  try {
    const shipments = new Shipments()
    store = await openStore(directory, [shipments], onBroken)
    const server = createHttpServer(routesOf(shipments, store, timers))
    const url = `http://${host}:${await listen(server, port, lastPort(directory))}`
    announce(directory, { url, pid: process.pid })
    return { url, close: () => stop(server, store, timers).finally(lock.release) }
  } catch (error) {
    await store?.close()
    lock.release()
    throw error
  }
}

function routesOf(shipments: Shipments, store: Store, timers: Timers): Routes {
  const faults = new Faults(['carrier'], timers)
  const routes: Routes = {
    'GET /livez': () => ({ status: 200, body: { status: 'ok', name: 'cauce-sandbox', pid: process.pid } }),
    'GET /doubles': () => ({ status: 200, body: { charges: 0, shipments: shipments.doubles() } }),
    ...carrierRoutes(shipments, store, faults),
    ...faults.routes,
  }
  const calls = ['GET /', ...Object.keys(routes)].toSorted()
  routes['GET /'] = () => ({
    status: 200,
    body: {
      name: 'cauce-sandbox',
      description: 'The outside world to develop Cauce against: a carrier that remembers every key',
      pid: process.pid,
      shipments: shipments.size,
      calls,
    },
  })
  return routes
}

async function listen(server: Server, port: number, preferred: number): Promise<number> {
  if (port !== 0 || preferred === 0) return listenOn(server, port)
  try {
    return await listenOn(server, preferred)
  } catch {
    return listenOn(server, 0)
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

function lastPort(directory: string): number {
  const last = announced(directory)
  return last ? Number(new URL(last.url).port) : 0
}

async function stop(server: Server, store: Store | undefined, timers: Timers): Promise<void> {
  const cancel = timers.after(drainMs, () => server.closeAllConnections())
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  cancel()
  await store?.close()
}
