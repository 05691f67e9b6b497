/** For tests of what is served over HTTP: a server with a key of its own, tokens for it, and bytes through a real socket. */

import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { systemTimers } from '../core/clock.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createAuthenticator } from './auth.ts'
import { loadDevKey, signToken } from './dev-key.ts'
import type { DevKey } from './dev-key.ts'
import type { Role } from './principal.ts'
import type { HttpServer } from './server-types.ts'
import { createHttpServer } from './server.ts'
import { conformanceTo, resolved } from './testing-openapi.ts'
import type { HttpServerOptions } from './server.ts'

export interface TestServer {
  readonly app: HttpServer
  readonly key: DevKey
  readonly metrics: Metrics
  /** What was logged, parsed. */
  readonly lines: Record<string, unknown>[]
  token(subject: string, ...roles: Role[]): Promise<string>
  /** Headers of a customer. */
  as(subject: string, ...roles: Role[]): Promise<{ authorization: string }>
  /** Listens on a free port and gives it. */
  listen(): Promise<number>
  /** Throws when an answer was not as documented, if that was asked for. */
  close(): Promise<void>
}

export type TestServerOptions = Partial<HttpServerOptions> & {
  readonly clock?: Clock
  /** Whether every answer must be what the OpenAPI document promises. Defaults to no. */
  readonly documented?: boolean
}

/** A server on the loopback with a fresh development key; add routes to `app`, then `inject` or `listen`. */
export async function testServer({ documented = false, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'cauce-http-'))
  const key = await loadDevKey(dir)
  await rm(dir, { recursive: true })
  const lines: Record<string, unknown>[] = []
  const logger = createLogger({ stream: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) } })
  const metrics = createMetrics({ node: false })
  const clocked = options.clock ? { clock: options.clock } : {}
  const authenticator = createAuthenticator({ keys: [key.publicJwk], ...clocked })
  const app = await createHttpServer({
    logger,
    metrics,
    version: '0.0.0-test',
    authenticator,
    docs: documented,
    delaysMs: [Infinity, Infinity, Infinity, Infinity], // a busy machine is no reason for a test to fail
    ...options,
  })
  const faults = documented ? watchAnswers(app) : []
  const token = (subject: string, ...roles: Role[]) =>
    signToken(key, { subject, roles: roles.length > 0 ? roles : ['customer'], ...clocked })
  return {
    app,
    key,
    metrics,
    lines,
    token,
    as: async (subject, ...roles) => ({ authorization: `Bearer ${await token(subject, ...roles)}` }),
    async listen() {
      await app.listen({ port: 0, host: '127.0.0.1' })
      return (app.server.address() as AddressInfo).port
    },
    async close() {
      await app.close()
      if (faults.length > 0) throw new Error(`Answers that are not as documented:\n${faults.join('\n')}`)
    },
  }
}

/** What is wrong with the answers that are given from now on. */
function watchAnswers(app: HttpServer): string[] {
  const faults: string[] = []
  let conforms: ReturnType<typeof conformanceTo> | undefined
  app.addHook('onSend', (request, reply, payload, done) => {
    const { method, url } = request
    conforms ??= conformanceTo(resolved(JSON.parse(JSON.stringify(app.swagger()))))
    // Of a stream only what is said before it; with 204 nothing is sent, whatever is given.
    const sent = reply.statusCode === 204 ? '' : payload
    const body = typeof sent === 'string' ? sent : Buffer.isBuffer(sent) ? sent.toString() : ''
    const headers = { get: (name: string) => reply.getHeader(name.toLowerCase())?.toString() }
    faults.push(...conforms({ method, url, status: reply.statusCode, headers, body }))
    done(null, payload)
  })
  return faults
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Writes bytes to the port and reads until the server ends the connection, or until `limitMs`. With `end`, half-closes after
 * writing, as a client does that breaks off.
 */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  { end = false, limitMs = 5_000 } = {},
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {}) // a reset after the answer is not of interest
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('end', () => socket.end())
  socket.write(bytes)
  if (end) socket.end()
  const stop = systemTimers.after(limitMs, () => socket.destroy())
  await closed
  stop()
  return parseAnswer(Buffer.concat(chunks).toString('utf8'))
}

export function parseAnswer(text: string): RawAnswer {
  const split = text.indexOf('\r\n\r\n')
  const [line = '', ...fields] = text.slice(0, split).split('\r\n')
  const headers = Object.fromEntries(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 1).trim(),
    ]),
  )
  return { status: Number(line.split(' ')[1]), headers, body: text.slice(split + 4) }
}
