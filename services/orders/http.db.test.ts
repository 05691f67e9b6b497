/** Orders over HTTP: lists out of the view, versions, and the stream of one order. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemIds } from '@cauce/kit/core/id-source'
import { systemRandom } from '@cauce/kit/core/prng'
import { Signal } from '@cauce/kit/core/signal'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { explainAll } from '@cauce/kit/database/plans'
import { openStreams } from '@cauce/kit/http/streams'
import { testServer, type TestServer } from '@cauce/kit/http/testing'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { viewReader } from '@cauce/kit/projection/reader'
import { Runner } from '@cauce/kit/projection/runner'
import {
  migrations,
  orderList,
  orderRoutes,
  orders,
  orderStreamRoute,
  watchOrders,
  type OrderWatcher,
} from './service.ts'
import { pageOfOrders } from './views/order-list.ts'
import { shipTo } from './testing.ts'

let database: ServiceDatabase
let pool: Pool
let server: TestServer
let view: Runner
let watcher: OrderWatcher
let url: string
const who: Record<string, { authorization: string }> = {}

beforeAll(async () => {
  database = await openService(orders, migrations)
  pool = createPool({ url: database.url, purpose: 'pipeline', size: 4 })
  server = await testServer({ documented: true })
  const world = { clock: systemClock, timers: systemTimers, random: systemRandom, wake: new Signal(systemTimers) }
  const about = { pool, schema: 'orders', definition: orderList }
  view = new Runner({ ...about, ...world, readers: [postgresLogReader(pool, 'orders')] })
  const list = viewReader({ ...about, clock: systemClock })
  const reads = database.reads
  orderRoutes(server.app, { queue: database.queue, ids: systemIds, reads, list, pricesCaughtUp: async () => true })
  watcher = watchOrders(reads, systemTimers, () => undefined)
  orderStreamRoute(server.app, { reads, watcher, open: await openStreams(server.app, systemTimers) })
  url = `http://127.0.0.1:${await server.listen()}`
  for (const name of ['alice', 'bob']) who[name] = await server.as(name)
  who['olga'] = await server.as('olga', 'operator')
  await database.sql(`INSERT INTO orders.catalogue VALUES ('LAMP', 'Lamp', 1999, 'EUR', now())`)
})
afterAll(async () => {
  watcher.close()
  await server.close()
  await pool.close()
  await database.close()
})
beforeEach(async () => {
  await database.sql('DELETE FROM orders.orders')
  await settle()
  await database.sql(
    "DO $$ BEGIN EXECUTE (SELECT 'DELETE FROM orders.order_list_' || generation FROM orders.views); END $$",
  )
})

const settle = async () => {
  while ((await view.turn()).worked);
}

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

async function call(path: string, as = 'alice', init: Asked = {}) {
  const response = await fetch(`${url}${path}`, { ...init, headers: { ...who[as], ...init.headers } })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}
const place = async (as = 'alice', quantity = 1): Promise<string> => {
  const body = { lines: [{ sku: 'LAMP', quantity }], payment: { method: 'wallet' }, shipTo }
  const headers = { 'content-type': 'application/json', 'idempotency-key': systemIds.draw() }
  return (await call('/v1/orders', as, { method: 'POST', headers, body: JSON.stringify(body) })).body.id as string
}
const cancel = (id: string, as = 'alice', headers: Record<string, string> = {}) =>
  call(`/v1/orders/${id}/cancel`, as, { method: 'POST', headers })
const say = (type: string, id: string) =>
  database.submit({
    type,
    data: { orderId: id, paymentId: id.replace('ord', 'pay'), code: 'payment-declined', message: 'No' },
  })

async function pages(query: string, as = 'alice'): Promise<{ id: string; status: string }[]> {
  const all: { id: string; status: string }[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body } = await call(`/v1/orders?${query}${cursor === '' ? '' : `&cursor=${cursor}`}`, as)
    all.push(...body.items)
    cursor = body.nextCursor
  }
  return all
}
const ids = (orders: readonly { id: string }[]) => orders.map(({ id }) => id)

describe('lists', () => {
  test('mine, newest first; an operator sees everybody’s; by status', async () => {
    const [a, b, c] = [await place(), await place('bob'), await place()]
    await say('PaymentDeclined', a)
    await settle()
    expect(ids(await pages('limit=1'))).toEqual([c, a])
    expect(ids(await pages('', 'olga'))).toEqual([c, b, a])
    expect(ids(await pages('status=cancelled'))).toEqual([a])
    expect(ids(await pages('status=authorizing', 'olga'))).toEqual([c, b])
    expect(await pages('status=cancelled', 'bob')).toEqual([])
  })

  test('a page is never wrong, only short: what has moved on since is left out, and nothing behind it is skipped', async () => {
    const placed: string[] = []
    for (let i = 0; i < 6; i++) placed.unshift(await place())
    await settle()
    // The view does not know of these yet.
    for (const id of placed.slice(0, 3)) await say('PaymentDeclined', id)
    const first = (await call('/v1/orders?status=authorizing&limit=2')).body
    expect(first.items).toEqual([])
    expect(first.nextCursor).not.toBeNull()
    expect(ids(await pages('status=authorizing&limit=2'))).toEqual(placed.slice(3))
    await settle()
    expect(ids(await pages('status=cancelled&limit=2'))).toEqual(placed.slice(0, 3))
  })

  test('pages while orders are placed and move on: each that was there all along, once', async () => {
    const before: string[] = []
    for (let i = 0; i < 30; i++) before.unshift(await place())
    await settle()
    let over = false
    const writing = (async () => {
      for (let i = 0; !over; i++) {
        const id = await place()
        await say('PaymentDeclined', i % 2 === 0 ? id : before[i % before.length]!)
        await view.turn()
      }
    })()
    try {
      for (let round = 0; round < 5; round++) {
        const seen = ids(await pages('limit=4'))
        expect(new Set(seen).size).toBe(seen.length)
        expect(seen.filter((id) => before.includes(id))).toEqual(before)
        const cancelled = await pages('status=cancelled&limit=4')
        expect(cancelled.every(({ status }) => status === 'cancelled')).toBe(true)
      }
    } finally {
      over = true
      await writing
    }
  })

  test.each(['cursor=x', 'cursor=e30', 'limit=0', 'limit=101', 'status=lost', 'sort=id'])(
    '?%s is 400',
    async (query) => {
      expect((await call(`/v1/orders?${query}`)).status).toBe(400)
    },
  )
})

describe('plans', () => {
  const filters = [{}, { customer: 'c7' }, { status: 'cancelled' }, { customer: 'c7', status: 'cancelled' }] as const
  const statements = (table: string) =>
    filters
      .flatMap((filter) => [filter, { ...filter, before: 'ord_05' }])
      .map((filter) => {
        const { name, sql } = pageOfOrders({ ...filter, limit: 51 })
        return { name, text: sql(table) }
      })

  test('every page is look-ups, also where the planner knows nothing', async () => {
    expect(statements('orders.order_list_1')).toHaveLength(8)
    // The newest of all are read from the end of the primary key.
    const problems = await explainAll(pool, statements('orders.order_list_1'), [])
    expect(problems).toEqual([expect.stringMatching(/reads all of the index order_list_1_pkey$/)])
  })

  test('a page of a hundred thousand orders touches no more than its own', { timeout: 60_000 }, async () => {
    await database.sql(`INSERT INTO orders.orders SELECT * FROM json_populate_recordset(NULL::orders.orders, (
      SELECT json_agg(json_build_object('id', 'ord_' || lpad(n::text, 32, '0'), 'customer', 'c' || n % 100,
        'status', (ARRAY['completed', 'cancelled', 'shipping'])[1 + n % 3], 'saga_version', 1, 'waiting', '[]'::json, 'undo', '[]'::json,
        'lines', '[]'::json, 'total_amount', 1, 'currency', 'EUR', 'ship_to', '{}'::json, 'payment_id', 'p', 'payment_method', 'wallet',
        'payment_status', 'captured', 'request_id', 'r', 'version', 1, 'placed_at', now(), 'updated_at', now()))
      FROM generate_series(1, 100000) n))`)
    await database.sql(`INSERT INTO orders.order_list_1 SELECT id, customer, status, version FROM orders.orders`)
    await database.sql('ANALYZE')
    const reads = createPool({ url: database.url, purpose: 'read', size: 1 })
    try {
      for (const filter of filters) {
        for (const before of [undefined, `ord_${'50000'.padStart(32, '0')}`]) {
          const { sql, values } = pageOfOrders({ ...filter, ...(before ? { before } : {}), limit: 51 })
          const text = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql('orders.order_list_1')}`
          const [plan] = await reads.query<{ 'QUERY PLAN': any }>({ name: '', text }, values)
          const [{ Plan }] = plan!['QUERY PLAN']
          expect(Plan['Actual Rows']).toBe(51)
          expect(Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks']).toBeLessThan(500)
        }
      }
    } finally {
      await reads.close()
    }
  })
})

test('a version that is known is 304, and a cancellation of another one is 412', async () => {
  const id = await place()
  const { headers } = await call(`/v1/orders/${id}`)
  expect(headers.get('etag')).toBe('"1"')
  expect((await call(`/v1/orders/${id}`, 'alice', { headers: { 'if-none-match': '"1"' } })).status).toBe(304)
  expect(await cancel(id, 'alice', { 'if-match': '"2"' })).toMatchObject({
    status: 412,
    body: { code: 'precondition-failed' },
  })
  expect((await cancel(id, 'bob', { 'if-match': '"2"' })).status).toBe(404)
  expect(await cancel(id, 'alice', { 'if-match': '"1"' })).toMatchObject({ status: 202, body: { version: 2 } })
  expect((await cancel(id, 'alice', { 'if-match': '*' })).status).toBe(200)
})

describe('the stream', () => {
  interface Event {
    readonly id: string
    readonly event: string
    readonly data: { status: string; version: number }
  }

  /** Calls `on` with each event; resolves when the stream ends. */
  async function follow(id: string, on: (event: Event) => void, headers: Record<string, string> = {}): Promise<number> {
    const response = await fetch(`${url}/v1/orders/${id}/stream`, { headers: { ...who['alice'], ...headers } })
    let text = ''
    const decoder = new TextDecoder()
    if (response.status !== 200) return response.status
    for await (const chunk of response.body!) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      const parts = text.split('\n\n')
      text = parts.pop() ?? ''
      for (const part of parts.filter((each) => !each.startsWith(':'))) {
        const fields = Object.fromEntries(part.split('\n').map((line) => line.split(/: (.*)/s)))
        on({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) })
      }
    }
    return response.status
  }

  test('begins with the order, tells of each change, ends with it; who comes again goes on where they were', async () => {
    const id = await place()
    const seen: Event[] = []
    const first = deferred<void>()
    const following = follow(id, (event) => {
      seen.push(event)
      first.resolve()
    })
    await first.promise
    await say('PaymentAuthorized', id)
    watcher.wake()
    await cancel(id)
    watcher.wake()
    await say('StockReleased', id)
    await say('PaymentVoided', id)
    watcher.wake()
    expect(await following).toBe(200)
    expect(seen[0]).toMatchObject({ id: '1', event: 'order', data: { id, status: 'authorizing', version: 1 } })
    expect(seen.at(-1)).toMatchObject({ data: { status: 'cancelled' } })
    const versions = seen.map((event) => Number(event.id))
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b))
    expect(watcher.size).toBe(0)
    const last = seen.at(-1)!.id
    expect(await follow(id, () => undefined, { 'last-event-id': last })).toBe(204)
    const again: Event[] = []
    expect(await follow(id, (event) => again.push(event), { 'last-event-id': '1' })).toBe(200)
    expect(again.map((event) => event.id)).toEqual([last])
  })

  test('who has the version gets the next one first', async () => {
    const id = await place()
    const seen: string[] = []
    const following = follow(id, (event) => seen.push(event.id), { 'last-event-id': '1' })
    await until(() => watcher.size === 1)
    await say('PaymentDeclined', id)
    // Nobody says so: it looks by itself.
    expect(await following).toBe(200)
    expect(seen).toEqual(['2'])
  })

  test('is for the owner and for operators', async () => {
    const id = await place('bob')
    expect(await follow(id, () => undefined)).toBe(404)
    expect(await follow(id, () => undefined, { authorization: '' })).toBe(401)
    expect(await follow(id, () => undefined, { 'last-event-id': 'x' })).toBe(400)
  })
})

function deferred<T>() {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((done) => (resolve = done))
  return { promise, resolve }
}

async function until(holds: () => boolean): Promise<void> {
  const end = systemClock.monotonic() + 10_000
  while (!holds() && systemClock.monotonic() < end) await systemTimers.sleep(5)
  expect(holds()).toBe(true)
}
