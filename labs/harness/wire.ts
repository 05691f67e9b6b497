/**
 * The network between two parties, as a thing that can be long, be cut, and lose an answer: TCP connections to a port go through
 * here.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Timers } from '@cauce/kit/core/clock'

export interface Wire {
  /** Where to connect instead. */
  readonly port: number
  /** Ends every connection and takes no new one. */
  cut(): void
  mend(): void
  /**
   * The next answer is lost: what comes back first is thrown away, and the connection with it. Resolves when that has happened,
   * so whatever the other side did before it answered is done.
   */
  loseAnswer(): Promise<void>
  close(): Promise<void>
}

/**
 * @param target the port at the far end, asked for at each connection
 * @param delayMs how long everything takes, each way. Defaults to nothing.
 */
export async function wireTo(target: () => number, timers: Timers, delayMs = 0): Promise<Wire> {
  const sockets = new Set<Socket>()
  let isCut = false
  let lost: (() => void) | undefined
  const later = (work: () => void) => (delayMs === 0 ? work() : void timers.after(delayMs, work))
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
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
        later(() => other.destroy())
      })
    }
    near.on('data', (data) => later(() => far.write(data)))
    far.on('data', (data) => {
      if (!lost) return later(() => near.write(data))
      near.destroy()
      lost()
      lost = undefined
    })
  })
  await listening(server)
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend: () => void (isCut = false),
    loseAnswer: () =>
      new Promise((resolve) => {
        lost = resolve
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      }),
  }
}

const listening = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
