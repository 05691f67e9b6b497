import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ProviderUnavailable, providerPolicy, type ProviderPolicy } from '@cauce/kit/policy/call'
import { httpCarrier } from './carrier-http.ts'
import type { BookingAnswer, BookingRequest } from './carrier.ts'

const request: BookingRequest = {
  shipmentId: 'shp_1',
  orderId: 'ord_1',
  shipTo: { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28001', country: 'ES' },
  lines: [{ sku: 'LAMP', quantity: 2 }],
}

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

type Answerer = (response: ServerResponse, seen: Seen, call: number) => void

/** A carrier on the loopback that answers as told, and notes what it is asked. */
async function carrierThat(answer: Answerer) {
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
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => connections,
    close,
  }
}

const saying =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answerer =>
  (response) =>
    void response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))

const guard = (more: Partial<Parameters<typeof providerPolicy>[0]> = {}): ProviderPolicy =>
  providerPolicy({ name: 'carrier', timeoutMs: 5_000, concurrency: 100, ...more })

const half = { next: () => 0.5 }

function book(
  url: string,
  { policy = guard(), signal = new AbortController().signal, asked = request } = {},
): Promise<BookingAnswer> {
  return httpCarrier({ url, policy, random: half }).book(asked, { key: 'k1', requestId: 'req-1', signal })
}

const answering = async (status: number, body: unknown, headers?: Record<string, string>) =>
  book((await carrierThat(saying(status, body, headers))).url)

describe('what is sent', () => {
  test('the request under its key, and nothing else that may be in it', async () => {
    const { url, seen } = await carrierThat(saying(201, { tracking: 'CRR1' }))
    expect(await book(`${url}/api/`, { asked: { ...request, note: 'x' } as BookingRequest })).toEqual({
      kind: 'booked',
      tracking: 'CRR1',
    })
    const [{ method, url: path, headers, body } = seen[0]!] = seen
    expect([method, path, JSON.parse(body)]).toEqual(['POST', '/api/shipments', request])
    expect(headers).toMatchObject({
      'idempotency-key': 'k1',
      'x-request-id': 'req-1',
      'content-type': 'application/json',
    })
  })

  test('over one connection, time and again', async () => {
    const { url, seen, connections } = await carrierThat(saying(201, { tracking: 'CRR1' }))
    const carrier = httpCarrier({ url, policy: guard() })
    const { signal } = new AbortController()
    for (let i = 0; i < 20; i++) await carrier.book(request, { key: `k${i}`, requestId: 'r', signal })
    expect([seen.length, connections()]).toEqual([20, 1])
  })
})

describe('what the answers mean', () => {
  const again = (reason: string, afterMs?: number) => ({
    kind: 'again',
    reason,
    ...(afterMs === undefined ? {} : { afterMs }),
  })
  const soon = { 'retry-after': '2' }

  test.each<[number, unknown, Record<string, string>, object]>([
    [201, { tracking: 'CRR1' }, {}, { kind: 'booked', tracking: 'CRR1' }],
    [200, { tracking: 'CRR1' }, {}, { kind: 'booked', tracking: 'CRR1' }],
    [422, { code: 'undeliverable', message: 'Not there' }, {}, { kind: 'undeliverable', message: 'Not there' }],
    [
      409,
      { code: 'voided', message: 'Gone' },
      {},
      { kind: 'refused', reason: 'The carrier answered 409 voided: Gone' },
    ],
    [
      400,
      { code: 'not-json', message: 'Bad' },
      {},
      { kind: 'refused', reason: 'The carrier answered 400 not-json: Bad' },
    ],
    [413, { code: 'too-large' }, {}, { kind: 'refused', reason: 'The carrier answered 413 too-large' }],
    [413, 'too large', {}, again('The carrier answered 413')],
    [409, { code: 'in-progress' }, {}, again('The carrier answered 409 in-progress')],
    [404, { code: 'undeliverable' }, {}, again('The carrier answered 404 undeliverable')],
    [422, { code: 'key-reused', message: 'No' }, {}, again('The carrier answered 422 key-reused')],
    [401, { message: 'Who are you?' }, {}, again('The carrier answered 401')],
    [404, '<html>', {}, again('The carrier answered 404')],
    [429, null, soon, again('The carrier answered 429', 2_500)],
    [301, '', { location: '/' }, again('The carrier answered 301')],
    [503, { code: 'busy' }, {}, again('The carrier answered 503 busy')],
    [503, { code: 'busy' }, soon, again('The carrier answered 503 busy', 2_500)],
    [503, '', { 'retry-after': 'soon' }, again('The carrier answered 503')],
    [503, '', { 'retry-after': '0' }, again('The carrier answered 503', 313)],
    [503, '', { 'retry-after': '999999' }, again('The carrier answered 503', 1_125_000)],
    [500, '<html>', {}, again('The carrier answered 500')],
    [201, '', {}, again('The carrier answered 201 without a tracking number')],
    [201, '"CRR1"', {}, again('The carrier answered 201 without a tracking number')],
    [201, { tracking: 'a\u0000' }, {}, again('The carrier answered 201 without a tracking number')],
  ])('%i %j %j', async (status, body, headers, expected) => {
    expect(await answering(status, body, headers)).toEqual(expected)
  })

  test('a date to come back is counted from the answer’s own date', async () => {
    const headers = { date: 'Wed, 21 Oct 2015 07:28:00 GMT', 'retry-after': 'Wed, 21 Oct 2015 07:28:04 GMT' }
    expect(await answering(503, '', headers)).toMatchObject({ kind: 'again', afterMs: 5_000 })
    expect(await answering(503, '', { ...headers, 'retry-after': 'Tue, 20 Oct 2015 07:28:00 GMT' })).toMatchObject({
      afterMs: 313,
    })
  })

  test('its texts are cut and cleaned', async () => {
    const message = `No\u0000 \ud800way${'.'.repeat(1_000)}`
    const answer = await answering(422, { code: 'undeliverable', message })
    expect(answer).toEqual({ kind: 'undeliverable', message: expect.stringMatching(/^No {3}way\.{292}$/) })
  })
})

