/**
 * The network between two parties on this machine, as a thing that can be broken: TCP connections to a port go through here.
 *
 *   const wire = await wireTo(() => 5432, systemTimers)
 *   const pool = createPool({ url: wire.by(database.url), … })
 *   wire.swallow('answers')     // requests arrive, answers do not
 *   wire.cut()                  // every connection ends
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Timers } from '../../core/clock.ts'

export interface Wire {
  /** Where to connect instead. */
  readonly port: number
  /** The same address by this way. */
  by(url: string): string
  /** From now on what goes this way is lost; connections stay open. */
  swallow(what: 'answers' | 'everything' | 'nothing'): void
  /**
   * The next answer is lost: what comes back first is thrown away, and the connection with it. Resolves when that has happened,
   * so whatever the other side did before it answered is done.
   */
  loseAnswer(): Promise<void>
  /** Calls `act` when the next request that contains this text has come, before it is passed on. */
  onRequest(text: string, act: () => void): void
  /** Ends every connection. New ones are taken. */
  cut(): void
  /** Ends every connection and refuses new ones, as a server that is down. */
  down(): Promise<void>
  /** Takes connections again, at the same port. */
  up(): Promise<void>
  close(): Promise<void>
}

/**
 * @param target the port at the far end, asked for at each connection
 * @param delayMs how long everything takes, each way. Defaults to nothing.
 */
export async function wireTo(target: () => number, timers: Timers, delayMs = 0): Promise<Wire> {
  const sockets = new Set<Socket>()
  let swallowed: 'answers' | 'everything' | 'nothing' = 'nothing'
  let lose: (() => void) | undefined
  let watch: { text: string; act: () => void } | undefined
  const later = (work: () => void) => (delayMs === 0 ? work() : void timers.after(delayMs, work))
  const server = createServer((near) => {
    const far = connect(target(), '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        // The end of the far side is one of the things that do not arrive.
        if (swallowed !== 'everything' || socket === near) later(() => other.destroy())
      })
    }
    near.on('data', (data) => {
      if (watch && data.includes(watch.text)) {
        const { act } = watch
        watch = undefined
        act()
      }
      if (swallowed !== 'everything') later(() => far.write(data))
    })
    far.on('data', (data) => {
      if (lose) {
        near.destroy()
        lose()
        lose = undefined
      } else if (swallowed === 'nothing') later(() => near.write(data))
    })
  })
  await listen(server, 0)
  const { port } = server.address() as AddressInfo
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const down = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      cut()
    })
  return {
    port,
    by(url) {
      const changed = new URL(url)
      changed.hostname = '127.0.0.1'
      changed.port = String(port)
      return changed.href
    },
    swallow: (what) => void (swallowed = what),
    loseAnswer: () => new Promise((resolve) => (lose = resolve)),
    onRequest: (text, act) => void (watch = { text, act }),
    cut,
    down,
    up: () => listen(server, port),
    close: () => (server.listening ? down() : Promise.resolve()),
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}
