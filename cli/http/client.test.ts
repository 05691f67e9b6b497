import { expect, test } from 'vitest'
import { ManualTime } from '@cauce/kit/core/manual-time'
import { seeded } from '@cauce/kit/core/prng'
import { json, loseConnection, problem, refuseConnection, type Handler } from '../testing.ts'
import { createClient, type Call } from './client.ts'
import { NotCauce, Refused, Unreachable } from './problem.ts'

const place: Call = { method: 'POST', path: '/v1/orders', token: 'secret', body: { a: 1 }, key: 'key-1' }

/** A client whose requests are answered by the given handlers in turn, the last one for ever. */
function clientOf(...handlers: [Handler, ...Handler[]]) {
  const time = new ManualTime()
  const sent: RequestInit[] = []
  const told: string[] = []
  const client = createClient({
    url: 'http://cauce',
    clock: time,
    timers: time,
    random: seeded(1),
    patienceMs: 10_000,
    timeoutMs: 4_000,
    fetch: async (input, init = {}) => {
      sent.push(init)
      const handler = handlers[Math.min(sent.length, handlers.length) - 1] as Handler
      return handler(new URL(input), init)
    },
    onAway: (reason) => told.push(`away ${reason}`),
    onBack: () => told.push('back'),
  })
  const call = (request: Call = place) => time.finish(client.call(request))
  const keys = () => sent.map(({ headers }) => (headers as Record<string, string>)['idempotency-key'])
  return { time, client, call, sent, keys, told }
}

const ok: Handler = () => json(202, { id: 'ord_1' })

test('sends what it is given and answers with the body', async () => {
  const { call, sent } = clientOf(ok)
  expect(await call()).toEqual({ id: 'ord_1' })
  expect(sent[0]).toMatchObject({ method: 'POST', body: '{"a":1}' })
  expect(sent[0]?.headers).toMatchObject({ authorization: 'Bearer secret', 'idempotency-key': 'key-1' })
})

test.each<[string, Handler]>([
  ['a lost connection', loseConnection],
  ['503', () => problem(503, 'too-busy')],
  ['429', () => problem(429, 'rate-limited')],
  ['a key in flight', () => problem(409, 'key-in-flight')],
  ['a proxy without the server', () => new Response('bad gateway', { status: 502 })],
])('asks again with the same key after %s', async (_what, handler) => {
  const { call, keys, client } = clientOf(handler, handler, ok)
  expect(await call()).toEqual({ id: 'ord_1' })
  expect(keys()).toEqual(['key-1', 'key-1', 'key-1'])
  expect(client.stats).toEqual({ retries: 2, replayed: 0 })
})

test('waits as long as Retry-After says', async () => {
  const { call, time } = clientOf(() => problem(503, 'too-busy', { 'retry-after': '3' }), ok)
  await call()
  expect(time.monotonic()).toBeGreaterThanOrEqual(3_000)
  expect(time.monotonic()).toBeLessThan(3_300)
})

test('asks again when there is silence', async () => {
  const silent: Handler = (_url, { signal }) =>
    new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
  const { call, sent } = clientOf(ok, silent, ok)
  await call()
  expect(await call()).toEqual({ id: 'ord_1' })
  expect(sent).toHaveLength(3)
})

test('does not wait for a server that was never there', async () => {
  const { call, sent, time } = clientOf(refuseConnection)
  await expect(call()).rejects.toThrow(
    expect.objectContaining({ details: expect.objectContaining({ silentMs: undefined, key: undefined }) }),
  )
  expect(sent).toHaveLength(1)
  expect(time.monotonic()).toBe(0)
})

test('waits for one that was there, says so once, and says when it is back', async () => {
  const away: Handler[] = Array.from({ length: 8 }, () => refuseConnection)
  const { call, told } = clientOf(ok, ...away, ok)
  await call()
  expect(await call()).toEqual({ id: 'ord_1' })
  expect(told).toEqual(['away ECONNREFUSED', 'back'])
})

test('gives up in the end, and tells the key of what may have arrived', async () => {
  const { call, time } = clientOf(ok, loseConnection, refuseConnection)
  await call()
  const failure = await call().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Unreachable)
  expect((failure as Unreachable).details).toMatchObject({ reason: 'ECONNREFUSED', key: 'key-1' })
  expect(time.monotonic()).toBeGreaterThanOrEqual(10_000)
  expect(time.monotonic()).toBeLessThan(13_000)
})

test('a server that keeps saying that it is busy is not unreachable', async () => {
  const { call } = clientOf(() => problem(503, 'too-busy'))
  await expect(call()).rejects.toThrow(Refused)
})

test.each([400, 401, 404, 409, 422, 500])('%d is an answer, not asked again', async (status) => {
  const { call, sent } = clientOf(() => problem(status, 'some-code'))
  const failure = await call().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Refused)
  expect((failure as Refused).problem).toMatchObject({ status, code: 'some-code', requestId: 'req-1' })
  expect(sent).toHaveLength(1)
})

test('what answers without JSON is not Cauce', async () => {
  await expect(clientOf(() => new Response('<html>', { status: 200 })).call()).rejects.toThrow(NotCauce)
  await expect(clientOf(() => new Response('<html>', { status: 404 })).call()).rejects.toThrow(NotCauce)
})

test('a request that cannot be made is a bug and not repeated', async () => {
  const { call, sent } = clientOf(() => {
    throw new TypeError('Invalid header value')
  })
  await expect(call()).rejects.toThrow('Invalid header value')
  expect(sent).toHaveLength(1)
})

test('counts answers from memory', async () => {
  const { call, client } = clientOf(() => json(202, {}, { 'idempotency-replayed': 'true' }))
  await call()
  expect(client.stats.replayed).toBe(1)
})
