import { expect, test } from 'vitest'
import { SandboxHeld } from './server.ts'
import { book, bookingBody, request, sandboxHere, temporaryDirectory } from './testing.ts'

test('a booking is accepted once per key, whoever asks at the same time', async () => {
  const { url } = await sandboxHere()
  const replies = await Promise.all(Array.from({ length: 20 }, () => book(url, 'k/1', bookingBody('1'))))
  expect(new Set(replies.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1)
  const { status, body } = replies[0] ?? expect.unreachable()
  expect(status).toBe(201)
  expect(body).toEqual({
    key: 'k/1',
    shipmentId: 'shp_1',
    status: 'accepted',
    tracking: expect.stringMatching(/^CRR\w{10}$/),
  })
  expect(replies.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19)
  const item = { ...body, orderId: 'ord_1', requests: 20 }
  expect((await request(url, 'GET', '/shipments')).body).toEqual({ items: [item] })
  expect((await request(url, 'GET', `/shipments/${encodeURIComponent('k/1')}`)).body).toEqual(item)
})

test('the same key with another body is refused; the order of members does not matter', async () => {
  const { url } = await sandboxHere()
  await book(url, 'k', bookingBody('1'))
  const shuffled = Object.fromEntries(Object.entries(bookingBody('1')).toReversed())
  expect((await book(url, 'k', shuffled)).status).toBe(201)
  expect(await book(url, 'k', bookingBody('2'))).toMatchObject({ status: 422, body: { code: 'key-reused' } })
})

test('postal codes decide: 00000 never, 99999 after two refusals', async () => {
  const { url } = await sandboxHere()
  for (const _ of [1, 2]) {
    expect(await book(url, 'u', bookingBody('u', '00000'))).toMatchObject({
      status: 422,
      body: { code: 'undeliverable', key: 'u', shipmentId: 'shp_u' },
    })
  }
  const replies = []
  for (const _ of [1, 2, 3]) replies.push(await book(url, 'f', bookingBody('f', '99999')))
  expect(replies.map(({ status }) => status)).toEqual([503, 503, 201])
  expect(replies[0]?.headers.get('retry-after')).toBe('1')
  const { items } = (await request(url, 'GET', '/shipments')).body
  expect(items.map((item: any) => [item.key, item.status, item.tracking, item.requests])).toEqual([
    ['u', 'undeliverable', null, 2],
    ['f', 'accepted', expect.any(String), 3],
  ])
})

test('a void by key is remembered, also before the key was seen', async () => {
  const { url } = await sandboxHere()
  const voidKey = (key: string) => request(url, 'POST', '/shipments/void', { key })
  expect(await voidKey('a')).toMatchObject({
    status: 200,
    body: { key: 'a', shipmentId: null, status: 'voided', requests: 0 },
  })
  expect(await book(url, 'a')).toMatchObject({ status: 409, body: { code: 'voided', key: 'a' } })
  await book(url, 'b')
  expect((await voidKey('b')).body).toMatchObject({ key: 'b', shipmentId: 'shp_b', status: 'voided', tracking: null })
  expect((await book(url, 'b')).status).toBe(409)
})

test('doubles, the filter and pages can be read', async () => {
  const { url } = await sandboxHere()
  for (const key of ['a', 'b', 'c']) await book(url, key, bookingBody(key === 'c' ? '2' : '1'))
  const keys = async (path: string) => (await request(url, 'GET', path)).body.items.map(({ key }: any) => key)
  expect((await request(url, 'GET', '/doubles')).body).toEqual({ charges: 0, shipments: 1 })
  expect(await keys('/shipments?shipmentId=shp_1')).toEqual(['a', 'b'])
  expect(await keys('/shipments?shipmentId=shp_9')).toEqual([])
  expect(await keys('/shipments?limit=2')).toEqual(['a', 'b'])
  expect(await keys('/shipments?limit=2&offset=2')).toEqual(['c'])
})

test('wrong requests are told why, and leave nothing', async () => {
  const { url } = await sandboxHere()
  const good = bookingBody('1')
  const wrong: [unknown, object, number, string][] = [
    [good, {}, 400, 'bad-key'],
    [good, { 'idempotency-key': 'with space' }, 400, 'bad-key'],
    [good, { 'idempotency-key': 'k'.repeat(256) }, 400, 'bad-key'],
    ['{"half', { 'idempotency-key': 'k' }, 400, 'not-json'],
    ['"'.padEnd(70_000, 'x'), { 'idempotency-key': 'k' }, 413, 'too-large'],
    [[], { 'idempotency-key': 'k' }, 422, 'invalid'],
    [{ ...good, shipmentId: 7 }, { 'idempotency-key': 'k' }, 422, 'invalid'],
    [{ ...good, shipTo: { ...good.shipTo, city: '' } }, { 'idempotency-key': 'k' }, 422, 'invalid'],
    [{ ...good, lines: [] }, { 'idempotency-key': 'k' }, 422, 'invalid'],
    [{ ...good, lines: [{ sku: 'LAMP', quantity: 1.5 }] }, { 'idempotency-key': 'k' }, 422, 'invalid'],
  ]
  for (const [body, headers, status, code] of wrong) {
    expect(await request(url, 'POST', '/shipments', body, headers)).toMatchObject({ status, body: { code } })
  }
  expect((await request(url, 'POST', '/shipments/void', {})).status).toBe(400)
  expect((await request(url, 'GET', '/shipments?limit=-1')).status).toBe(400)
  expect((await request(url, 'GET', '/shipments/%ff')).status).toBe(400)
  expect((await request(url, 'GET', '/shipments/nobody')).status).toBe(404)
  expect((await request(url, 'GET', '/nowhere')).status).toBe(404)
  const put = await request(url, 'PUT', '/shipments', {})
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST, GET'])
  expect((await request(url, 'GET', '/')).body).toMatchObject({ name: 'cauce-sandbox', shipments: 0 })
})

test('one sandbox per directory; a restart has the state and the port', async () => {
  const directory = temporaryDirectory()
  const first = await sandboxHere(directory)
  await expect(sandboxHere(directory)).rejects.toThrow(SandboxHeld)
  await book(first.url, 'k')
  await first.close()
  const second = await sandboxHere(directory)
  expect(second.url).toBe(first.url)
  expect((await request(second.url, 'GET', '/shipments/k')).body).toMatchObject({ status: 'accepted', requests: 1 })
})

test('closing answers what is under way', async () => {
  const sandbox = await sandboxHere()
  await request(sandbox.url, 'PUT', '/faults', { carrier: { latencyMs: 50 } })
  const booked = book(sandbox.url, 'k')
  while ((await request(sandbox.url, 'GET', '/faults')).body.carrier.fired.delays === 0);
  const closed = sandbox.close()
  expect((await booked).status).toBe(201)
  await closed
})
