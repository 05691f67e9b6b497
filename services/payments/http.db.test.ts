import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { systemTimers } from '@cauce/kit/core/clock'
import { systemIds } from '@cauce/kit/core/id-source'
import { testServer, type TestServer } from '@cauce/kit/http/testing'
import type { Role } from '@cauce/kit/http/principal'
import { VoidPayment } from './contract.ts'
import { paymentRoutes } from './http.ts'
import { migrations, payments as definition } from './service.ts'
import { authorize, paid, paymentId } from './testing.ts'

let payments: ServiceDatabase
let server: TestServer
beforeAll(async () => {
  payments = await openService(definition, migrations)
  server = await testServer({ documented: true })
  paymentRoutes(server.app, {
    queue: payments.queue,
    ids: systemIds,
    reads: payments.reads,
    timers: systemTimers,
    webhookSecrets: () => ['s3cret'],
  })
})
afterAll(async () => {
  await server.close()
  await payments.close()
})

interface As {
  readonly who: string
  readonly role?: Role
  readonly key?: string
  readonly headers?: Record<string, string>
}

let keys = 0
async function post(url: string, payload: object, { who, role = 'customer', key = `key-${keys++}` }: As) {
  const headers = { ...(await server.as(who, role)), 'idempotency-key': key }
  return server.app.inject({ method: 'POST', url, payload, headers })
}
async function get(url: string, { who, role = 'customer', headers = {} }: As) {
  return server.app.inject({ url, headers: { ...(await server.as(who, role)), ...headers } })
}
const open = (as: As, body: object = { currency: 'EUR' }) => post('/v1/accounts', body, as)
const put = (id: string, body: object, as: As = { who: 'op', role: 'operator' }) =>
  post(`/v1/accounts/${id}/deposits`, body, as)
const money = { amount: 100, currency: 'EUR', reference: 'bank 1' }
const codeOf = (answer: { statusCode: number; json(): { code: string } }) =>
  `${answer.statusCode} ${answer.json().code}`

describe('POST /v1/accounts', () => {
  test('a customer opens their own, once', async () => {
    const opened = await open({ who: 'alice' })
    expect([opened.statusCode, opened.headers['location'], opened.headers['etag']]).toEqual([
      201,
      '/v1/accounts/alice',
      '"1"',
    ])
    expect(opened.json()).toEqual({ id: 'alice', currency: 'EUR', balance: 0, held: 0, version: 1 })
    expect(codeOf(await open({ who: 'alice' }))).toBe('409 account-exists')
    expect((await open({ who: 'ana' }, { currency: 'USD', id: 'ana' })).statusCode).toBe(201)
  })

  test('a key has one answer', async () => {
    const as = { who: 'bob', key: 'one' }
    const first = await open(as)
    const again = await open(as)
    expect([again.statusCode, again.body, again.headers['etag']]).toEqual([201, first.body, '"1"'])
    expect([first, again].map(({ headers }) => headers['idempotency-replayed'])).toEqual([undefined, 'true'])
    expect(codeOf(await open(as, { currency: 'USD' }))).toBe('422 key-reused')
    const refused = { who: 'bob', key: 'two' }
    expect(codeOf(await open(refused))).toBe('409 account-exists')
    expect((await open(refused)).headers['idempotency-replayed']).toBe('true')
  })

  test('only an operator opens somebody else’s', async () => {
    expect(codeOf(await open({ who: 'mallory', key: 'm' }, { currency: 'EUR', id: 'victim' }))).toBe('403 forbidden')
    expect((await get('/v1/accounts/victim', { who: 'victim' })).statusCode).toBe(404)
    const opened = await open({ who: 'op', role: 'operator' }, { currency: 'EUR', id: 'victim' })
    expect(opened.json()).toMatchObject({ id: 'victim' })
    expect((await get('/v1/accounts/victim', { who: 'victim' })).statusCode).toBe(200)
    expect((await open({ who: 'op', role: 'operator' })).json()).toMatchObject({ id: 'op' })
  })

  test.each([[{}], [{ currency: 'XXX' }], [{ currency: 'EUR', id: '../etc' }], [{ currency: 'EUR', balance: 1 }]])(
    '%j is no account',
    async (body) => {
      expect(codeOf(await open({ who: 'zoe' }, body))).toBe('422 invalid')
    },
  )
})

