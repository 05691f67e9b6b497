/**
 * The card processor of the lab: another company, which nobody kills. It speaks as the sandbox's does (authorise, capture), and
 * under one Idempotency-Key it charges once. What it was asked to charge can be counted by amount.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Timers } from '@cauce/kit/core/clock'
import { gathering } from '../harness/gathering.ts'

export interface Processor {
  readonly url: string
  /** How many charges of this amount there are. */
  charges(amount: number): number
  /** From now on charges of this amount are answered together: when so many have come, or nobody comes for a while. */
  gather(amount: number, parties: number): void
  /** The next charge of this amount is made, and its answer never leaves. Resolves when it is made. */
  keepSilent(amount: number): Promise<void>
  close(): Promise<void>
}

const PATIENCE_MS = 100
/** The longest that an authorisation stands. */
const UNTIL = '2099-01-01T00:00:00.000Z'

interface Charge {
  readonly key: string
  readonly amount: number
}

export async function startProcessor(timers: Timers): Promise<Processor> {
  const charges = new Map<string, Charge>()
  const waits = new Map<number, () => Promise<void>>()
  let drawn = 0
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const sent = JSON.parse(await bodyOf(request)) as { readonly amount: number }
    const [, charged, step] = /^\/charges\/([^/]+)\/(\w+)$/.exec(path) ?? []
    if (charged !== undefined) return capture(decodeURIComponent(charged), step, response)
    const key = request.headers['idempotency-key']?.toString() ?? `drawn-${++drawn}`
    const known = charges.get(key)
    if (known && known.amount !== sent.amount) return answer(response, 422, { code: 'key-reused' })
    if (!known) charges.set(key, { key, amount: sent.amount })
    await waits.get(sent.amount)?.()
    answer(response, 201, { id: key, key, status: 'authorized', expiresAt: UNTIL })
  }
  function capture(key: string, step: string | undefined, response: ServerResponse): void {
    if (!charges.has(key) || step !== 'capture') return answer(response, 404, { code: 'not-found' })
    answer(response, 200, { status: 'captured' })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    charges: (amount) => [...charges.values()].filter((charge) => charge.amount === amount).length,
    gather(amount, parties) {
      const together = gathering(parties, PATIENCE_MS, timers)
      waits.set(amount, () => together.arrive())
    },
    keepSilent: (amount) =>
      new Promise((resolve) => {
        waits.set(amount, () => {
          waits.delete(amount)
          resolve()
          return new Promise(() => undefined)
        })
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text || '{}'
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
