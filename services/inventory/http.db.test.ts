import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemIds } from '@cauce/kit/core/id-source'
import { testServer, type TestServer } from '@cauce/kit/http/testing'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { ReserveStock } from './contract.ts'
import { inventory, inventoryRoutes, migrations } from './service.ts'

let database: ServiceDatabase
let server: TestServer
let operator: { authorization: string }
let customer: { authorization: string }

beforeAll(async () => {
  database = await openService(inventory, migrations)
  server = await testServer({ documented: true })
  inventoryRoutes(server.app, { queue: database.queue, ids: systemIds, reads: database.reads })
  operator = await server.as('olga', 'operator')
  customer = await server.as('alice')
})
afterAll(async () => {
  await server.close()
  await database.close()
})
beforeEach(() =>
  database.sql('TRUNCATE inventory.stock, inventory.reservations, inventory.adjustments, inventory.idempotency_keys'),
)

interface Asked {
  readonly as?: { authorization: string }
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

async function call(method: 'GET' | 'PUT' | 'POST', url: string, { as = operator, body, headers = {} }: Asked = {}) {
  const sent = body === undefined ? {} : { payload: JSON.stringify(body) }
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await server.app.inject({ method, url, headers: { ...as, ...json, ...headers }, ...sent })
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: answer.body === '' ? undefined : answer.json(),
    text: answer.body,
  }
}

const lamp = { name: 'Lamp', price: { amount: 1999, currency: 'EUR' } }
const put = (sku: string, asked: Asked = {}) => call('PUT', `/v1/products/${sku}`, { body: lamp, ...asked })
let keys = 0
const adjust = (sku: string, delta: unknown, asked: Asked = {}) => {
  const headers = { 'idempotency-key': `k${keys++}`, ...asked.headers }
  return call('POST', `/v1/products/${sku}/stock`, { body: { delta, reason: 'delivery' }, ...asked, headers })
}
const get = (path: string, asked: Asked = {}) => call('GET', `/v1/products${path}`, { as: customer, ...asked })

describe('PUT /v1/products/{sku}', () => {
  test('defines a product, then changes it', async () => {
    const product = { sku: 'LAMP', ...lamp, onHand: 0, reserved: 0, available: 0, version: 1 }
    expect(await put('LAMP')).toMatchObject({ status: 200, body: product, headers: { etag: '"1"' } })
    expect(await put('LAMP')).toMatchObject({ status: 200, body: product })
    const cheaper = { ...lamp, price: { amount: 999, currency: 'EUR' } }
    expect(await put('LAMP', { body: cheaper })).toMatchObject({
      status: 200,
      body: { ...product, ...cheaper, version: 2 },
    })
  })

  test('If-Match', async () => {
    await put('LAMP')
    const body = { ...lamp, name: 'Lamp II' }
    expect(await put('LAMP', { body, headers: { 'if-match': '"2"' } })).toMatchObject({
      status: 412,
      body: { code: 'precondition-failed' },
    })
    expect(await put('LAMP', { body, headers: { 'if-match': '"1"' } })).toMatchObject({
      status: 200,
      body: { version: 2 },
    })
    expect(await put('SOFA', { body, headers: { 'if-match': '"1"' } })).toMatchObject({ status: 412 })
    expect(await put('SOFA', { body, headers: { 'if-match': '*' } })).toMatchObject({ status: 412 })
    expect(await put('LAMP', { headers: { 'if-match': '*' } })).toMatchObject({ status: 200, body: { version: 3 } })
  })

  test.each([
    ['no price', { name: 'Lamp' }, 422],
    ['a price of nothing', { ...lamp, price: { amount: 0, currency: 'EUR' } }, 422],
    ['a negative price', { ...lamp, price: { amount: -1, currency: 'EUR' } }, 422],
    ['half a cent', { ...lamp, price: { amount: 0.5, currency: 'EUR' } }, 422],
    ['a price beyond counting', { ...lamp, price: { amount: 2 ** 53, currency: 'EUR' } }, 422],
    ['an amount as text', { ...lamp, price: { amount: '1999', currency: 'EUR' } }, 422],
    ['a currency nobody knows', { ...lamp, price: { amount: 1, currency: 'XXX' } }, 422],
    ['no name', { ...lamp, name: '' }, 422],
    ['a field nobody knows', { ...lamp, onHand: 5 }, 422],
    ['text that cannot be stored', { ...lamp, name: 'a\u0000' }, 422],
  ])('%s is refused', async (_, body, status) => {
    expect(await put('LAMP', { body })).toMatchObject({
      status,
      headers: { 'content-type': 'application/problem+json' },
    })
    expect((await get('/LAMP')).status).toBe(404)
  })

  test('is for operators', async () => {
    expect((await put('LAMP', { as: customer })).status).toBe(403)
  })
})

