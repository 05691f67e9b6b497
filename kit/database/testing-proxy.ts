/**
 * A way to a PostgreSQL server that a test can break: the failures of a network, without one.
 *
 *   const proxy = await openProxy(database.url)
 *   const pool = createPool({ url: proxy.url, … })
 *   proxy.swallow('answers')    // requests arrive, answers do not
 *   proxy.cut()                 // every connection ends
 */
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'

export interface Proxy {
  /** The same database by this way. */
  readonly url: string
  /** From now on what goes this way is lost; connections stay open. */
  swallow(what: 'answers' | 'everything' | 'nothing'): void
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

export async function openProxy(url: string): Promise<Proxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let lost: 'answers' | 'everything' | 'nothing' = 'nothing'
  let watch: { text: string; act: () => void } | undefined
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        // The end of the server is one of the things that do not arrive.
        if (lost !== 'everything' || socket === client) other.destroy()
      })
    }
    client.on('data', (data) => {
      if (watch && data.includes(watch.text)) {
        const { act } = watch
        watch = undefined
        act()
      }
      if (lost !== 'everything') upstream.write(data)
    })
    upstream.on('data', (data) => {
      if (lost === 'nothing') client.write(data)
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
  const changed = new URL(url)
  changed.hostname = '127.0.0.1'
  changed.port = String(port)
  return {
    url: changed.href,
    swallow: (what) => void (lost = what),
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
