import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemIds } from '@cauce/kit/core/id-source'
import { testServer, type TestServer } from '@cauce/kit/http/testing'
import { signature } from '@cauce/kit/http/webhooks'
import type { Role } from '@cauce/kit/http/principal'
import { paymentRoutes } from './http.ts'
import { migrations, payments as definition } from './service.ts'
import { audit } from './views.ts'

let payments: ServiceDatabase
let server: TestServer
beforeAll(async () => {
  payments = await openService(definition, migrations)
  server = await testServer({ documented: true })
  const { queue, reads } = payments
  paymentRoutes(server.app, { queue, ids: systemIds, reads, timers: systemTimers, webhookSecrets: () => ['s3cret'] })
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

async function post(
  url: string,
  payload: object,
  { who, role = 'customer', key = systemIds.draw(), headers = {} }: As,
) {
  const all = { ...(await server.as(who, role)), 'idempotency-key': key, ...headers }
  return server.app.inject({ method: 'POST', url, payload, headers: all })
}
const operator = { who: 'op', role: 'operator' } as const
async function get(url: string, { who, role = 'customer' }: As) {
  return server.app.inject({ url, headers: await server.as(who, role) })
}
const codeOf = (answer: { statusCode: number; json(): { code: string } }) =>
  `${answer.statusCode} ${answer.json().code}`
const count = (answers: readonly { statusCode: number }[], status: number) =>
  answers.filter(({ statusCode }) => statusCode === status).length

async function wallet(who: string, amount: number, currency = 'EUR'): Promise<void> {
  await post('/v1/accounts', { currency }, { who })
  if (amount > 0) await post(`/v1/accounts/${who}/deposits`, { amount, currency, reference: 'r' }, operator)
}
const balanceOf = async (who: string) => (await get(`/v1/accounts/${who}`, { who })).json().balance as number
const booksBalance = async () => expect(await audit(payments.reads.query)).toMatchObject({ balanced: true, faults: [] })

describe('POST /v1/pay from a wallet', () => {
  const bill = { amount: 300, currency: 'EUR', method: 'wallet', reference: 'invoice 7' }

  test('is taken at once, and once per key', async () => {
    await wallet('alice', 1000)
    const as = { who: 'alice', key: 'pay-1' }
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('/v1/pay', bill, as)))
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
    expect(count(answers, 201)).toBe(20)
    const [first] = answers
    expect(first!.json()).toMatchObject({ ...bill, customer: 'alice', status: 'captured', refunded: 0 })
    expect(first!.headers['location']).toBe(`/v1/payments/${first!.json().id}`)
    expect(await balanceOf('alice')).toBe(700)
    expect(codeOf(await post('/v1/pay', { ...bill, amount: 301 }, as))).toBe('422 key-reused')
    const { statusCode } = await post('/v1/pay', bill, { who: 'someone', key: 'pay-1' })
    expect(statusCode, 'the same key of another is another key').toBe(201)
  })

  test('too little in it, or none: declined, which is an answer', async () => {
    await wallet('poor', 100)
    for (const who of ['poor', 'nobody']) {
      const answer = await post('/v1/pay', bill, { who })
      expect([answer.statusCode, answer.json().status]).toEqual([201, 'declined'])
    }
    expect(await balanceOf('poor')).toBe(100)
  })

  test.each([
    [{ ...bill, amount: 0 }],
    [{ ...bill, method: 'cash' }],
    [{ ...bill, method: 'card' }],
    [{ ...bill, token: 'tok_ok' }],
    [{ ...bill, method: 'card', token: '4111111111111111' }],
    [{ ...bill, reference: '' }],
    [{ ...bill, tip: 1 }],
  ])('%j is refused', async (body) => {
    expect(codeOf(await post('/v1/pay', body, { who: 'alice' }))).toBe('422 invalid')
  })

  test('one’s own payments only', async () => {
    const { id } = (await post('/v1/pay', bill, { who: 'alice' })).json()
    expect((await get(`/v1/payments/${id}`, { who: 'alice' })).json()).toMatchObject({ id, status: 'captured' })
    expect((await get(`/v1/payments/${id}`, operator)).statusCode).toBe(200)
    expect(codeOf(await get(`/v1/payments/${id}`, { who: 'mallory' }))).toBe('404 not-found')
  })
})

describe('POST /v1/payments/{id}/refund', () => {
  const paid = async (who: string, amount: number, key?: string): Promise<string> => {
    const as = key === undefined ? { who } : { who, key }
    return (await post('/v1/pay', { amount, currency: 'EUR', method: 'wallet', reference: 'r' }, as)).json().id
  }
  const back = (id: string, amount: number, as: As = operator) =>
    post(`/v1/payments/${id}/refund`, { amount, currency: 'EUR', reason: 'broken' }, as)

  test('in parts, and never more than was paid, however many ask at once', async () => {
    await wallet('rita', 1000)
    const id = await paid('rita', 1000, 'rita-1')
    const first = await back(id, 300)
    expect(first.json()).toMatchObject({ payment: id, amount: 300, currency: 'EUR', status: 'refunded' })
    const stale = { ...operator, headers: { 'if-match': '"1"' } }
    expect(codeOf(await back(id, 1, stale))).toBe('412 precondition-failed')
    const answers = await Promise.all(Array.from({ length: 10 }, () => back(id, 200)))
    expect([count(answers, 201), count(answers, 422)]).toEqual([3, 7])
    expect(codeOf(answers.find(({ statusCode }) => statusCode === 422)!)).toBe('422 refund-too-large')
    expect(await balanceOf('rita')).toBe(900)
    expect((await back(id, 100)).statusCode).toBe(201)
    expect((await get(`/v1/payments/${id}`, operator)).json()).toMatchObject({ status: 'refunded', refunded: 1000 })
    const again = await post(
      '/v1/pay',
      { amount: 1000, currency: 'EUR', method: 'wallet', reference: 'r' },
      { who: 'rita', key: 'rita-1' },
    )
    expect([again.statusCode, again.json().status], 'a repeat is told how it is by now').toEqual([201, 'refunded'])
    expect(codeOf(await back(id, 1))).toBe('422 refund-too-large')
    await booksBalance()
  })

  test('by operators, of what there is', async () => {
    const id = await paid('rita', 100)
    expect(codeOf(await back(id, 1, { who: 'rita' }))).toBe('403 forbidden')
    expect(codeOf(await back(`pay_${'0'.repeat(32)}`, 1))).toBe('404 not-found')
    expect(codeOf(await back('pay_1', 1))).toBe('400 malformed')
    const dollars = { amount: 1, currency: 'USD', reason: 'r' }
    expect(codeOf(await post(`/v1/payments/${id}/refund`, dollars, operator))).toBe('422 currency-mismatch')
    const refused = await paid('nobody', 5)
    expect(codeOf(await back(refused, 1))).toBe('409 not-refundable')
  })
})

