/**
 * What an operator does about parked keys and dead letters, from outside: a real server, and orders of a saga version that
 * it does not know. Their messages park, their deadlines die; other orders flow.
 */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
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

/** Orders of these customers are placed with a version from the future. */
const unknownVersions = `
  CREATE FUNCTION orders.from_the_future() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.saga_version := NEW.saga_version + 1000; RETURN NEW; END $$;
  CREATE TRIGGER from_the_future BEFORE INSERT ON orders.orders FOR EACH ROW
    WHEN (NEW.customer LIKE 'future%') EXECUTE FUNCTION orders.from_the_future()`

let database: TestDatabase
let data: ReturnType<typeof dataDirectory>
let server: ServerProcess
let sql: pg.Client
let operator: Client
let alice: Client
let customers = 0

beforeAll(async () => {
  database = await createTestDatabase('ops')
  data = dataDirectory()
  server = await serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path })
  operator = await customer('olga', 'operator')
  alice = await customer('alice')
  await stocked(operator, 'LAMP', 1000)
  await funded(operator, alice, 'alice', 1_000_000)
  sql = new pg.Client({ connectionString: database.url })
  await sql.connect()
  await sql.query(unknownVersions)
})

afterAll(async () => {
  await sql.end()
  await server.stop()
  await database.drop()
  data.remove()
})

function customer(subject: string, role: 'customer' | 'operator' = 'customer'): Promise<Client> {
  return client(data.path, () => server.url, subject, role)
}

/** Orders that wait parked. */
async function parkedOrders(count: number): Promise<string[]> {
  const subject = `future${++customers}`
  const buyer = await customer(subject)
  await funded(operator, buyer, subject, 100_000)
  const placed = await Promise.all(Array.from({ length: count }, () => buyer.insist('/v1/orders', orderOf('LAMP'))))
  const ids = placed.map(({ body }) => body.id as string).toSorted()
  for (const id of ids)
    await eventually(
      () => operator.get(parkedPath(id)),
      ({ status }) => status === 200,
    )
  return ids
}

const parkedPath = (id: string): string => `/v1/ops/parked/orders/payments/${id}`
const cure = (...ids: readonly string[]) =>
  sql.query('UPDATE orders.orders SET saga_version = saga_version - 1000 WHERE id = ANY($1)', [ids])
const completed = (id: string) =>
  eventually(
    () => operator.get(`/v1/orders/${id}`),
    ({ body }) => body.status === 'completed',
  )
const timerOf = (id: string): string => `order-deadline:${id}`
const deadPath = (id: string): string => `/v1/ops/dead-letters/orders/${encodeURIComponent(timerOf(id))}`
const dead = (id: string) =>
  eventually(
    () => operator.get(deadPath(id)),
    ({ status }) => status === 200,
  )
/** Its deadline comes, and its decision throws. */
const letDie = async (...ids: readonly string[]) => {
  await sql.query('UPDATE orders.tasks SET due_at = clock_timestamp() WHERE id = ANY($1)', [ids.map(timerOf)])
  return Promise.all(ids.map(dead))
}
const actions = async () => (await operator.get('/v1/ops/actions')).body.items

