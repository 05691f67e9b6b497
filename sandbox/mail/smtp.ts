/**
 * The inbox's door: SMTP on loopback, without passwords and without TLS. A mail is answered for with 250 when it is durable, so a
 * sender that hears anything else, or nothing, sends it again; the Message-ID tells that it is the same one.
 *
 *   250 stored · 451 not stored, try again (also a fault that was asked for) · 552 too large · cut: stored, the answer is lost
 */
import type { Socket } from 'node:net'
import type { Clock } from '@cauce/kit/core/clock'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import type { Faults } from '../faults.ts'
import type { Store } from '../storage/store.ts'
import { mailOf, type Inbox, type Mail } from './inbox.ts'

export interface PostOfficeOptions {
  readonly inbox: Inbox
  readonly store: Store
  readonly faults: Faults
  readonly clock: Clock
  /** How long mails that are coming in are waited for after `close`. */
  readonly drainMs: number
}

export interface PostOffice {
  /** Listens on loopback. @returns the port. Rejects when it is taken. */
  listen(port: number, host: string): Promise<number>
  close(): Promise<void>
}

const sizeLimitBytes = 256 * 1024

export function postOffice({ inbox, store, faults, clock, drainMs }: PostOfficeOptions): PostOffice {
  const underWay = new Set<Promise<void>>()
  const server = new SMTPServer({
    name: 'cauce-sandbox',
    banner: 'Cauce sandbox',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: sizeLimitBytes,
    closeTimeout: drainMs,
    logger: false,
    onData(stream, session, callback) {
      const work = receive(stream, session).then(() => callback(null), callback)
      underWay.add(work)
      void work.finally(() => underWay.delete(work))
    },
  })

  const sockets = socketsOf(server)

  async function receive(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const mail = await readOut(stream, session)
    const fate = faults.fate('mail')
    await fate.delay()
    if (fate.strikes('errorRate')) throw refusal(451, 'This error was asked for with PUT /faults')
    await store
      .change(inbox, mail.key, () => inbox.decideReceipt(mail, clock.now()))
      .catch((error: unknown) => {
        throw refusal(451, `The mail could not be stored: ${String(error)}`)
      })
    if (fate.strikes('lostAnswerRate')) sockets.get(session.remotePort)?.destroy()
  }

  return {
    listen: (port, host) => listenOn(server, port, host),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      void Promise.all(underWay).then(() => hangUp(server)) // else an idle sender would be waited for
      await closed
    },
  }
}

async function readOut(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<Mail> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  if (stream.sizeExceeded) throw refusal(552, `A mail may have ${sizeLimitBytes} bytes`)
  const { mailFrom, rcptTo } = envelope
  const to = rcptTo.map(({ address }) => address)
  return mailOf({ from: mailFrom === false ? '' : mailFrom.address, to }, Buffer.concat(chunks))
}

/** The sockets of a server by their remote port, which on loopback tells them apart. */
function socketsOf(server: SMTPServer): ReadonlyMap<number | undefined, Socket> {
  const sockets = new Map<number | undefined, Socket>()
  server.server.on('connection', (socket) => {
    const { remotePort } = socket
    sockets.set(remotePort, socket)
    socket.on('close', () => sockets.delete(remotePort))
  })
  return sockets
}

function hangUp(server: SMTPServer): void {
  for (const connection of server.connections) {
    connection.send(421, 'The sandbox stops')
    connection.close()
  }
}

const refusal = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode })

function listenOn(server: SMTPServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', (error) => console.error(error)) // a connection's own trouble ends that connection alone
      const address = server.server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
