/** Project 1 as a process that is killed: what it promises, and what it cannot. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually, funded } from '@cauce/server/testing'
import { orderOf, testProject, type TestProject } from '../common/testing.ts'

let shop: TestProject
const lamp = 1999
const money = 20_000

beforeAll(async () => {
  shop = await testProject(1)
  await shop.start()
  await funded(shop.operator, shop.alice, 'alice', money)
})
afterEach(() => shop.faults({}))
afterAll(() => shop.close())

const place = (key: string, card?: string, sku = 'LAMP') => shop.alice.post('/v1/orders', orderOf(sku, card), key)
const balance = async () => (await shop.alice.get('/v1/accounts/alice')).body.balance as number
const held = async () => (await shop.alice.get('/v1/accounts/alice')).body.held as number
const orders = async () => Number((await shop.sql('SELECT count(*) FROM orders.orders'))[0]!.count)
const captured = async () => (await shop.charges()).filter(({ status }) => status === 'captured').length

describe('an order', () => {
  test('has ended when it is answered: paid from the wallet, or cancelled', async () => {
    const before = await balance()
    const paid = await place('wallet-1')
    expect(paid).toMatchObject({ status: 201, body: { status: 'completed', payment: { status: 'captured' } } })
    expect(await balance()).toBe(before - lamp)
    const dear = await place('wallet-2', undefined, 'DESK')
    expect(dear).toMatchObject({ status: 201, body: { status: 'cancelled', failure: { code: 'insufficient-funds' } } })
    expect([await balance(), await held()]).toEqual([before - lamp, 0])
    expect((await shop.alice.get(`/v1/orders/${paid.body.id}`)).body).toEqual(paid.body)
    expect((await place('wallet-3', undefined, 'GHOST')).status).toBe(422)
    const [{ sum }] = (await shop.sql(`SELECT sum(amount) FROM payments.postings WHERE kind = 'capture'`)) as [any]
    expect(Number(sum)).toBe(lamp)
  })

  test.each([
    ['tok_ok', 'completed', 'captured'],
    ['tok_timeout', 'completed', 'captured'],
    ['tok_flaky', 'completed', 'captured'],
    ['tok_declined', 'cancelled', 'declined'],
    ['tok_unheard-of', 'cancelled', 'declined'],
  ])('is paid by card: %s, %s', async (card, status, payment) => {
    const { body } = await place(`card-${card}`, card)
    expect(body).toMatchObject({ status, payment: { status: payment } })
    const charges = (await shop.charges()).filter(({ paymentId }) => paymentId === body.payment.id)
    expect(charges.filter((charge) => charge.status === 'captured')).toHaveLength(status === 'completed' ? 1 : 0)
  })

  test('a key has one order and one answer, also when it comes twice at a time while the processor is slow', async () => {
    await shop.faults({ latencyMs: 200 })
    const before = [await orders(), await captured()] as const
    const [one, two] = await Promise.all([place('twice', 'tok_ok'), place('twice', 'tok_ok')])
    expect([one.status, two.status, two.body]).toEqual([201, 201, one.body])
    expect([one, two].filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(1)
    expect([await orders(), await captured()]).toEqual([before[0] + 1, before[1] + 1])
    expect((await place('twice', 'tok_ok', 'CHAIR')).body.code).toBe('key-reused')
  })
})

describe('killed', () => {
  let before: { balance: number; orders: number; captured: number }
  beforeEach(async () => {
    before = { balance: await balance(), orders: await orders(), captured: await captured() }
  })
  const kill = () => shop.api().kill()

  test('before COMMIT: nothing is there, and the retry makes one order', { timeout: 60_000 }, async () => {
    const wallet = await shop.hold(`SELECT FROM payments.accounts WHERE id = 'alice' FOR UPDATE`)
    const asked = place('killed-1').catch((error: Error) => error)
    await shop.blocked()
    await kill()
    expect(await asked).toBeInstanceOf(Error)
    await wallet.release()
    expect(await orders()).toBe(before.orders)
    await shop.start()
    expect([await balance(), await held()]).toEqual([before.balance, 0])
    const retried = await place('killed-1')
    expect(retried).toMatchObject({ status: 201, body: { status: 'completed' } })
    expect(retried.headers.get('idempotency-replayed')).toBeNull()
    expect((await place('killed-1')).body).toEqual(retried.body)
    expect([await orders(), await balance()]).toEqual([before.orders + 1, before.balance - lamp])
  })

  test('after COMMIT: the order is there, and the retry is told of it', { timeout: 60_000 }, async () => {
    const wallet = await shop.hold(`SELECT FROM payments.accounts WHERE id = 'alice' FOR UPDATE`)
    const tired = new AbortController()
    const asked = abortable('killed-2', tired.signal)
    await shop.blocked()
    // Whoever asked has gone: the answer will reach nobody.
    tired.abort()
    expect(await asked).toBe('gone')
    await wallet.release()
    await eventually(orders, (count) => count === before.orders + 1)
    await kill()
    await shop.start()
    const retried = await place('killed-2')
    expect(retried).toMatchObject({ status: 201, body: { status: 'completed' } })
    expect(retried.headers.get('idempotency-replayed')).toBe('true')
    expect([await orders(), await balance()]).toEqual([before.orders + 1, before.balance - lamp])
  })

  test(
    'between the charge and COMMIT: charged without an order, and the retry charges again',
    { timeout: 60_000 },
    async () => {
      const table = await shop.hold('LOCK TABLE orders.orders IN SHARE MODE')
      const asked = place('killed-3', 'tok_ok').catch((error: Error) => error)
      await eventually(captured, (count) => count === before.captured + 1)
      await kill()
      expect(await asked).toBeInstanceOf(Error)
      await table.release()
      expect(await orders()).toBe(before.orders)
      await shop.start()
      expect(await place('killed-3', 'tok_ok')).toMatchObject({ status: 201, body: { status: 'completed' } })
      expect([await orders(), await captured()]).toEqual([before.orders + 1, before.captured + 2])
    },
  )
})

describe('a slow processor', () => {
  test(
    'that takes longer than a transaction may idle has charged, and there is no order',
    { timeout: 60_000 },
    async () => {
      await shop.faults({ latencyMs: 1500 })
      const before = [await orders(), await captured()] as const
      expect(await place('slow-1', 'tok_ok')).toMatchObject({ status: 503, body: { code: 'database-away' } })
      expect([await orders(), await captured()]).toEqual([before[0], before[1] + 1])
    },
  )
})

/** Places an order, and gives up when the signal says so. */
async function abortable(key: string, signal: AbortSignal): Promise<unknown> {
  const { url } = shop.api()
  const authorization = `Bearer ${await shop.token('alice')}`
  const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': key }
  const body = JSON.stringify(orderOf('LAMP'))
  return fetch(`${url}/v1/orders`, { method: 'POST', headers, body, signal }).catch(() => 'gone')
}