describe('POST /v1/transfers', () => {
  const send = (from: string, to: string, amount: number, as: As = { who: from }, currency = 'EUR') =>
    post('/v1/transfers', { from, to, amount, currency }, as)

  test('fifty at once of a hundred from a thousand: ten are posted', async () => {
    await wallet('tom', 1000)
    await wallet('ulla', 0)
    const answers = await Promise.all(Array.from({ length: 50 }, () => send('tom', 'ulla', 100)))
    expect([count(answers, 201), count(answers, 409)]).toEqual([10, 40])
    expect(answers.find(({ statusCode }) => statusCode === 201)!.json()).toEqual({
      id: expect.stringMatching(/^trf_[0-9a-f]{32}$/),
      from: 'tom',
      to: 'ulla',
      amount: 100,
      currency: 'EUR',
      status: 'posted',
    })
    expect(codeOf(answers.find(({ statusCode }) => statusCode === 409)!)).toBe('409 insufficient-funds')
    expect([await balanceOf('tom'), await balanceOf('ulla')]).toEqual([0, 1000])
    await booksBalance()
  })

  test('both ways at once: nothing is lost and nobody waits for ever', async () => {
    await wallet('eva', 500)
    await wallet('finn', 500)
    const both = Array.from({ length: 40 }, (_, i) => (i % 2 ? send('eva', 'finn', 10) : send('finn', 'eva', 10)))
    expect(count(await Promise.all(both), 201)).toBe(40)
    expect([await balanceOf('eva'), await balanceOf('finn')]).toEqual([500, 500])
    await booksBalance()
  })

  test('refusals', async () => {
    await wallet('gus', 50)
    await wallet('hank', 50, 'USD')
    expect(codeOf(await send('gus', 'gus', 1))).toBe('422 same-account')
    expect(codeOf(await send('gus', 'ghost', 1))).toBe('422 unknown-recipient')
    expect(codeOf(await send('gus', 'hank', 1))).toBe('422 currency-mismatch')
    expect(codeOf(await send('gus', 'ulla', 1, { who: 'mallory' }))).toBe('404 not-found')
    expect(codeOf(await send('ghost', 'gus', 1))).toBe('404 not-found')
    expect(codeOf(await send('gus', 'ulla', 1, { who: 'gus', role: 'operator' }))).toBe('403 forbidden')
    expect(codeOf(await send('gus', 'ulla', 1.5))).toBe('422 invalid')
    expect(codeOf(await send('gus', 'ulla', 51))).toBe('409 insufficient-funds')
    expect(await balanceOf('gus')).toBe(50)
  })
})

describe('POST /v1/webhooks/card', () => {
  const charge = { key: 'k', paymentId: 'pay_unknown', status: 'captured', amount: 1, currency: 'EUR' }
  const news = JSON.stringify({
    id: 'evt_1',
    type: 'charge.captured',
    sequence: 1,
    charge: { ...charge, expiresAt: '2030-01-01T00:00:00Z', later: 'members' },
  })
  const nowS = () => Math.floor(systemClock.now() / 1000)
  const tell = (payload: string, header?: string) =>
    server.app.inject({
      method: 'POST',
      url: '/v1/webhooks/card',
      payload,
      headers: { 'content-type': 'application/json', ...(header === undefined ? {} : { 'cauce-signature': header }) },
    })

  test('signed: heard, however often', async () => {
    for (let i = 0; i < 2; i++) {
      const answer = await tell(news, signature('s3cret', nowS(), news))
      expect([answer.statusCode, answer.json()]).toEqual([200, { received: true }])
    }
  })

  test('unsigned, stale, altered, by another: 401', async () => {
    const answers = [
      await tell(news),
      await tell(news, signature('s3cret', nowS() - 600, news)),
      await tell(news.replace('captured', 'refunded'), signature('s3cret', nowS(), news)),
      await tell(news, signature('other', nowS(), news)),
    ]
    expect(answers.map(codeOf)).toEqual(Array.from({ length: 4 }, () => '401 signature-invalid'))
  })

  test('signed nonsense is refused', async () => {
    for (const [body, expected] of [
      ['{', '400 malformed'],
      ['{}', '422 invalid'],
    ] as const) {
      expect(codeOf(await tell(body, signature('s3cret', nowS(), body)))).toBe(expected)
    }
  })
})
