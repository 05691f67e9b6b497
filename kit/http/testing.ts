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
  close(): Promise<void>
}

export type TestServerOptions = Partial<HttpServerOptions> & { readonly clock?: Clock }

/** A server on the loopback with a fresh development key; add routes to `app`, then `inject` or `listen`. */
export async function testServer(options: TestServerOptions = {}): Promise<TestServer> {
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
    docs: false,
    delaysMs: [Infinity, Infinity, Infinity, Infinity], // a busy machine is no reason for a test to fail
    ...options,
  })
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
    close: () => app.close(),
  }
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
