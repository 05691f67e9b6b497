import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualTime } from '../core/manual-time.ts'
import { createConsistency, formatToken, parseToken, type Position } from './consistency.ts'
import { testServer, type TestServer } from './testing.ts'

test('a token is the heads of a log, and reads back', () => {
  const token = formatToken('orders', [
    { lane: 5, head: 77 },
    { lane: 3, head: 120 },
    { lane: 0, head: 0 },
  ])
  expect(token).toBe('orders:3=120,5=77')
  expect(parseToken(`${token};payments:1=4; orders:3=9,5=78`)).toEqual([
    { source: 'orders', lane: 3, position: 120 },
    { source: 'orders', lane: 5, position: 78 },
    { source: 'payments', lane: 1, position: 4 },
  ])
  expect(formatToken('orders', [])).toBeUndefined()
})

test.each([
  '',
  'orders',
  'orders:',
  'orders:1',
  'orders:1=',
  'orders:1=-1',
  'orders:1=1.5',
  'orders:1=1,',
  ';',
  'a:1=1;;b:1=1',
  'A:1=1',
  'orders:1=1, orders:2=2',
  `orders:1=${'9'.repeat(16)}`,
  `${'a:1=1;'.repeat(2000)}a:1=1`,
])('“%s” is no token', (text) => {
  expect(parseToken(text)).toBeUndefined()
})

const time = new ManualTime()
let server: TestServer
let applied: Position[]
let looks: number
const heads = new Map([
  ['orders', [{ lane: 0, head: 10 }]],
  ['payments', [{ lane: 0, head: 5 }]],
])

beforeEach(async () => {
  applied = [{ source: 'orders', lane: 0, position: 7 }]
  looks = 0
  server = await testServer()
  const consistency = createConsistency({
    heads: (log) => (heads.has(log) ? Promise.resolve(heads.get(log)!) : undefined),
    clock: time,
    timers: time,
  })
  const caughtUp = consistency.awaiting({
    sources: ['orders'],
    applied: async () => {
      looks++
      return applied
    },
  })
  server.app.get('/read', { config: { access: 'open' } }, async (request) => {
    await caughtUp(request)
    return { position: applied[0]?.position ?? null }
  })
})
afterEach(() => server.close())

const read = (token?: string) =>
  server.app.inject({ url: '/read', headers: token === undefined ? {} : { 'cauce-token': token } })

test('without a token nobody looks, with one that is reached one look is enough', async () => {
  expect((await read()).json()).toEqual({ position: 7 })
  expect(looks).toBe(0)
  expect((await read('orders:0=7')).json()).toEqual({ position: 7 })
  expect(looks).toBe(1)
})

test('a position that is on its way is waited for', async () => {
  time.after(300, () => {
    applied = [{ source: 'orders', lane: 0, position: 9 }]
  })
  const answer = await time.finish(Promise.resolve(read('orders:0=9')))
  expect(answer.json()).toEqual({ position: 9 })
})

test('not for longer than two seconds, then 503 with Retry-After', async () => {
  const begun = time.monotonic()
  const answer = await time.finish(Promise.resolve(read('orders:0=9')))
  expect(answer.statusCode).toBe(503)
  expect(answer.json()).toMatchObject({ code: 'not-caught-up' })
  expect(answer.headers['retry-after']).toBe('1')
  expect(time.monotonic() - begun).toBeLessThan(2100)
})

test('a lane that stands still is not taken for one that is not read', async () => {
  applied = []
  expect((await time.finish(Promise.resolve(read('orders:0=9')))).statusCode).toBe(503)
})

test('what is served is not made from that log: there is nothing to wait for', async () => {
  expect((await read('payments:0=5')).statusCode).toBe(200)
})

test.each(['orders:0=11', 'orders:1=1', 'payments:0=6', 'ghosts:0=1', 'orders', 'orders:0=7;x'])(
  'a token that cannot be is a 400 at once: %s',
  async (token) => {
    const answer = await read(token)
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'malformed'])
  },
)
