/** The read side from outside: real servers, lists and timelines out of views, views built anew, reading one's own writes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import { systemIds } from '@cauce/kit/core/id-source'
import { loadDevKey, signToken } from '@cauce/kit/http/dev-key'
import {
  client,
  dataDirectory,
  eventually,
  funded,
  orderOf,
  serverProcess,
  stocked,
  type Client,
  type ServerProcess,
} from './testing.ts'

let database: TestDatabase
let data: ReturnType<typeof dataDirectory>
let left: ServerProcess
let right: ServerProcess
let operator: Client
let alice: Client
let bearer: string

const start = () => serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path })

beforeAll(async () => {
  database = await createTestDatabase('read side')
  data = dataDirectory()
  ;[left, right] = await Promise.all([start(), start()])
  operator = await client(data.path, () => right.url, 'olga', 'operator')
  alice = await client(data.path, () => left.url, 'alice', 'customer')
  bearer = `Bearer ${await signToken(await loadDevKey(data.path), { subject: 'alice', roles: ['customer'] })}`
  await stocked(operator, 'LAMP', 100_000)
  await funded(operator, alice, 'alice', 100_000_000)
})
afterAll(async () => {
  await Promise.all([left.stop(), right.stop()])
  await database.drop()
  data.remove()
})

/** Asks one of the servers as Alice, with a token. */
async function ask(server: ServerProcess, path: string, token: string) {
  const response = await fetch(server.url + path, { headers: { authorization: bearer, 'cauce-token': token } })
  return { status: response.status, body: (await response.json()) as any }
}
const place = async (key = systemIds.draw()) => {
  const { headers, body } = await alice.post('/v1/orders', orderOf('LAMP'), key)
  return { id: body.id as string, payment: body.payment.id as string, token: headers.get('cauce-token')! }
}

describe('I10 with the token', () => {
  test('the other server’s list and timeline know what was just written here', async () => {
    for (let i = 0; i < 20; i++) {
      const { id, token } = await place()
      expect(token).toMatch(/^orders:\d+=\d+/)
      const [list, timeline] = await Promise.all([
        ask(right, '/v1/orders?limit=1', token),
        ask(right, `/v1/orders/${id}/timeline`, token),
      ])
      expect([list.status, list.body.items[0]?.id]).toEqual([200, id])
      expect(timeline.body.items.map((item: { name: string }) => item.name)).toContain('OrderCreated')
    }
  })

  test('another service has done what the order asked of it', async () => {
    for (let i = 0; i < 5; i++) {
      const { payment, token } = await place()
      expect((await ask(right, `/v1/payments/${payment}`, token)).status).toBe(200)
    }
  })

  test('a repeated answer has one too', async () => {
    const key = systemIds.draw()
    const first = await place(key)
    const again = await place(key)
    expect(again.id).toBe(first.id)
    expect((await ask(right, '/v1/orders?limit=1', again.token)).body.items[0].id).toBe(first.id)
  })

  test.each(['/v1/orders', '/v1/orders/ord_00000000000000000000000000000000', '/v1/products', '/v1/products/LAMP'])(
    'GET %s refuses what is no token, or of a log that there is not',
    async (path) => {
      for (const token of ['x', 'ghosts:0=1', 'orders:99=1', 'orders:0=999999999']) {
        expect([token, (await ask(left, path, token)).status]).toEqual([token, 400])
      }
    },
  )
})

test('the timeline of an order tells every hop, in order, to whom it belongs', async () => {
  const { body: order } = await alice.post('/v1/orders', orderOf('LAMP', 1, '99999'))
  await eventually(
    () => alice.get(`/v1/orders/${order.id}`),
    ({ body }) => body.status === 'completed',
  )
  const path = `/v1/orders/${order.id}/timeline`
  const { body } = await eventually(
    () => alice.get(path),
    (answer) => answer.body.items.some((item: { name: string }) => item.name === 'completed'),
  )
  const names: string[] = body.items.map((item: { kind: string; name: string }) => `${item.kind} ${item.name}`)
  expect(names[0]).toBe('request POST /v1/orders')
  const states = names.filter((name) => name.startsWith('state '))
  expect(states).toEqual(
    ['placed', 'authorizing', 'reserving', 'shipping', 'settling', 'completed'].map((s) => `state ${s}`),
  )
  for (const name of [
    'row payment',
    'row reservation',
    'row shipment',
    'message StockReserved',
    'message PaymentCaptured',
  ]) {
    expect(names).toContain(name)
  }
  // The carrier was busy twice.
  expect(body.items.find((item: { name: string }) => item.name === 'book-shipment')).toMatchObject({
    kind: 'task',
    service: 'shipping',
    attempt: 3,
    detail: { state: 'done' },
  })
  const bob = await client(data.path, () => left.url, 'bob', 'customer')
  expect((await bob.get(path)).status).toBe(404)
  expect((await bob.get(`/v1/orders/${order.id}/stream`)).status).toBe(404)
  expect((await operator.get(path)).status).toBe(200)
  expect((await fetch(left.url + path)).status).toBe(401)
})

describe('views', () => {
  const viewOf = async (name: string) =>
    (await operator.get('/v1/ops/views')).body.items.find((view: { name: string }) => view.name === name)

  test('are listed for operators, and their groups beside the others', async () => {
    const { body } = await operator.get('/v1/ops/views')
    expect(body.items.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
      ['order-list', 'active'],
      ['order-timeline', 'active'],
    ])
    const groups = (await operator.get('/v1/ops/groups')).body.items.map(({ group }: { group: string }) => group)
    expect(new Set(groups)).toEqual(
      new Set(['inventory', 'order-list@1', 'order-timeline@1', 'orders', 'payments', 'shipping']),
    )
    expect((await alice.get('/v1/ops/views')).status).toBe(403)
    expect((await operator.post('/v1/ops/views/ghosts/rebuild')).status).toBe(404)
  })

  test(
    'are built anew while orders flow and a server is killed: nobody ever misses an order',
    { timeout: 60_000 },
    async () => {
      let over = false
      const missing: string[] = []
      const placing = (async () => {
        while (!over) {
          const { id, token } = await place()
          const { status, body } = await ask(left, '/v1/orders?limit=5', token)
          if (status === 200 && !body.items.some((item: { id: string }) => item.id === id)) missing.push(id)
        }
      })()
      for (const name of ['order-list', 'order-timeline']) {
        const before = (await viewOf(name)).generation
        expect((await operator.post(`/v1/ops/views/${name}/rebuild`)).status).toBe(202)
        await right.kill()
        right = await start()
        const view = await eventually(
          () => viewOf(name),
          ({ generation, building }) => generation > before && building === null,
        )
        expect(view).toMatchObject({ state: 'active', error: null })
      }
      over = true
      await placing
      expect(missing).toEqual([])
      const pages: string[] = []
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body } = await operator.get(`/v1/orders?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`)
        pages.push(...body.items.map((item: { id: string }) => item.id))
        cursor = body.nextCursor
      }
      const audit = await eventually(
        () => operator.get('/v1/ops/audit'),
        (answer) => answer.body.orders.total === answer.body.orders.terminal,
      )
      expect(audit.body.ok).toBe(true)
      expect(new Set(pages).size).toBe(audit.body.orders.total)
    },
  )
})
