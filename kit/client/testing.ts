/** For tests of what calls a provider: a server on the loopback that answers as told, and notes what it is asked. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Answerer = (response: ServerResponse, seen: Seen, call: number) => void

export interface TestProvider {
  readonly url: string
  readonly seen: readonly Seen[]
  /** How many connections were made to it. */
  connections(): number
  close(): Promise<void>
}

/** Closed when the test ends. */
export async function providerThat(answer: Answerer): Promise<TestProvider> {
  const seen: Seen[] = []
  let connections = 0
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method, url, headers } = incoming
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
      answer(response, seen.at(-1)!, seen.length)
    })
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(close)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, seen, connections: () => connections, close }
}

export const saying =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answerer =>
  (response) =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