describe('POST /v1/accounts/{id}/deposits', () => {
  beforeAll(() => open({ who: 'carol' }))

  test('an operator puts money in, once per key', async () => {
    const as: As = { who: 'op', role: 'operator', key: 'deposit' }
    const answers = [await put('carol', money, as), await put('carol', money, as)]
    for (const answer of answers) {
      expect(answer.statusCode).toBe(201)
      expect(answer.json()).toEqual({
        id: expect.stringMatching(/^dep_[0-9a-f]{32}$/),
        account: 'carol',
        ...money,
        status: 'posted',
      })
    }
    expect((await get('/v1/accounts/carol', { who: 'carol' })).json()).toMatchObject({ balance: 100, version: 2 })
    expect(codeOf(await put('ghost', money, as)), 'the account is part of what is asked').toBe('422 key-reused')
  })

  test('a key is remembered for seven days where money moves, else for one', async () => {
    const rows = await payments.sql(`SELECT DISTINCT round(extract(epoch FROM expires_at - now()) / 86400)::int AS days
      FROM payments.idempotency_keys WHERE status = 201 ORDER BY days`)
    expect(rows.map(({ days }) => days)).toEqual([1, 7])
  })

  test('nobody else does', async () => {
    expect(codeOf(await put('carol', money, { who: 'carol' }))).toBe('403 forbidden')
  })

  test.each([
    ['ghost', money, '404 not-found'],
    ['carol', { ...money, currency: 'USD' }, '422 currency-mismatch'],
    ['carol', { ...money, amount: Number.MAX_SAFE_INTEGER }, '422 balance-too-large'],
    ['carol', { ...money, amount: 0 }, '422 invalid'],
    ['carol', { ...money, amount: 1.5 }, '422 invalid'],
    ['carol', { ...money, amount: '1' }, '422 invalid'],
    ['carol', { ...money, amount: 2 ** 53 }, '422 invalid'],
    ['carol', { ...money, reference: 'a\u0000b' }, '422 invalid'],
    ['a%2Fb', money, '400 malformed'],
  ])('into %s %j: %s', async (id, body, expected) => {
    expect(codeOf(await put(id, body))).toBe(expected)
  })
})

describe('reads', () => {
  beforeAll(async () => {
    await open({ who: 'dora' })
    await put('dora', money)
    await payments.submit(authorize({ customer: 'dora', amount: 30 }))
  })

  test.each(['/v1/accounts/dora', `/v1/payments/${paymentId}`])('%s is its owner’s and an operator’s', async (url) => {
    const own = await get(url, { who: 'dora' })
    expect(own.statusCode).toBe(200)
    expect((await get(url, { who: 'op', role: 'operator' })).body).toBe(own.body)
    const others = await get(url, { who: 'eve' })
    expect(codeOf(others)).toBe('404 not-found')
    const same = await get(url, { who: 'dora', headers: { 'if-none-match': own.headers['etag'] as string } })
    expect([same.statusCode, same.body]).toEqual([304, ''])
  })

  test('what they hold', async () => {
    expect((await get('/v1/accounts/dora', { who: 'dora' })).json()).toEqual({
      id: 'dora',
      currency: 'EUR',
      balance: 70,
      held: 30,
      version: 3,
    })
    expect((await get(`/v1/payments/${paymentId}`, { who: 'dora' })).json()).toEqual({
      id: paymentId,
      customer: 'dora',
      amount: 30,
      currency: 'EUR',
      method: 'wallet',
      status: 'authorized',
      refunded: 0,
      reference: paid.orderId,
      version: 1,
    })
  })

  test('a void that came first is not a payment', async () => {
    const never = `pay_${'f'.repeat(32)}`
    await payments.submit(VoidPayment({ orderId: `ord_${'f'.repeat(32)}`, paymentId: never }))
    expect(codeOf(await get(`/v1/payments/${never}`, { who: 'op', role: 'operator' }))).toBe('404 not-found')
  })

  test.each(['/v1/payments/1', '/v1/accounts/a%20b'])('%s is malformed', async (url) => {
    expect(codeOf(await get(url, { who: 'dora' }))).toBe('400 malformed')
  })
})
