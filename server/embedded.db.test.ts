/** A server on its own PostgreSQL: the database is killed under it, then the server over the database. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '@cauce/kit/core/clock'
import { processIdentity } from '@cauce/kit/database/embedded/processes'
import { postmasterOf } from '@cauce/kit/database/embedded/testing-server'
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

const data = dataDirectory()
let server: ServerProcess
let operator: Client
let alice: Client

const postmaster = () => postmasterOf(data.path)
const start = () => serverProcess({ CAUCE_DATA: data.path, DATABASE_URL: '' })

beforeAll(async () => {
  server = await start()
  operator = await client(data.path, () => server.url, 'olga', 'operator')
  alice = await client(data.path, () => server.url, 'alice', 'customer')
  await stocked(operator, 'LAMP', 1000)
  await funded(operator, alice, 'alice', 1_000_000)
})
afterAll(async () => {
  await server.stop()
  data.remove()
})

const books = () =>
  eventually(
    () => operator.get('/v1/ops/audit'),
    ({ body }) => body.orders.total === body.orders.terminal,
  )

test('PostgreSQL killed: 503 with Retry-After, liveness stays up, then on by itself; nothing acknowledged is lost', async () => {
  const before = await Promise.all(Array.from({ length: 20 }, () => alice.post('/v1/orders', orderOf('LAMP'))))
  expect(before.map(({ status }) => status)).toEqual(before.map(() => 202))
  process.kill(postmaster(), 'SIGKILL')
  const killedAt = systemClock.monotonic()
  const refused = await eventually(
    () => alice.post('/v1/orders', orderOf('LAMP')),
    ({ status }) => status !== 202,
  )
  expect(refused).toMatchObject({ status: 503, body: { code: 'database-away' } })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await fetch(`${server.url}/livez`)).status).toBe(200)
  const after = await alice.insist('/v1/orders', orderOf('LAMP'))
  expect(after.status).toBe(202)
  expect(systemClock.monotonic() - killedAt).toBeLessThan(10_000)
  const { body } = await books()
  expect(body).toMatchObject({ ok: true, log: { parked: 0 }, tasks: { dead: 0 } })
  expect(body.orders.total).toBeGreaterThanOrEqual(21)
})

test('the server killed over its database: the next one adopts it and finishes what was acknowledged', async () => {
  const pid = postmaster()
  const placed = await Promise.all(Array.from({ length: 20 }, () => alice.post('/v1/orders', orderOf('LAMP'))))
  await server.kill()
  expect(processIdentity(pid)).not.toBeNull()
  server = await start()
  expect(postmaster()).toBe(pid)
  expect((await books()).body).toMatchObject({ ok: true, log: { parked: 0 } })
  const orders = await Promise.all(placed.map(({ body }) => operator.get(`/v1/orders/${body.id}`)))
  expect(orders.map(({ body }) => body.status)).toEqual(placed.map(() => 'completed'))
})
