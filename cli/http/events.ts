/**
 * Server-sent events, read until the server says that nothing is to come (204). A stream that breaks off or ends is opened again
 * with the last id, so nothing is missed; a server that is silent for longer than the patience is given up.
 */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import type { Random } from '@cauce/kit/core/prng'
import type { Fetch } from './client.ts'
import { isProblem, NotCauce, Refused, Unreachable } from './problem.ts'

export interface ServerEvent {
  readonly id: string
  readonly event: string
  readonly data: unknown
}

export interface EventOptions {
  readonly url: string
  readonly path: string
  readonly token: () => Promise<string>
  readonly fetch: Fetch
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** How long a server that answered before is waited for. */
  readonly patienceMs: number
}

const passing = new Set([429, 502, 503, 504])
const LONGEST_PAUSE_MS = 2000

/** @throws Refused, Unreachable, NotCauce */
export async function* events(options: EventOptions): AsyncGenerator<ServerEvent> {
  const { url, clock, timers, random, patienceMs } = options
  let lastId: string | undefined
  let everHeard = false
  let heardMs = clock.monotonic()
  for (let attempt = 1; ; attempt++) {
    let reason = 'the stream ended'
    try {
      const response = await open(options, lastId)
      if (response.status === 204) return
      if (passing.has(response.status)) reason = `HTTP ${response.status}`
      else {
        if (!response.ok || !response.body) throw await refusalOf(response, url)
        everHeard = true
        heardMs = clock.monotonic()
        attempt = 0
        for await (const event of parse(response.body)) {
          lastId = event.id
          heardMs = clock.monotonic()
          yield event
        }
      }
    } catch (error) {
      if (error instanceof Refused || error instanceof NotCauce) throw error
      const { cause } = error as { cause?: { code?: unknown; message?: string } }
      reason = typeof cause?.code === 'string' ? cause.code : (cause?.message ?? (error as Error).message)
      if (!everHeard) throw new Unreachable({ url, reason, silentMs: undefined, key: undefined })
    }
    const silentMs = clock.monotonic() - heardMs
    if (silentMs > patienceMs) throw new Unreachable({ url, reason, silentMs: Math.round(silentMs), key: undefined })
    await timers.sleep(random.next() * Math.min(LONGEST_PAUSE_MS, 100 * 2 ** Math.min(attempt, 10)))
  }
}

async function open({ url, path, token, fetch }: EventOptions, lastId: string | undefined): Promise<Response> {
  return fetch(url + path, {
    redirect: 'manual',
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${await token()}`,
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    },
  })
}

async function refusalOf(response: Response, url: string): Promise<Error> {
  const body: unknown = await response.json().catch(() => undefined)
  return isProblem(body) ? new Refused(body) : new NotCauce(url, response.status)
}

/** Our own events: one line of data each, and comments. */
async function* parse(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => fieldOf(line)))
      const data = fields.get('data')
      if (data === undefined) continue
      yield { id: fields.get('id') ?? '', event: fields.get('event') ?? 'message', data: JSON.parse(data) as unknown }
    }
  }
}

function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}
