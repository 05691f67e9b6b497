/**
 * A proxy in front of PostgreSQL that loses connections around COMMIT, on loopback. It reads the frontend protocol just
 * enough to know a Bind of the statement `commit` and the answer to it.
 *
 *   before   the connection breaks, and COMMIT never reaches the server, which rolls back
 *   after    the server commits, and the connection breaks instead of telling
 */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'

export type Cut = 'before' | 'after'

export interface CuttingProxy {
  /** Leads to the same database. */
  readonly url: string
  /** The next COMMITs are cut like this, one each. */
  cut(...cuts: readonly Cut[]): void
  /** Cuts ordered that no COMMIT has met yet. */
  pending(): number
  close(): Promise<void>
}

export async function startCuttingProxy(databaseUrl: string): Promise<CuttingProxy> {
  const target = new URL(databaseUrl)
  const cuts: Cut[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname)
    for (const socket of [client, database]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    }
    forward(client, database, cuts)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    cut: (...more) => void cuts.push(...more),
    pending: () => cuts.length,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function forward(client: Socket, database: Socket, cuts: Cut[]): void {
  let cutting: Cut | undefined
  const breakOff = () => {
    client.destroy()
    database.destroy()
  }
  const fromClient = splitter({ startup: true })
  const fromDatabase = splitter({ startup: false })
  client.on('data', (chunk) => {
    for (const message of fromClient(chunk)) {
      if (isBindOfCommit(message)) cutting = cuts.shift()
      if (cutting === 'before') return breakOff()
      database.write(message)
    }
  })
  database.on('data', (chunk) => {
    for (const message of fromDatabase(chunk)) {
      if (cutting === 'after' && isAnswerToCommit(message)) return breakOff()
      client.write(message)
    }
  })
  client.on('close', () => database.destroy())
  database.on('close', () => client.destroy())
}

/** Cuts a stream into protocol messages. Only the very first of a client has no type byte. */
function splitter({ startup }: { startup: boolean }): (chunk: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    const messages: Buffer[] = []
    for (;;) {
      const typed = startup ? 0 : 1
      if (rest.length < typed + 4) return messages
      const length = typed + rest.readInt32BE(typed)
      if (rest.length < length) return messages
      messages.push(rest.subarray(0, length))
      rest = rest.subarray(length)
      startup = false
    }
  }
}

/** Bind: 'B', length, name of the portal, name of the statement. */
function isBindOfCommit(message: Buffer): boolean {
  if (message[0] !== 0x42) return false
  const portalEnd = message.indexOf(0, 5)
  return message.toString('utf8', portalEnd + 1, message.indexOf(0, portalEnd + 1)) === 'commit'
}

/** CommandComplete: 'C', length, tag. */
const isAnswerToCommit = (message: Buffer): boolean =>
  message[0] === 0x43 && message.toString('utf8', 5, 11) === 'COMMIT'