describe('no answer', () => {
  const unknown = (reason: RegExp | string) => ({ kind: 'again', reason: expect.stringMatching(reason) })

  test('nobody listens', async () => {
    const { url, close } = await carrierThat(saying(201, {}))
    await close()
    expect(await book(url)).toEqual(unknown(/^No answer from 127.0.0.1:\d+: ECONNREFUSED$/))
  })

  test('the connection is cut before the answer, and in the middle of it', async () => {
    const cut = await carrierThat((response) => void response.destroy())
    expect(await book(cut.url)).toEqual(unknown('ECONNRESET'))
    const halfway = await carrierThat((response) => {
      response.writeHead(201, { 'content-length': '100' }).write('{"tracking":', () => response.destroy())
    })
    expect(await book(halfway.url)).toEqual(unknown('ECONNRESET'))
  })

  test('the answer never ends', async () => {
    const { url } = await carrierThat((response) => {
      const more = () => void (response.destroyed || response.write('x'.repeat(10_000), more))
      response.writeHead(201)
      more()
    })
    expect(await book(url)).toEqual(unknown('longer than 65536 characters'))
  })

  test('it does not come in time; the same key then gets it', async () => {
    const { url, seen } = await carrierThat((response, _, call) => {
      if (call > 1) response.writeHead(201).end('{"tracking":"CRR1"}')
    })
    expect(await book(url, { policy: guard({ timeoutMs: 50 }) })).toEqual(unknown('did not answer within 50 ms'))
    expect(await book(url)).toEqual({ kind: 'booked', tracking: 'CRR1' })
    expect(seen[0]!.body).toBe(seen[1]!.body)
    expect(seen[0]!.headers['idempotency-key']).toBe(seen[1]!.headers['idempotency-key'])
  })

  test('the lease is lost meanwhile: unknown, and not held against the carrier', async () => {
    const policy = guard()
    const stops: AbortController[] = []
    const { url } = await carrierThat(() => stops.at(-1)!.abort())
    for (let i = 0; i < 25; i++) {
      const stop = new AbortController()
      stops.push(stop)
      expect(await book(url, { policy, signal: stop.signal })).toEqual(unknown('its outcome is unknown'))
    }
    expect(policy.state()).toBe('closed')
    expect(await book(url, { policy, signal: AbortSignal.abort() })).toEqual(unknown('given up'))
  })
})

describe('the guard', () => {
  test('a carrier that fails is left alone, and every call is told when to come back', async () => {
    const policy = guard()
    const { url, seen } = await carrierThat(saying(500, ''))
    for (let i = 0; i < 20; i++) await book(url, { policy })
    expect(policy.state()).toBe('open')
    const answer = await book(url, { policy })
    expect(answer).toMatchObject({ kind: 'again', reason: expect.stringContaining('this call was not made') })
    expect((answer as { afterMs: number }).afterMs).toBeGreaterThan(5_000)
    expect(seen).toHaveLength(20)
  })

  test('a carrier that refuses is well', async () => {
    const policy = guard()
    const { url } = await carrierThat((response, _, call) => {
      const [status, code] = [
        [422, 'undeliverable'],
        [409, 'voided'],
        [429, ''],
        [401, ''],
      ][call % 4] as [number, string]
      response.writeHead(status).end(JSON.stringify({ code }))
    })
    for (let i = 0; i < 40; i++) await book(url, { policy })
    expect(policy.state()).toBe('closed')
  })

  test('one call too many is told to come back', async () => {
    const policy = guard({ concurrency: 1 })
    const held: ServerResponse[] = []
    const { url } = await carrierThat((response) => {
      held.push(response)
      void book(url, { policy }).then((second) =>
        response.writeHead(201).end(JSON.stringify({ tracking: second.kind })),
      )
    })
    expect(await book(url, { policy })).toEqual({ kind: 'booked', tracking: 'again' })
    expect(held).toHaveLength(1)
  })

  test('right after the open time a call that is not the probe does not come back at once', async () => {
    const policy: ProviderPolicy = {
      name: 'carrier',
      state: () => 'half-open',
      call: () => Promise.reject(new ProviderUnavailable('not made', 0)),
    }
    expect(await book('http://127.0.0.1:1', { policy })).toEqual({ kind: 'again', reason: 'not made', afterMs: 313 })
  })

  test('a bug is not an answer', async () => {
    const policy: ProviderPolicy = {
      name: 'carrier',
      state: () => 'closed',
      call: () => Promise.reject(new TypeError('oops')),
    }
    await expect(book('http://127.0.0.1:1', { policy })).rejects.toThrow('oops')
  })
})
