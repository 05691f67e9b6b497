/** What the operators' routes refuse: whom, and which input. Nothing of it is a 5xx, and nothing is changed. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import { client, dataDirectory, serverProcess, type Client, type ServerProcess } from './testing.ts'

let database: TestDatabase
let data: ReturnType<typeof dataDirectory>
let server: ServerProcess
let operator: Client
let customer: Client

beforeAll(async () => {
  database = await createTestDatabase('refusals')
  data = dataDirectory()
  server = await serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path, CAUCE_SERVICES: 'orders' })
  operator = await client(data.path, () => server.url, 'olga', 'operator')
  customer = await client(data.path, () => server.url, 'alice', 'customer')
})

afterAll(async () => {
  await server.stop()
  await database.drop()
  data.remove()
})

const key = '/v1/ops/parked/orders/payments/ord_1'
const letter = '/v1/ops/dead-letters/orders/t1'
const reads = [
  '/v1/ops/parked',
  '/v1/ops/parked/causes',
  key,
  '/v1/ops/dead-letters',
  '/v1/ops/dead-letters/causes',
  letter,
  '/v1/ops/actions',
]
const writes: [path: string, body?: object][] = [
  [`${key}/redrive`],
  [`${key}/discard`, { reason: 'why' }],
  ['/v1/ops/parked/redrive', { group: 'orders' }],
  [`${letter}/redrive`],
  [`${letter}/discard`, { reason: 'why' }],
  ['/v1/ops/dead-letters/redrive', { service: 'orders' }],
  ['/v1/ops/dead-letters/discard', { service: 'orders', reason: 'why' }],
]

const ask = (who: Client, [path, body]: readonly [string, object?], method: 'get' | 'post') =>
  method === 'get' ? who.get(path) : who.post(path, body)

test.each([...reads.map((path) => ['get', [path]] as const), ...writes.map((call) => ['post', call] as const)])(
  '%s %j is for operators',
  async (method, call) => {
    expect(await ask(customer, call, method)).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    const bare = await fetch(server.url + call[0], { method: method.toUpperCase() })
    expect(bare.status).toBe(401)
    expect((await ask(operator, call, method)).status).toBeOneOf([200, 404])
  },
)

const cursor = Buffer.from('["x"]').toString('base64url')

test.each<[path: string, status: number]>([
  ['/v1/ops/parked?limit=0', 400],
  ['/v1/ops/parked?limit=101', 400],
  ['/v1/ops/parked?limit=ten', 400],
  ['/v1/ops/parked?cursor=!', 400],
  [`/v1/ops/parked?cursor=${cursor}`, 400],
  ['/v1/ops/parked?group=No%20Group', 400],
  ['/v1/ops/parked?group=nobody', 404],
  ['/v1/ops/parked?group=payments', 404],
  ['/v1/ops/parked?cause=', 400],
  ['/v1/ops/parked?cause=%00', 400],
  ['/v1/ops/parked?cause=a&cause=b', 400],
  ['/v1/ops/parked?colour=red', 400],
  ['/v1/ops/parked/orders/payments/%00', 400],
  ['/v1/ops/parked/orders/payments/%FF', 400],
  [`/v1/ops/parked/orders/payments/${'x'.repeat(600)}`, 400],
  ['/v1/ops/parked/ORDERS/payments/ord_1', 400],
  ['/v1/ops/parked/nobody/payments/ord_1', 404],
  [key, 404],
  [`${key}?cursor=${cursor}`, 400],
  ['/v1/ops/dead-letters?service=nobody', 404],
  ['/v1/ops/dead-letters?type=%00', 400],
  [`/v1/ops/dead-letters?cursor=${cursor}`, 400],
  [`/v1/ops/dead-letters?cursor=${Buffer.from('[1e99,"x",null]').toString('base64url')}`, 400],
  [`/v1/ops/dead-letters?cursor=${Buffer.from('[-1,"x",null]').toString('base64url')}`, 400],
  ['/v1/ops/dead-letters/orders/%00', 400],
  [letter, 404],
  ['/v1/ops/dead-letters/payments/t1', 404],
  ['/v1/ops/actions?limit=0', 400],
  [`/v1/ops/actions?cursor=${cursor}`, 400],
])('GET %s is %i', async (path, status) => {
  const answer = await operator.get(path)
  expect(answer).toMatchObject({ status, body: { status, title: expect.any(String), detail: expect.any(String) } })
})

test.each<[path: string, body: object | undefined, status: number]>([
  [`${key}/redrive`, undefined, 404],
  [`${key}/redrive`, { reason: 'x' }, 422],
  [`${key}/discard`, undefined, 400],
  [`${key}/discard`, {}, 422],
  [`${key}/discard`, { reason: '' }, 422],
  [`${key}/discard`, { reason: ' \n' }, 422],
  [`${key}/discard`, { reason: 'x'.repeat(501) }, 422],
  [`${key}/discard`, { reason: 'a\u0000' }, 422],
  [`${key}/discard`, { reason: 1 }, 422],
  [`${key}/discard`, { reason: 'x', ids: [] }, 422],
  [`${key}/discard`, { reason: 'x', ids: [1] }, 422],
  [`${key}/discard`, { reason: 'x', force: true }, 422],
  [`${key}/discard`, { reason: 'x' }, 404],
  ['/v1/ops/parked/redrive', {}, 422],
  ['/v1/ops/parked/redrive', { group: 'nobody' }, 404],
  ['/v1/ops/parked/redrive', { group: 'payments' }, 404],
  ['/v1/ops/parked/redrive', { group: 'orders', cursor: 'x' }, 400],
  ['/v1/ops/parked/redrive', { group: 'orders', cause: '' }, 422],
  [`${letter}/redrive`, undefined, 404],
  [`${letter}/discard`, { reason: ' ' }, 422],
  [`${letter}/discard`, { reason: 'x' }, 404],
  ['/v1/ops/dead-letters/redrive', { type: 'x' }, 422],
  ['/v1/ops/dead-letters/redrive', { service: 'shipping' }, 404],
  ['/v1/ops/dead-letters/redrive', { service: 'orders', cursor }, 400],
  ['/v1/ops/dead-letters/discard', { service: 'orders' }, 422],
])('POST %s %j is %i', async (path, body, status) => {
  const answer = await operator.post(path, body)
  expect(answer).toMatchObject({ status, body: { status, detail: expect.any(String) } })
  expect((await operator.get('/v1/ops/actions')).body.items).toEqual([])
})

test('every route is in the OpenAPI document, with its problems', async () => {
  const { paths } = (await operator.get('/openapi.json')).body
  const found = Object.keys(paths).filter((path) => /^\/v1\/ops\/(parked|dead-letters|actions)/.test(path))
  expect(found.toSorted()).toEqual([
    '/v1/ops/actions',
    '/v1/ops/dead-letters',
    '/v1/ops/dead-letters/causes',
    '/v1/ops/dead-letters/discard',
    '/v1/ops/dead-letters/redrive',
    '/v1/ops/dead-letters/{service}/{id}',
    '/v1/ops/dead-letters/{service}/{id}/discard',
    '/v1/ops/dead-letters/{service}/{id}/redrive',
    '/v1/ops/parked',
    '/v1/ops/parked/causes',
    '/v1/ops/parked/redrive',
    '/v1/ops/parked/{group}/{source}/{key}',
    '/v1/ops/parked/{group}/{source}/{key}/discard',
    '/v1/ops/parked/{group}/{source}/{key}/redrive',
  ])
  const discard = paths['/v1/ops/dead-letters/{service}/{id}/discard'].post
  expect(discard.description).toContain('no decision is told')
  expect(Object.keys(discard.responses)).toEqual(expect.arrayContaining(['200', '400', '403', '404', '422']))
})
