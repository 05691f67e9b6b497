/** Many at the same moment, against a real server: one key, the last units, cancels that meet the order anywhere on its way. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemTimers } from '@cauce/kit/core/clock'
import { seeded } from '@cauce/kit/core/prng'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import {
  client,
  dataDirectory,
  endOf,
  funded,
  orderOf,
  sandboxOf,
  serverProcess,
  settledAudit,
  stocked,
  type Client,
  type ServerProcess,
} from './testing.ts'

let database: TestDatabase
let data: ReturnType<typeof dataDirectory>
let server: ServerProcess
let operator: Client
let alice: Client
let bob: Client

const clientOf = (subject: string, role: 'customer' | 'operator' = 'customer') =>
  client(data.path, () => server.url, subject, role)

beforeAll(async () => {
  database = await createTestDatabase('races')
  data = dataDirectory()
  server = await serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path })
  operator = await clientOf('olga', 'operator')
  ;[alice, bob] = await Promise.all([clientOf('alice'), clientOf('bob')])
  await Promise.all([stocked(operator, 'LAMP', 1000), funded(operator, alice, 'alice', 1_000_000)])
  await funded(operator, bob, 'bob', 1_000_000)
})
afterAll(async () => {
  await server.stop()
  await database.drop()
  data.remove()
})

const many = <T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => make(n)))
const ended = (id: string) => endOf(operator, id)
/** How long the card processor takes from now on. */
const slowCards = (latencyMs: number) => sandboxOf(data.path, '/faults', 'PUT', { card: { latencyMs } })
const total = async () => (await operator.get('/v1/ops/audit')).body.orders.total as number

async function booksAreRight(): Promise<void> {
  expect(await settledAudit(operator)).toMatchObject({ ok: true, log: { parked: 0 }, tasks: { dead: 0 } })
}

test('I9: a hundred at once with one key are one order; another body is 422, another customer another order', async () => {
  const before = await total()
  const key = 'the-same'
  const answers = await many(100, () => alice.post('/v1/orders', orderOf('LAMP', 2), key))
  const placed = answers.filter(({ status }) => status === 202)
  expect(answers.filter(({ status }) => status !== 202 && status !== 409)).toEqual([])
  expect(placed.length).toBeGreaterThan(0)
  expect(new Set(placed.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  expect(placed.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1)
  for (const { body } of answers.filter(({ status }) => status === 409)) expect(body.code).toBe('key-in-flight')
  expect(await total()).toBe(before + 1)

  const others = await many(20, (n) => alice.post('/v1/orders', orderOf('LAMP', 3 + n), key))
  for (const { status, body } of others) expect([status, body.code]).toEqual([422, 'key-reused'])
  const bobs = await bob.post('/v1/orders', orderOf('LAMP', 2), key)
  expect(bobs.status).toBe(202)
  expect(bobs.body.id).not.toBe(placed[0]!.body.id)
  expect(bobs.body.customer).toBe('bob')
  expect(await total()).toBe(before + 2)
  await Promise.all([ended(bobs.body.id), ended(placed[0]!.body.id)])
  await booksAreRight()
})

test('I9: different bodies at once under one key: one wins, the others are told', async () => {
  const before = await total()
  const answers = await many(50, (n) => alice.post('/v1/orders', orderOf('LAMP', 1 + (n % 5)), 'contested'))
  const placed = answers.filter(({ status }) => status === 202)
  expect(new Set(placed.map(({ body }) => body.id)).size).toBe(1)
  expect(placed.length).toBeGreaterThan(0)
  for (const { status, body } of answers.filter((answer) => !placed.includes(answer)))
    expect(`${status} ${body.code}`).toBeOneOf(['422 key-reused', '409 key-in-flight'])
  expect(await total()).toBe(before + 1)
  await ended(placed[0]!.body.id)
})

test('I3: two hundred buyers of the last fifty units', { timeout: 60_000 }, async () => {
  await stocked(operator, 'LAST', 50)
  const buyers = await many(20, (n) => clientOf(`buyer-${n}`))
  await Promise.all(buyers.map((buyer, n) => funded(operator, buyer, `buyer-${n}`, 10_000)))
  const placed = await many(200, (n) => buyers[n % 20]!.post('/v1/orders', orderOf('LAST')))
  expect(placed.filter(({ status }) => status !== 202)).toEqual([])
  const orders = await Promise.all(placed.map(({ body }) => ended(body.id)))
  const count = (end: string) => orders.filter(({ status, failure }) => (failure?.code ?? status) === end).length
  expect([count('completed'), count('out-of-stock')]).toEqual([50, 150])
  expect((await operator.get('/v1/products/LAST')).body).toMatchObject({ onHand: 0, reserved: 0, available: 0 })
  const wallets = await many(20, async (n) => (await operator.get(`/v1/accounts/buyer-${n}`)).body)
  expect(wallets.reduce((sum, { balance }) => sum + balance, 0)).toBe(20 * 10_000 - 50 * 1000)
  expect(wallets.every(({ held }) => held === 0)).toBe(true)
  await booksAreRight()
})

test(
  'I4: cancelled at any moment, an order is completed and paid, or cancelled and nothing is held',
  { timeout: 60_000 },
  async () => {
    const random = seeded(7)
    await stocked(operator, 'SOFA', 1000)
    await funded(operator, await clientOf('carol'), 'carol', 100_000)
    const carol = await clientOf('carol')
    // Every second one by card, which is asked for long enough that an early cancel always comes before it is good.
    await slowCards(300)
    // From at once to two seconds later, most of them early: a wallet order takes tens of milliseconds or, on a busy machine, a second.
    const pauses = Array.from({ length: 60 }, () => 2 ** (random.next() * 11) - 1)
    const ends = await Promise.all(
      pauses.map(async (pauseMs, i) => {
        const byCard = i % 2 === 0
        const paidBy = byCard ? { method: 'card', token: 'tok_ok' } : { method: 'wallet' }
        const { body: order } = await carol.post('/v1/orders', { ...orderOf('SOFA'), payment: paidBy })
        await systemTimers.sleep(pauseMs)
        // Twice: whoever comes second changes nothing.
        const cancels = await many(2, () => carol.post(`/v1/orders/${order.id}/cancel`))
        const { status, failure, payment } = await ended(order.id)
        const statuses = cancels.map((cancel) => cancel.status).toSorted()
        const isCancelled = status === 'cancelled'
        expect(statuses).toEqual(isCancelled ? [200, 202] : [409, 409])
        expect(failure?.code ?? null).toBe(isCancelled ? 'cancelled-by-customer' : null)
        // A payment that was never asked for is voided all the same.
        expect(payment.status).toBe(isCancelled ? 'voided' : 'captured')
        return { isCompleted: !isCancelled, byCard }
      }),
    )
    await slowCards(0)
    const completed = ends.filter(({ isCompleted }) => isCompleted).length
    const fromWallet = ends.filter(({ isCompleted, byCard }) => isCompleted && !byCard).length
    // Both happen, or the moments were badly chosen.
    expect(completed).toBeGreaterThan(0)
    expect(completed).toBeLessThan(60)
    const { body: product } = await operator.get('/v1/products/SOFA')
    expect(product).toMatchObject({ onHand: 1000 - completed, reserved: 0 })
    expect((await carol.get('/v1/accounts/carol')).body).toMatchObject({
      balance: 100_000 - fromWallet * 1000,
      held: 0,
    })
    await booksAreRight()
  },
)
