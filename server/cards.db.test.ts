/**
 * Cards, from outside: real servers, the real sandbox with its faults, killed in the middle; double charges are counted by the card
 * processor's own read-out.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import {
  client,
  dataDirectory,
  endOf,
  eventually,
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
let operator: Client
let alice: Client
const servers: ServerProcess[] = []
const url = () => servers.at(-1)!.url
const start = async () => servers.push(await serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path }))

beforeAll(async () => {
  database = await createTestDatabase('cards')
  data = dataDirectory()
  operator = await client(data.path, url, 'olga', 'operator')
  alice = await client(data.path, url, 'alice', 'customer')
  await start()
  await stocked(operator, 'LAMP', 10_000)
})
afterEach(async () => {
  await sandbox('/faults', 'DELETE')
})
afterAll(async () => {
  for (const server of servers.splice(0)) await server.stop()
  await database.drop()
  data.remove()
})

const sandbox = (path: string, method?: string, body?: object) => sandboxOf(data.path, path, method, body)

const byCard = (token: string, quantity = 1, postalCode?: string) => ({
  ...orderOf('LAMP', quantity, postalCode),
  payment: { method: 'card', token },
})
const bill = (token: string, amount = 500) => ({ amount, currency: 'EUR', method: 'card', token, reference: 'invoice' })
const ended = (id: string) => endOf(operator, id)

interface Charge {
  readonly paymentId: string
  readonly status: string
  readonly refunded: number
}
async function chargesOf(paymentId: string): Promise<Charge[]> {
  return (await sandbox(`/charges?paymentId=${paymentId}`)).items
}
const booksAreRight = async () => {
  expect(await settledAudit(operator)).toMatchObject({ ok: true, tasks: { dead: 0 } })
  expect(await sandbox('/doubles')).toEqual({ charges: 0, shipments: 0 })
}

test('every card ends as it should, here and at the processor', { timeout: 60_000 }, async () => {
  const expected = {
    tok_ok: ['completed', 'captured', null, ['captured']],
    tok_declined: ['cancelled', 'declined', 'payment-declined', []],
    tok_timeout: ['completed', 'captured', null, ['captured']],
    tok_flaky: ['completed', 'captured', null, ['captured']],
    tok_nobody_knows: ['cancelled', 'declined', 'payment-declined', []],
    tok_expires: ['completed', 'captured', null, ['captured', 'voided']],
    tok_uncollectable: ['completed', 'uncollected', null, ['voided']],
  } as const
  const found = await Promise.all(
    Object.keys(expected).map(async (token) => {
      const { body } = await alice.post('/v1/orders', byCard(token))
      const order = await ended(body.id)
      const charges = await chargesOf(order.payment.id)
      const states = charges.map(({ status }) => status).toSorted()
      return [token, [order.status, order.payment.status, order.failure?.code ?? null, states]]
    }),
  )
  expect(Object.fromEntries(found)).toEqual(expected)
  await booksAreRight()
})

test('what cannot be delivered is not charged', { timeout: 30_000 }, async () => {
  const { body } = await alice.post('/v1/orders', byCard('tok_ok', 1, '00000'))
  const order = await ended(body.id)
  expect(order).toMatchObject({ failure: { code: 'undeliverable' }, payment: { status: 'voided' } })
  expect((await chargesOf(order.payment.id)).map(({ status }) => status)).toEqual(['voided'])
})

test('cancelled while the card is being asked: nothing stays charged', { timeout: 60_000 }, async () => {
  await sandbox('/faults', 'PUT', { card: { latencyMs: 400 } })
  const placed = await Promise.all(
    ['tok_ok', 'tok_timeout', 'tok_flaky', 'tok_declined'].map((token) => alice.post('/v1/orders', byCard(token))),
  )
  const cancels = await Promise.all(placed.map(({ body }) => alice.post(`/v1/orders/${body.id}/cancel`)))
  expect(cancels.map(({ status }) => status)).toEqual([202, 202, 202, 202])
  for (const { body } of placed) {
    const order = await ended(body.id)
    expect(order.failure.code).toBe('cancelled-by-customer')
    expect((await chargesOf(order.payment.id)).filter(({ status }) => status !== 'voided')).toEqual([])
  }
  await booksAreRight()
})

test('POST /v1/pay: Prefer waits for the decision; the same key never pays twice', { timeout: 60_000 }, async () => {
  const pay = (token: string, key: string, waitS: number) =>
    alice.post('/v1/pay', bill(token), key, { prefer: `wait=${waitS}` })
  const [ok, declined, lost] = await Promise.all([
    pay('tok_ok', 'p1', 10),
    pay('tok_declined', 'p2', 10),
    pay('tok_timeout', 'p3', 10),
  ])
  expect([ok.status, ok.body.status]).toEqual([201, 'captured'])
  expect([declined.status, declined.body.status]).toEqual([201, 'declined'])
  expect([lost.status, lost.body.status]).toEqual([201, 'captured'])

  // A caller with a timeout and retries, against a processor that is slow and loses answers.
  await sandbox('/faults', 'PUT', { card: { latencyMs: 150, lostAnswerRate: 0.5, seed: 3 } })
  const first = await alice.post('/v1/pay', bill('tok_ok'), 'p4')
  expect([first.status, first.body.status]).toEqual([202, 'pending'])
  const answers = await Promise.all(Array.from({ length: 20 }, () => pay('tok_ok', 'p4', 15)))
  for (const { status, body, headers } of answers) {
    expect([status, body.id, body.status]).toEqual([201, first.body.id, 'captured'])
    expect(headers.get('idempotency-replayed')).toBe('true')
  }
  expect(await chargesOf(first.body.id)).toHaveLength(1)
})

test('a worker that sees every message twice pays each once', { timeout: 60_000 }, async () => {
  await sandbox('/faults', 'PUT', { card: { lostAnswerRate: 0.3, seed: 5 } })
  const messages = Array.from({ length: 20 }, (_, n) => ({ id: `message-${n}`, amount: 100 + n }))
  const deliveries = [...messages, ...messages.toReversed()]
  const answers = await Promise.all(
    deliveries.map(({ id, amount }) => alice.post('/v1/pay', bill('tok_ok', amount), id, { prefer: 'wait=15' })),
  )
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(messages.length)
  for (const { body } of answers) expect((await chargesOf(body.id)).length).toBe(1)
})

test('a refund goes to the card, and its sum is bounded', { timeout: 30_000 }, async () => {
  const { body } = await alice.post('/v1/pay', bill('tok_ok', 1000), 'refund-me', { prefer: 'wait=10' })
  const back = (amount: number) =>
    operator.post(`/v1/payments/${body.id}/refund`, { amount, currency: 'EUR', reason: 'broken' })
  const answers = await Promise.all([back(600), back(600), back(400), back(400)])
  const given = answers.filter(({ status }) => status === 201).reduce((sum, answer) => sum + answer.body.amount, 0)
  expect(given).toBeLessThanOrEqual(1000)
  await back(1000 - given)
  await eventually(
    () => alice.get(`/v1/payments/${body.id}`),
    (answer) => answer.body.status === 'refunded',
  )
  expect((await chargesOf(body.id))[0]).toMatchObject({ status: 'refunded', refunded: 1000 })
  await booksAreRight()
})

test(
  'killed in the middle, with lost answers and errors: nobody is charged twice, everybody gets one mail',
  { timeout: 120_000 },
  async () => {
    // Well below half of the calls fail, or the circuit would open and everything take longer.
    await sandbox('/faults', 'PUT', { card: { errorRate: 0.05, lostAnswerRate: 0.1, seed: 11 } })
    const tokens = ['tok_ok', 'tok_ok', 'tok_ok', 'tok_timeout', 'tok_ok', 'tok_ok', 'tok_ok', 'tok_declined']
    const placed: string[] = []
    const stream = Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let i = 0; i < 10; i++) {
          placed.push((await alice.insist('/v1/orders', byCard(tokens[(lane + i) % tokens.length]!))).body.id)
        }
      }),
    )
    for (const at of [10, 40]) {
      await eventually(
        async () => placed.length,
        (count) => count >= at,
      )
      await servers.pop()!.kill()
      await start()
    }
    await stream
    const orders = await Promise.all(placed.map(ended))
    const completed = orders.filter(({ status }) => status === 'completed')
    expect(completed).toHaveLength(70)
    await booksAreRight()
    const wanted = new Set(completed.map(({ id }) => `Your order ${id}`))
    const inbox = async () =>
      ((await sandbox('/mails?limit=10000')).items as { subject: string }[]).filter(({ subject }) =>
        wanted.has(subject),
      )
    await eventually(inbox, (mails) => mails.length >= wanted.size)
    expect(await inbox()).toHaveLength(wanted.size)
  },
)
