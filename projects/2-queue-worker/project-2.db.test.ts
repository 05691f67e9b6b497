/** Project 2: an API and a worker, each killed in the middle; jobs that fail, die and are tried again. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { endOf, eventually, funded, type ServerProcess } from '@cauce/server/testing'
import { orderOf, testProject, type TestProject } from '../common/testing.ts'

let shop: TestProject
let worker: ServerProcess | undefined
const lamp = 1999
const money = 20_000

beforeAll(async () => {
  shop = await testProject(2)
  await shop.start('api')
  await funded(shop.operator, shop.alice, 'alice', money)
})
afterEach(() => shop.faults({}))
afterAll(() => shop.close())

const work = async () => (worker = await shop.start('worker'))
const place = async (card?: string, key?: string) => {
  const answer = await shop.alice.post('/v1/orders', orderOf('LAMP', card), key)
  expect(answer).toMatchObject({ status: 202, body: { status: 'authorizing', payment: { status: 'pending' } } })
  return answer.body as { id: string; payment: { id: string } }
}
const statusOf = async (id: string) => (await shop.alice.get(`/v1/orders/${id}`)).body.status as string
const wallet = async () => (await shop.alice.get('/v1/accounts/alice')).body
const chargesOf = async (order: { payment: { id: string } }) =>
  (await shop.charges()).filter(({ paymentId }) => paymentId === order.payment.id)
const dead = async () => (await shop.operator.get('/v1/ops/dead-letters')).body.items as Record<string, any>[]
const deadOf = async (id: string) => (await dead()).find(({ key }) => key === id)

describe('an order', () => {
  test('is stored with its job, and waits for as long as there is no worker', async () => {
    const order = await place(undefined, 'first')
    expect(await place(undefined, 'first')).toEqual(order)
    const [job] = await shop.sql(`SELECT type, state, attempt::int FROM shop.tasks WHERE key = '${order.id}'`)
    expect(job).toEqual({ type: 'pay-order', state: 'open', attempt: 0 })
    expect(await wallet()).toMatchObject({ balance: money, held: 0 })
    await shop.api().kill()
    await shop.start('api')
    expect(await statusOf(order.id)).toBe('authorizing')
    await work()
    expect(await endOf(shop.alice, order.id)).toMatchObject({ status: 'completed', payment: { status: 'captured' } })
    expect(await wallet()).toMatchObject({ balance: money - lamp, held: 0 })
  })

  test.each([
    ['tok_ok', 'completed'],
    ['tok_timeout', 'completed'],
    ['tok_flaky', 'completed'],
    ['tok_declined', 'cancelled'],
  ])('is paid by card: %s, %s', async (card, status) => {
    const order = await place(card)
    expect(await endOf(shop.alice, order.id)).toMatchObject({ status })
    const captured = (await chargesOf(order)).filter((charge) => charge.status === 'captured')
    expect(captured).toHaveLength(status === 'completed' ? 1 : 0)
  })

  test('is cancelled when the wallet has too little', async () => {
    const { body } = await shop.alice.post('/v1/orders', orderOf('DESK'))
    const { failure } = await endOf(shop.alice, body.id)
    expect(failure.code).toBe('insufficient-funds')
  })
})

describe('a worker that is killed', () => {
  test(
    'after the charge, before it is written down: it is charged once, and the order is finished once',
    { timeout: 60_000 },
    async () => {
      const table = await shop.hold('LOCK TABLE payments.payments IN SHARE MODE')
      const order = await place('tok_ok')
      await eventually(
        () => chargesOf(order),
        ([charge]) => charge?.status === 'captured',
      )
      await shop.blocked()
      await worker!.kill()
      await table.release()
      expect(await statusOf(order.id)).toBe('authorizing')
      await work()
      expect(await endOf(shop.alice, order.id)).toMatchObject({ status: 'completed' })
      const [charge, ...others] = await chargesOf(order)
      expect([charge?.status, others]).toEqual(['captured', []])
      // It was asked again, under the same key.
      expect(charge!.requests).toBeGreaterThan(1)
      const postings = await shop.sql(`SELECT kind FROM payments.postings WHERE subject = '${order.payment.id}'`)
      expect(postings).toEqual([{ kind: 'card-capture' }])
    },
  )

  test('while it pays from the wallet: it is paid once', { timeout: 60_000 }, async () => {
    const { balance } = await wallet()
    const row = await shop.hold(`SELECT FROM payments.accounts WHERE id = 'alice' FOR UPDATE`)
    const order = await place()
    await shop.blocked()
    await worker!.kill()
    await row.release()
    expect(await wallet()).toMatchObject({ balance, held: 0 })
    await work()
    expect(await endOf(shop.alice, order.id)).toMatchObject({ status: 'completed' })
    expect(await wallet()).toMatchObject({ balance: balance - lamp, held: 0 })
  })
})

describe('a job that fails', () => {
  test(
    'is tried again, then set aside; others go on; redriven when the cause is gone it ends well, charged once',
    { timeout: 60_000 },
    async () => {
      await shop.faults({ errorRate: 1 })
      const order = await place('tok_ok')
      expect(await endOf(shop.alice, (await place()).id)).toMatchObject({ status: 'completed' })
      const letter = await eventually(() => deadOf(order.id), Boolean)
      expect(letter).toMatchObject({ service: 'shop', type: 'pay-order', attempts: 5, data: { token: '…' } })
      expect(await statusOf(order.id)).toBe('authorizing')
      const { items } = (await shop.operator.get('/v1/ops/dead-letters/causes')).body
      expect(items).toMatchObject([{ tasks: 1, cause: 'The card processor answered 503 fault' }])
      await shop.faults({})
      const again = await shop.operator.post('/v1/ops/dead-letters/redrive', { service: 'shop' })
      expect(again.body).toEqual({ redriven: 1, nextCursor: null })
      expect(await endOf(shop.alice, order.id)).toMatchObject({ status: 'completed' })
      expect(await chargesOf(order)).toMatchObject([{ status: 'captured' }])
      expect(await dead()).toEqual([])
    },
  )

  test('for ever is set aside at once: a person looks, and redrives or discards it', { timeout: 60_000 }, async () => {
    const [one, two] = [await place('tok_expires'), await place('tok_expires')]
    const letter = (await eventually(() => deadOf(one.id), Boolean))!
    expect(letter).toMatchObject({ attempts: 1, error: expect.stringContaining('expired') })
    expect((await shop.operator.get(`/v1/ops/dead-letters/shop/${letter.id}`)).body).toEqual(letter)
    expect((await shop.operator.post(`/v1/ops/dead-letters/shop/${letter.id}/redrive`)).body).toEqual({ redriven: 1 })
    // By now the processor says that nothing will be charged under this key.
    expect(await endOf(shop.alice, one.id)).toMatchObject({ status: 'cancelled', payment: { status: 'declined' } })
    const other = (await eventually(() => deadOf(two.id), Boolean))!
    const path = `/v1/ops/dead-letters/shop/${other.id}/discard`
    expect((await shop.operator.post(path, { reason: 'paid in cash' })).body).toEqual({ discarded: 1 })
    expect((await shop.operator.post(path, { reason: 'again' })).status).toBe(404)
    // Nobody is told: the order stays as it is.
    expect(await statusOf(two.id)).toBe('authorizing')
    const acts = await shop.sql('SELECT action FROM shop.operator_actions ORDER BY id')
    expect(acts.map(({ action }) => action)).toEqual([
      'dead-letter.redrive',
      'dead-letter.redrive',
      'dead-letter.discard',
    ])
    expect((await shop.alice.get('/v1/ops/dead-letters')).status).toBe(403)
  })

  test('many are listed page by page, and given up together', { timeout: 60_000 }, async () => {
    const orders = [await place('tok_expires'), await place('tok_expires'), await place('tok_expires')]
    for (const { id } of orders) await eventually(() => deadOf(id), Boolean)
    const keys: string[] = []
    let query = '?limit=2'
    for (;;) {
      const { items, nextCursor } = (await shop.operator.get(`/v1/ops/dead-letters${query}`)).body
      keys.push(...items.map(({ key }: { key: string }) => key))
      if (nextCursor === null) break
      query = `?limit=2&cursor=${nextCursor}`
    }
    expect(keys.toSorted()).toEqual(orders.map(({ id }) => id).toSorted())
    const group = { service: 'shop', type: 'pay-order', reason: 'paid in cash' }
    const given = await shop.operator.post('/v1/ops/dead-letters/discard', group)
    expect(given.body).toEqual({ discarded: 3, nextCursor: null })
    expect(await dead()).toEqual([])
  })
})