describe('parked keys', () => {
  let ids: string[]
  beforeEach(async () => {
    await sql.query('DELETE FROM orders.parked')
    await sql.query('UPDATE orders.cursors SET parked = 0')
    ids = await parkedOrders(3)
  })

  test('are listed by key and by cause, and shown with their messages', async () => {
    const { body: page } = await operator.get('/v1/ops/parked')
    expect(page).toMatchObject({
      nextCursor: null,
      items: ids.map((key) => ({ group: 'orders', source: 'payments', key })),
    })
    const [item] = page.items
    expect(item).toMatchObject({ messages: 1, type: 'PaymentAuthorized', since: expect.stringMatching(/^\d{4}-.*Z$/) })
    expect(item.error).toMatch(/^Error: Version 1\d{3} of saga fulfilment is not known here/)
    expect(item.cause).toMatch(/^Error: Version # of saga fulfilment is not known here/)
    const { body: causes } = await operator.get('/v1/ops/parked/causes')
    expect(causes.items).toEqual([
      expect.objectContaining({ group: 'orders', cause: item.cause, keys: 3, messages: 3, oldest: item.since }),
    ])
    const { body: whole } = await operator.get(parkedPath(ids[0]!))
    expect(whole).toMatchObject({ ...item, nextCursor: null })
    expect(whole.items).toMatchObject([{ type: 'PaymentAuthorized', error: item.error, data: { orderId: ids[0] } }])
  })

  test('come page by page, and by cause', async () => {
    const keys: string[] = []
    for (let cursor = ''; ;) {
      const { body } = await operator.get(`/v1/ops/parked?group=orders&limit=2${cursor}`)
      keys.push(...body.items.map(({ key }: { key: string }) => key))
      if (body.nextCursor === null) break
      cursor = `&cursor=${body.nextCursor}`
    }
    expect(keys).toEqual(ids)
    const { cause } = (await operator.get('/v1/ops/parked')).body.items[0]
    const found = (filter: string) => operator.get(`/v1/ops/parked?cause=${encodeURIComponent(filter)}`)
    expect((await found(cause)).body.items).toHaveLength(3)
    expect((await found('Error: another')).body.items).toEqual([])
    expect((await operator.get('/v1/ops/parked?group=shipping')).body.items).toEqual([])
  })

  test('redriven while the cause is there stay; once it is gone the order goes on to its end', async () => {
    const id = ids[0]!
    const failed = await operator.post(`${parkedPath(id)}/redrive`)
    expect(failed).toMatchObject({
      status: 200,
      body: { applied: 0, error: expect.stringContaining('is not known here') },
    })
    expect((await operator.get(parkedPath(id))).status).toBe(200)
    await cure(id)
    expect((await operator.post(`${parkedPath(id)}/redrive`)).body).toEqual({ applied: 1, error: null })
    await completed(id)
    expect((await operator.post(`${parkedPath(id)}/redrive`)).status).toBe(404)
    const target = { group: 'orders', source: 'payments', key: id }
    const record = { action: 'parked.redrive', service: 'orders', subject: 'olga', target, reason: null }
    expect((await actions()).slice(0, 2)).toMatchObject([
      { ...record, result: { applied: 1, error: null } },
      { ...record, result: { applied: 0, error: expect.any(String) } },
    ])
  })

  test('of one cause are redriven together, and those that fail again are counted', async () => {
    const { cause } = (await operator.get('/v1/ops/parked')).body.items[0]
    await cure(ids[0]!, ids[2]!)
    const { body } = await operator.post('/v1/ops/parked/redrive', { group: 'orders', cause })
    expect(body).toEqual({ keys: 3, applied: 2, failed: 1, nextCursor: null })
    await Promise.all([completed(ids[0]!), completed(ids[2]!)])
    expect((await operator.get('/v1/ops/parked')).body.items).toMatchObject([{ key: ids[1] }])
    expect((await actions())[0]).toMatchObject({
      target: { group: 'orders', cause },
      result: { keys: 3, applied: 2, failed: 1 },
    })
    const none = await operator.post('/v1/ops/parked/redrive', { group: 'orders', cause: 'another' })
    expect(none.body).toEqual({ keys: 0, applied: 0, failed: 0, nextCursor: null })
  })

  test('are discarded with a reason, by id or whole, and the record says so', async () => {
    const id = ids[0]!
    const [message] = (await operator.get(parkedPath(id))).body.items
    const unknown = await operator.post(`${parkedPath(id)}/discard`, { reason: 'a slip', ids: ['unknown'] })
    expect(unknown.status).toBe(404)
    const one = await operator.post(`${parkedPath(id)}/discard`, { reason: 'sent twice', ids: [message.id] })
    expect(one).toMatchObject({ status: 200, body: { discarded: 1 } })
    expect((await operator.get(parkedPath(id))).status).toBe(404)
    expect((await operator.post(`${parkedPath(ids[1]!)}/discard`, { reason: 'all of it' })).body).toEqual({
      discarded: 1,
    })
    const [last, first] = await actions()
    expect(first).toMatchObject({
      action: 'parked.discard',
      reason: 'sent twice',
      result: { discarded: 1 },
      subject: 'olga',
    })
    expect(last).toMatchObject({ reason: 'all of it', target: { key: ids[1] } })
    expect(last.requestId).not.toBe(first.requestId)
    // The key flows again.
    await cure(id)
    const cursors = await sql.query('SELECT sum(parked)::int AS parked FROM orders.cursors')
    expect(cursors.rows).toEqual([{ parked: 1 }])
  })

  test('do not hold up what others order', async () => {
    const { body } = await alice.insist('/v1/orders', orderOf('LAMP'))
    await completed(body.id)
  })
})

describe('dead letters', () => {
  let ids: string[]
  beforeEach(async () => {
    await sql.query(`UPDATE orders.tasks SET state = 'cancelled' WHERE state = 'dead'`)
    ids = await parkedOrders(3)
    await letDie(...ids)
  })

  test('are listed, grouped by cause, and shown', async () => {
    const { body: page } = await operator.get('/v1/ops/dead-letters')
    expect(page.items.map(({ key }: { key: string }) => key).toSorted()).toEqual(ids)
    const [item] = page.items
    expect(item).toMatchObject({ service: 'orders', type: 'order-deadline', attempts: 1, outcome: { kind: 'due' } })
    expect(item.error).toMatch(/^Error: Version 1\d{3} of saga/)
    const { body: causes } = await operator.get('/v1/ops/dead-letters/causes')
    const { cause, since } = item
    expect(causes.items).toEqual([
      { service: 'orders', type: 'order-deadline', cause, tasks: 3, oldest: since, example: item.id },
    ])
    expect((await operator.get(deadPath(item.key))).body).toEqual(item)
    const seen: string[] = []
    for (let cursor = ''; ;) {
      const { body } = await operator.get(`/v1/ops/dead-letters?service=orders&type=order-deadline&limit=1${cursor}`)
      seen.push(...body.items.map(({ key }: { key: string }) => key))
      if (body.nextCursor === null) break
      cursor = `&cursor=${body.nextCursor}`
    }
    expect(seen).toEqual(page.items.map(({ key }: { key: string }) => key))
    expect((await operator.get('/v1/ops/dead-letters?type=another')).body.items).toEqual([])
    expect((await operator.get('/v1/ops/dead-letters?cause=another')).body.items).toEqual([])
  })

  test('redriven die again while the cause is there, and do their work once it is gone', async () => {
    const id = ids[0]!
    const first = (await operator.get(deadPath(id))).body
    expect((await operator.post(`${deadPath(id)}/redrive`)).body).toEqual({ redriven: 1 })
    await eventually(
      () => operator.get(deadPath(id)),
      ({ body }) => body.since > first.since,
    )
    await cure(id)
    expect((await operator.post(`${deadPath(id)}/redrive`)).body).toEqual({ redriven: 1 })
    // The timer finds a later deadline in the order and sets itself again.
    const timer = () =>
      sql.query(`SELECT state, due_at > now() AS later FROM orders.tasks WHERE id = $1`, [timerOf(id)])
    await eventually(timer, ({ rows }) => rows[0].state === 'open' && rows[0].later === true)
    expect((await operator.post(`${deadPath(id)}/redrive`)).status).toBe(404)
    expect((await actions())[0]).toMatchObject({
      action: 'dead-letter.redrive',
      target: { service: 'orders', id: timerOf(id) },
      result: { redriven: 1 },
    })
  })

  test('of one cause are redriven together', async () => {
    await cure(...ids)
    const { cause } = (await operator.get(deadPath(ids[0]!))).body
    const { body } = await operator.post('/v1/ops/dead-letters/redrive', { service: 'orders', cause })
    expect(body).toEqual({ redriven: 3, nextCursor: null })
    await eventually(
      () => operator.get('/v1/ops/dead-letters'),
      ({ body: now }) => now.items.length === 0,
    )
    expect((await actions())[0]).toMatchObject({ target: { service: 'orders', cause }, result: { redriven: 3 } })
    expect((await operator.post('/v1/ops/dead-letters/redrive', { service: 'orders' })).body.redriven).toBe(0)
  })

  test('are discarded one by one or together, with a reason, and nobody decides', async () => {
    const id = ids[0]!
    const { body: before } = await operator.get(`/v1/orders/${id}`)
    expect((await operator.post(`${deadPath(id)}/discard`, { reason: 'settled by hand' })).body).toEqual({
      discarded: 1,
    })
    expect((await operator.get(deadPath(id))).status).toBe(404)
    expect((await operator.post(`${deadPath(id)}/redrive`)).status).toBe(404)
    expect((await operator.get(`/v1/orders/${id}`)).body).toEqual(before)
    const { rows } = await sql.query('SELECT state, error FROM orders.tasks WHERE id = $1', [timerOf(id)])
    expect(rows).toMatchObject([
      { state: 'cancelled', error: expect.stringMatching(/^discarded: settled by hand; before: Error/) },
    ])
    const group = { service: 'orders', type: 'order-deadline', reason: 'a test' }
    expect((await operator.post('/v1/ops/dead-letters/discard', group)).body).toEqual({
      discarded: 2,
      nextCursor: null,
    })
    expect((await actions()).slice(0, 2)).toMatchObject([
      { action: 'dead-letter.discard', reason: 'a test', result: { discarded: 2 } },
      { action: 'dead-letter.discard', reason: 'settled by hand', target: { id: timerOf(id) } },
    ])
    expect((await operator.get('/v1/ops/dead-letters')).body.items).toEqual([])
  })

  test('are acted on five hundred at a time, each once', async () => {
    await sql.query(`
      INSERT INTO orders.tasks (id, type, key, data, state, due_at, request_id, cause_id, created_at, finished_at, error, cause)
      SELECT 'many' || n, 'many', 'k', '{}', 'dead', now(), 'r', 'c', now(), date_trunc('milliseconds', now()), 'why', 'why'
      FROM generate_series(1, 1001) AS n`)
    const filter = { service: 'orders', type: 'many', reason: 'too many' }
    const first = await operator.post('/v1/ops/dead-letters/discard', filter)
    expect(first.body).toEqual({ discarded: 500, nextCursor: expect.any(String) })
    const second = await operator.post('/v1/ops/dead-letters/discard', { ...filter, cursor: first.body.nextCursor })
    expect(second.body.discarded).toBe(500)
    const third = await operator.post('/v1/ops/dead-letters/discard', { ...filter, cursor: second.body.nextCursor })
    expect(third.body).toEqual({ discarded: 1, nextCursor: null })
  })
})

test('what pays is not shown to operators either', async () => {
  const data = JSON.stringify({ paymentId: 'pay_1', token: 'tok_secret' })
  await sql.query(
    `INSERT INTO payments.parked (consumer_group, source, lane, position, id, type, key, data, request_id, cause_id, at, error, cause)
     VALUES ('payments', 'orders', 0, 1e9, 'm1', 'AuthorizePayment', 'ord_card', $1, 'r', 'c', now(), 'e', 'e')`,
    [data],
  )
  await sql.query(
    `INSERT INTO payments.tasks (id, type, key, data, state, due_at, request_id, cause_id, created_at, finished_at, error, cause)
     VALUES ('card', 'authorize-card', 'ord_card', $1, 'dead', now(), 'r', 'c', now(), now(), 'e', 'e')`,
    [data],
  )
  const shown = { paymentId: 'pay_1', token: '…' }
  const { body: key } = await operator.get('/v1/ops/parked/payments/orders/ord_card')
  const { body: letter } = await operator.get('/v1/ops/dead-letters/payments/card')
  const { body: letters } = await operator.get('/v1/ops/dead-letters?service=payments')
  expect([key.items[0].data, letter.data, letters.items[0].data]).toEqual([shown, shown, shown])
  await sql.query(`DELETE FROM payments.parked WHERE id = 'm1'`)
  await sql.query(`DELETE FROM payments.tasks WHERE id = 'card'`)
})

test('the record of actions comes page by page, newest first', async () => {
  const { body: all } = await operator.get('/v1/ops/actions?limit=100')
  const times = all.items.map(({ at }: { at: string }) => at)
  expect(times).toEqual(times.toSorted().toReversed())
  const { body: page } = await operator.get('/v1/ops/actions?limit=2')
  const { body: next } = await operator.get(`/v1/ops/actions?limit=2&cursor=${page.nextCursor}`)
  expect([...page.items, ...next.items]).toEqual(all.items.slice(0, 4))
})

test('a service that runs elsewhere is not answered for', async () => {
  const environment = { DATABASE_URL: database.url, CAUCE_DATA: data.path, CAUCE_SERVICES: 'payments' }
  const alone = await serverProcess(environment)
  try {
    const there = await client(data.path, () => alone.url, 'olga', 'operator')
    const answer = await there.get('/v1/ops/parked?group=orders')
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } })
    expect(answer.body.detail).toBe('orders does not run in this server, which runs payments. Ask one that runs it')
    expect((await there.get('/v1/ops/parked')).body.items).toEqual([])
    expect((await there.get('/v1/ops/actions')).body.items).toEqual([])
  } finally {
    await alone.stop()
  }
})