describe('POST /v1/products/{sku}/stock', () => {
  beforeEach(() => put('LAMP'))

  test('adds and takes', async () => {
    expect(await adjust('LAMP', 5)).toMatchObject({
      status: 200,
      body: { onHand: 5, available: 5, version: 2 },
      headers: { etag: '"2"' },
    })
    expect(await adjust('LAMP', -2)).toMatchObject({ status: 200, body: { onHand: 3, version: 3 } })
  })

  test('If-Match', async () => {
    expect(await adjust('LAMP', 5, { headers: { 'if-match': '"1"' } })).toMatchObject({
      status: 200,
      body: { version: 2 },
    })
    expect(await adjust('LAMP', 5, { headers: { 'if-match': '"1"' } })).toMatchObject({
      status: 412,
      body: { code: 'precondition-failed' },
    })
    expect(await adjust('LAMP', 5, { headers: { 'if-match': '*' } })).toMatchObject({
      status: 200,
      body: { version: 3 },
    })
  })

  test('once per key', async () => {
    const headers = { 'idempotency-key': 'same' }
    const first = await adjust('LAMP', 5, { headers })
    const again = await adjust('LAMP', 5, { headers })
    expect(again).toMatchObject({
      status: 200,
      text: first.text,
      headers: { 'idempotency-replayed': 'true', etag: '"2"' },
    })
    expect(await adjust('LAMP', 6, { headers })).toMatchObject({ status: 422, body: { code: 'key-reused' } })
    expect((await get('/LAMP')).body).toMatchObject({ onHand: 5 })
    const keyless = await call('POST', '/v1/products/LAMP/stock', { body: { delta: 1, reason: 'x' } })
    expect(keyless).toMatchObject({ status: 400, body: { code: 'key-missing' } })
  })

  test('never below what is reserved', async () => {
    await adjust('LAMP', 5)
    await database.submit(ReserveStock({ orderId: 'ord_1', lines: [{ sku: 'LAMP', quantity: 2 }] }))
    expect(await adjust('LAMP', -4)).toMatchObject({ status: 409, body: { code: 'stock-reserved' } })
    expect(await adjust('LAMP', -3)).toMatchObject({ status: 200, body: { onHand: 2, reserved: 2, available: 0 } })
  })

  test.each([
    ['half a lamp', 0.5],
    ['a number as text', '1'],
    ['more than anybody has', 2 ** 53],
    ['nothing', undefined],
  ])('%s is refused', async (_, delta) => {
    expect(await adjust('LAMP', delta)).toMatchObject({ status: 422, body: { code: 'invalid' } })
  })

  test('needs a product, and an operator', async () => {
    expect(await adjust('SOFA', 1)).toMatchObject({ status: 404, body: { code: 'not-found' } })
    expect((await adjust('LAMP', 1, { as: customer })).status).toBe(403)
  })
})

describe('GET', () => {
  test('one product, and 304 when it is known', async () => {
    await put('LAMP')
    expect(await get('/LAMP')).toMatchObject({ status: 200, body: { sku: 'LAMP' }, headers: { etag: '"1"' } })
    const known = await get('/LAMP', { headers: { 'if-none-match': '"1"' } })
    expect([known.status, known.text]).toEqual([304, ''])
    expect(await get('/lamp')).toMatchObject({ status: 404 })
    expect(await get('/no%20sku')).toMatchObject({ status: 400 })
    expect((await get('/LAMP', { as: { authorization: '' } })).status).toBe(401)
  })

  test('products in pages', async () => {
    for (const sku of ['C', 'A', 'B']) await put(sku)
    const first = await get('?limit=2')
    expect(first.body.items.map((item: { sku: string }) => item.sku)).toEqual(['A', 'B'])
    const second = await get(`?limit=2&cursor=${first.body.nextCursor}`)
    expect(second.body).toMatchObject({ items: [{ sku: 'C' }], nextCursor: null })
    expect((await get('')).body).toMatchObject({ items: { length: 3 }, nextCursor: null })
    for (const query of ['?limit=0', '?limit=101', '?limit=x', '?cursor=!', '?cursor=e30', '?status=x']) {
      expect([query, (await get(query)).status]).toEqual([query, 400])
    }
  })
})

test('the routes are documented', async () => {
  const { body } = await call('GET', '/openapi.json')
  const paths = ['/v1/products/{sku}', '/v1/products', '/v1/products/{sku}/stock']
  expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(paths))
  expect(Object.keys(body.paths['/v1/products/{sku}/stock'].post.responses)).toEqual(
    expect.arrayContaining(['200', '404', '409', '422']),
  )
})
