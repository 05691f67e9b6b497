/**
 * The whole, from outside: real server processes on a real database, killed in the middle.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import {
  client,
  dataDirectory,
  endOf,
  eventually,
  funded,
  orderOf,
  serverProcess,
  settledAudit,
  stocked,
  type Client,
  type ServerProcess,
} from './testing.ts'

let database: TestDatabase
let data: ReturnType<typeof dataDirectory>
const servers: ServerProcess[] = []
let operator: Client
let alice: Client
let poor: Client

const url = () => servers.at(-1)!.url
const start = async () => {
  const server = await serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path })
  servers.push(server)
  return server
}
const ended = (orders: readonly { id: string }[]): Promise<Record<string, string>[]> =>
  Promise.all(orders.map(({ id }) => endOf(operator, id)))

beforeAll(async () => {
  database = await createTestDatabase('spine')
  data = dataDirectory()
  operator = await client(data.path, url, 'olga', 'operator')
  alice = await client(data.path, url, 'alice', 'customer')
  poor = await client(data.path, url, 'poor', 'customer')
})

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

afterAll(async () => {
  await database.drop()
  data.remove()
})

describe('a server', () => {
  test('takes every order to its end, and the books balance', { timeout: 60_000 }, async () => {
    await start()
    await stocked(operator, 'LAMP', 30)
    await funded(operator, alice, 'alice', 900_000)
    await funded(operator, poor, 'poor', 1500)
    const asked = [
      ...Array.from({ length: 10 }, () => alice.post('/v1/orders', orderOf('LAMP'))),
      ...Array.from({ length: 3 }, () => poor.post('/v1/orders', orderOf('LAMP'))),
      alice.post('/v1/orders', orderOf('LAMP', 1000)),
      alice.post('/v1/orders', orderOf('LAMP', 100)),
      alice.post('/v1/orders', orderOf('LAMP', 1, '00000')),
      alice.post('/v1/orders', orderOf('LAMP', 1, '99999')),
    ]
    const accepted = await Promise.all(asked)
    expect(accepted.map(({ status }) => status)).toEqual(asked.map(() => 202))
    const orders = await ended(accepted.map(({ body }) => body))
    const ends = orders.map((order) => (order.failure as unknown as { code: string } | null)?.code ?? order.status)
    expect(ends.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'completed'))
    expect(ends.slice(10, 13).toSorted()).toEqual(['completed', 'insufficient-funds', 'insufficient-funds'])
    expect(ends.slice(13)).toEqual(['insufficient-funds', 'out-of-stock', 'undeliverable', 'completed'])
    expect((await operator.get('/v1/accounts/alice')).body).toMatchObject({ balance: 900_000 - 11_000, held: 0 })
    expect((await operator.get('/v1/accounts/poor')).body).toMatchObject({ balance: 500, held: 0 })
    expect((await operator.get('/v1/products/LAMP')).body).toMatchObject({ onHand: 18, reserved: 0 })
    const audit = await settledAudit(operator)
    expect(audit).toMatchObject({ ok: true, orders: { total: 17, terminal: 17, stuck: 0 }, tasks: { dead: 0 } })
    expect((await servers[0]!.stop()) ?? 0).toBe(0)
  })

  test('answers a repeat with the stored answer, another body with 422, and an unknown product only when it is sure', async () => {
    await start()
    const first = await alice.post('/v1/orders', orderOf('LAMP'), 'key-1')
    const again = await alice.post('/v1/orders', orderOf('LAMP'), 'key-1')
    expect(again).toMatchObject({ status: 202, body: first.body })
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect(await alice.post('/v1/orders', orderOf('LAMP', 2), 'key-1')).toMatchObject({
      status: 422,
      body: { code: 'key-reused' },
    })
    expect((await poor.post('/v1/orders', orderOf('LAMP'), 'key-1')).body.id).not.toBe(first.body.id)
    expect(await alice.post('/v1/orders', orderOf('GHOST'))).toMatchObject({
      status: 422,
      body: { code: 'unknown-sku' },
    })
    await operator.put('/v1/products/FRESH', { name: 'Fresh', price: { amount: 1, currency: 'EUR' } })
    expect((await alice.post('/v1/orders', orderOf('FRESH'))).status).toBe(202)
    expect((await poor.get(`/v1/orders/${first.body.id}`)).status).toBe(404)
    expect((await poor.post(`/v1/orders/${first.body.id}/cancel`)).status).toBe(404)
    await ended([first.body])
    expect((await alice.post(`/v1/orders/${first.body.id}/cancel`)).status).toBe(409)
  })

  test(
    'killed in the middle of a stream of orders, it loses none that it acknowledged',
    { timeout: 90_000 },
    async () => {
      await start()
      await stocked(operator, 'DESK', 1000)
      const acknowledged: { id: string }[] = []
      const stream = Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let i = 0; i < 12; i++) acknowledged.push((await alice.insist('/v1/orders', orderOf('DESK'))).body)
        }),
      )
      for (const at of [15, 45]) {
        await eventually(
          async () => acknowledged.length,
          (count) => count >= at,
        )
        await servers.at(-1)!.kill()
        servers.pop()
        await start()
      }
      await stream
      expect(new Set(acknowledged.map(({ id }) => id)).size).toBe(96)
      await ended(acknowledged)
      const audit = await settledAudit(operator)
      expect(audit).toMatchObject({ ok: true, log: { parked: 0 } })
      // One key, one order: nothing was placed twice by those that had to ask again.
      expect(audit.orders.total).toBe(audit.orders.terminal)
      expect((await operator.get('/v1/products/DESK')).body).toMatchObject({ onHand: 904, reserved: 0 })
    },
  )
})

describe('two servers on one database', () => {
  test(
    'both come up when started in the same second on an empty one; they share the work; one is killed, the other finishes',
    { timeout: 90_000 },
    async () => {
      const empty = await createTestDatabase('twins')
      try {
        const environment = { DATABASE_URL: empty.url, CAUCE_DATA: data.path }
        const twins = await Promise.all([serverProcess(environment), serverProcess(environment)])
        servers.push(...twins)
        const [left, right] = twins
        let at: ServerProcess = left
        const boss = await client(data.path, () => right.url, 'olga', 'operator')
        const bob = await client(data.path, () => at.url, 'bob', 'customer')
        await stocked(boss, 'LAMP', 1000)
        await funded(boss, bob, 'bob', 1_000_000)
        const orders: { id: string }[] = []
        for (let i = 0; i < 40; i++) {
          at = twins[i % 2]!
          orders.push((await bob.insist('/v1/orders', orderOf('LAMP'))).body)
          if (i === 30) {
            await left.kill()
            servers.splice(servers.indexOf(left), 1)
            twins[0] = right!
          }
        }
        operator = boss
        expect((await ended(orders)).map(({ status }) => status)).toEqual(orders.map(() => 'completed'))
        const audit = await settledAudit(boss)
        expect(audit).toMatchObject({ ok: true, orders: { total: 40, terminal: 40 } })
        for (const server of servers.splice(0)) await server.stop()
      } finally {
        await empty.drop()
      }
    },
  )

  test('each service can run alone', { timeout: 90_000 }, async () => {
    const apart = await createTestDatabase('apart')
    try {
      const environment = { DATABASE_URL: apart.url, CAUCE_DATA: data.path }
      const names = ['orders', 'payments', 'inventory', 'shipping']
      const [orders, payments, inventory] = await Promise.all(
        names.map(async (name) => {
          const server = await serverProcess({ ...environment, CAUCE_SERVICES: name })
          servers.push(server)
          return server
        }),
      )
      const shop = await client(data.path, () => inventory!.url, 'olga', 'operator')
      const bank = await client(data.path, () => payments!.url, 'olga', 'operator')
      const wallet = await client(data.path, () => payments!.url, 'carol', 'customer')
      const carol = await client(data.path, () => orders!.url, 'carol', 'customer')
      await stocked(shop, 'LAMP', 10)
      await funded(bank, wallet, 'carol', 5000)
      const { body } = await carol.insist('/v1/orders', orderOf('LAMP', 2))
      const order = await endOf(carol, body.id)
      expect(order).toMatchObject({
        status: 'completed',
        payment: { status: 'captured' },
        shipment: { status: 'dispatched' },
      })
      for (const server of servers.splice(0)) await server.stop()
    } finally {
      await apart.drop()
    }
  })
})
