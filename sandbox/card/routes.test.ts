import { expect, test } from 'vitest'
import { capture, charge, chargeBody, refund, request, sandboxHere, temporaryDirectory } from '../testing.ts'

const voidKey = (url: string, key: string) => request(url, 'POST', `/charges/${key}/void`, {})

test('a charge is authorised once per key, whoever asks at the same time', async () => {
  const { url } = await sandboxHere()
  const replies = await Promise.all(Array.from({ length: 20 }, () => charge(url, 'k/1', chargeBody('1'))))
  expect(new Set(replies.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1)
  const { status, body } = replies[0] ?? expect.unreachable()
  expect(status).toBe(201)
  expect(body).toEqual({
    key: 'k/1',
    paymentId: 'pay_1',
    amount: 1250,
    currency: 'EUR',
    status: 'authorized',
    expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    sequence: 1,
  })
  expect(replies.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19)
  const item = { ...body, token: 'tok_ok', requests: 20, refunded: 0 }
  expect((await request(url, 'GET', '/charges')).body).toEqual({ items: [item] })
  expect((await request(url, 'GET', '/charges/k%2F1')).body).toEqual(item)
})

test('a charge’s way: captured, refunded in parts, and every call can be repeated', async () => {
  const { url } = await sandboxHere()
  const key = encodeURIComponent('k/1')
  await charge(url, 'k/1', chargeBody('1'))
  for (const _ of [1, 2]) {
    expect(await capture(url, key)).toMatchObject({
      status: 200,
      body: { key: 'k/1', status: 'captured', sequence: 2 },
    })
  }
  for (const replayed of [null, 'true']) {
    const reply = await refund(url, key, 'r1', 250)
    expect([reply.status, reply.body]).toEqual([201, { key: 'r1', chargeKey: 'k/1', amount: 250 }])
    expect(reply.headers.get('idempotency-replayed')).toBe(replayed)
  }
  expect(await refund(url, key, 'r1', 251)).toMatchObject({ status: 422, body: { code: 'key-reused' } })
  expect(await refund(url, key, 'r2', 1001)).toMatchObject({ status: 422, body: { code: 'exceeds-captured' } })
  expect((await request(url, 'GET', `/charges/${key}`)).body).toMatchObject({ status: 'captured', refunded: 250 })
  expect(await voidKey(url, key)).toMatchObject({ status: 409, body: { code: 'captured' } })
  expect((await refund(url, key, 'r3', 1000)).status).toBe(201)
  expect((await request(url, 'GET', `/charges/${key}`)).body).toMatchObject({ status: 'refunded', sequence: 4 })
  expect(await charge(url, 'k/1', chargeBody('1'))).toMatchObject({
    status: 201,
    body: { status: 'authorized', sequence: 1 },
  })
})

test('cards decide: declined for ever, busy twice, expired at capture', async () => {
  const { url } = await sandboxHere()
  for (const _ of [1, 2]) {
    expect(await charge(url, 'd', chargeBody('d', 'tok_declined'))).toMatchObject({
      status: 402,
      body: { code: 'declined', message: expect.any(String) },
    })
  }
  const flaky = []
  for (const _ of [1, 2, 3]) flaky.push(await charge(url, 'f', chargeBody('f', 'tok_flaky')))
  expect(flaky.map(({ status }) => status)).toEqual([503, 503, 201])
  expect(flaky[0]?.headers.get('retry-after')).toBe('1')
  await charge(url, 'e1', chargeBody('e', 'tok_expires'))
  expect(await capture(url, 'e1')).toMatchObject({ status: 409, body: { code: 'expired' } })
  await charge(url, 'e2', chargeBody('e', 'tok_expires'))
  expect((await capture(url, 'e2')).status).toBe(200)
  expect(await capture(url, 'd')).toMatchObject({ status: 409, body: { code: 'declined' } })
  const items = async (query: string) =>
    (await request(url, 'GET', `/charges${query}`)).body.items.map(({ key, status }: any) => `${key} ${status}`)
  expect(await items('')).toEqual(['f authorized', 'e1 voided', 'e2 captured'])
  expect(await items('?paymentId=pay_e')).toEqual(['e1 voided', 'e2 captured'])
  expect(await items('?paymentId=pay_d')).toEqual([])
  expect(await items('?paymentId=pay_d&all=1')).toEqual(['d declined'])
  expect(await items('?limit=1&offset=1')).toEqual(['e1 voided'])
  expect((await items('?all=1')).toSorted()).toEqual(['d declined', 'e1 voided', 'e2 captured', 'f authorized'])
})

test('tok_timeout: the charge is there, its first answer is not', async () => {
  const { url } = await sandboxHere()
  await expect(charge(url, 'k', chargeBody('1', 'tok_timeout'))).rejects.toThrow('fetch failed')
  expect((await request(url, 'GET', '/charges')).body.items).toMatchObject([
    { key: 'k', status: 'authorized', requests: 1 },
  ])
  expect(await charge(url, 'k', chargeBody('1', 'tok_timeout'))).toMatchObject({ status: 201, body: { sequence: 1 } })
  await expect(charge(url, 'other', chargeBody('1', 'tok_timeout'))).rejects.toThrow('fetch failed')
  expect((await request(url, 'GET', '/doubles')).body).toEqual({ charges: 1, shipments: 0 })
})

test('a void by key is remembered, also before the key was seen, also by the next process', async () => {
  const directory = temporaryDirectory()
  const first = await sandboxHere(directory)
  expect(await voidKey(first.url, 'a')).toMatchObject({
    status: 200,
    body: { key: 'a', paymentId: null, status: 'voided' },
  })
  await charge(first.url, 'b')
  for (const _ of [1, 2]) expect((await voidKey(first.url, 'b')).body).toMatchObject({ status: 'voided', sequence: 2 })
  await first.close()
  const { url } = await sandboxHere(directory)
  for (const key of ['a', 'b']) {
    expect(await charge(url, key)).toMatchObject({ status: 409, body: { code: 'voided' } })
    expect(await capture(url, key)).toMatchObject({ status: 409, body: { code: 'voided' } })
  }
  expect((await request(url, 'GET', '/charges')).body.items).toMatchObject([{ key: 'b', requests: 2 }])
})

test('faults under the name card: refused before, lost after', async () => {
  const { url } = await sandboxHere()
  await request(url, 'PUT', '/faults', { card: { errorRate: 1 } })
  expect(await charge(url, 'k')).toMatchObject({ status: 503, body: { code: 'fault' } })
  await request(url, 'PUT', '/faults', { card: { lostAnswerRate: 1 } })
  await expect(charge(url, 'k')).rejects.toThrow('fetch failed')
  await expect(capture(url, 'k')).rejects.toThrow('fetch failed')
  expect((await request(url, 'GET', '/charges')).body.items).toMatchObject([{ status: 'captured', requests: 1 }])
})

test('wrong requests are told why, and leave nothing', async () => {
  const { url } = await sandboxHere()
  const good = chargeBody('1')
  const keyed = { 'idempotency-key': 'k' }
  const wrong: [string, unknown, object, number, string][] = [
    ['/charges', good, {}, 400, 'bad-key'],
    ['/charges', '{"half', keyed, 400, 'not-json'],
    ['/charges', [], keyed, 422, 'invalid'],
    ['/charges', { ...good, paymentId: '' }, keyed, 422, 'invalid'],
    ['/charges', { ...good, amount: 0 }, keyed, 422, 'invalid'],
    ['/charges', { ...good, amount: '1250' }, keyed, 422, 'invalid'],
    ['/charges', { ...good, currency: 'eur' }, keyed, 422, 'invalid'],
    ['/charges', { ...good, token: 'tok_toString' }, keyed, 422, 'unknown-token'],
    ['/charges', { ...good, token: 'toString' }, keyed, 422, 'unknown-token'],
    ['/charges/k/capture', { amount: 1250 }, {}, 400, 'bad-key'],
    ['/charges/k/capture', { amount: 1.5 }, keyed, 422, 'invalid'],
    ['/charges/k/capture', { amount: 1250 }, keyed, 404, 'not-found'],
    ['/charges/k/refunds', { amount: 1250 }, {}, 400, 'bad-key'],
    ['/charges/k/refunds', { amount: 1250 }, keyed, 404, 'not-found'],
    ['/charges/k/steal', {}, keyed, 404, 'not-found'],
    ['/charges/k', {}, keyed, 404, 'not-found'],
    ['/charges//void', {}, keyed, 400, 'bad-key'],
    ['/charges/a%20b/void', {}, keyed, 400, 'bad-key'],
  ]
  for (const [path, body, headers, status, code] of wrong) {
    expect(await request(url, 'POST', path, body, headers), path).toMatchObject({ status, body: { code } })
  }
  expect((await request(url, 'GET', '/charges/k')).status).toBe(404)
  expect((await request(url, 'GET', '/charges?all=1')).body).toEqual({ items: [] })
  await charge(url, 'k', good)
  expect(await charge(url, 'k', chargeBody('2'))).toMatchObject({ status: 422, body: { code: 'key-reused' } })
  expect(await capture(url, 'k', 1)).toMatchObject({ status: 422, body: { code: 'amount-differs' } })
})
