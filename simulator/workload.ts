/** What happens in a run, drawn from its seed: who orders what and pays how, who cancels, what operators do meanwhile. */
import { integerBetween, pick, seeded, type Random } from '@cauce/kit/core/prng'
import type { Asked, Clients } from './client.ts'
import type { World } from './world.ts'

export interface WorkloadOptions {
  readonly seed: number
  /** How many things happen. */
  readonly size: number
  /** Within how long, in virtual ms. */
  readonly withinMs: number
}

const customers = ['ana', 'ben', 'eva', 'leo'] as const
const skus = ['LAMP', 'DESK', 'BOOK'] as const
const cards = [
  'tok_ok',
  'tok_ok',
  'tok_declined',
  'tok_timeout',
  'tok_flaky',
  'tok_expires',
  'tok_uncollectable',
  'tok_short',
] as const
const postalCodes = ['28013', '28013', '28013', '00000', '99999'] as const
const EUR = 'EUR'

/** Wallets, products and stock, before anything goes wrong. */
export async function prepare(clients: Clients, seed: number): Promise<void> {
  const random = seeded(seed, 'shop')
  const all: Asked[] = []
  for (const id of customers) {
    all.push({
      service: 'payments',
      type: 'OpenAccount',
      data: { id, currency: EUR },
      principal: id,
      key: `open-${id}`,
    })
    const amount = integerBetween(random, 1_000, 60_000)
    all.push({
      service: 'payments',
      type: 'Deposit',
      data: { account: id, amount, currency: EUR, reference: 'first' },
      principal: 'operator',
      key: `deposit-${id}`,
    })
  }
  for (const sku of skus) {
    const price = { amount: integerBetween(random, 100, 9_000), currency: EUR }
    all.push({ service: 'inventory', type: 'PutProduct', data: { sku, name: sku, price }, principal: 'operator' })
    const delta = integerBetween(random, 0, 12)
    all.push({
      service: 'inventory',
      type: 'AdjustStock',
      data: { sku, delta, reason: 'first' },
      principal: 'operator',
      key: `stock-${sku}`,
    })
  }
  for (const asked of all) await clients.ask(asked)
}

/** `customer` and `key` together are used once: customers may well choose the same key. */
type Act = (random: Random, customer: string, key: string) => Promise<unknown>

/** Plans everything; resolves when the last client has its answer. */
export async function play(world: World, clients: Clients, { seed, size, withinMs }: WorkloadOptions): Promise<void> {
  const random = seeded(seed, 'workload')
  const acts = actsOf(world, clients)
  const running: Promise<unknown>[] = []
  for (let i = 0; i < size; i++) {
    const own = seeded(seed, `act ${i}`)
    const act = pick(random, acts)
    const atMs = integerBetween(random, 0, withinMs)
    running.push(
      world.time
        .sleep(atMs)
        .then(() => act(own, customers[i % customers.length] ?? 'ana', `key-${Math.floor(i / customers.length)}`)),
    )
  }
  await Promise.all(running)
}

function actsOf(world: World, clients: Clients): readonly Act[] {
  const { time, database } = world
  const order: Act = async (random, customer, key) => {
    const lines = Array.from({ length: integerBetween(random, 1, 2) }, () => ({
      sku: pick(random, skus),
      quantity: integerBetween(random, 1, 3),
    }))
    const payment = random.next() < 0.5 ? { method: 'wallet' } : { method: 'card', token: pick(random, cards) }
    const shipTo = { name: customer, line1: 'x', city: 'x', postalCode: pick(random, postalCodes), country: 'ES' }
    const data = { customer, lines, payment, shipTo }
    const { id } = await clients.ask({ service: 'orders', type: 'CreateOrder', data, principal: customer, key })
    if (id === undefined || random.next() < 0.7) return
    await time.sleep(integerBetween(random, 0, 3_000))
    const by = { subject: customer, isOperator: false }
    await clients.ask({ service: 'orders', type: 'CancelOrder', data: { orderId: id, by }, principal: customer })
  }
  const pay: Act = (random, customer, key) => {
    const method = random.next() < 0.5 ? { method: 'wallet' } : { method: 'card', token: pick(random, cards) }
    const amount = integerBetween(random, 1, 5_000)
    const data = { customer, amount, currency: EUR, reference: key, ...method }
    return clients.ask({ service: 'payments', type: 'Pay', data, principal: customer, key })
  }
  const refund: Act = async (random, customer, key) => {
    const rows = [...database.committed('payments.payments').values()] as {
      id: string
      status: string
      amount: number
    }[]
    const captured = rows.filter(({ status }) => status === 'captured')
    if (captured.length === 0) return
    const { id: paymentId, amount: paid } = pick(random, captured)
    const amount = integerBetween(random, 1, paid)
    const data = { paymentId, amount, currency: EUR, reason: 'broken' }
    await clients.ask({ service: 'payments', type: 'RefundPayment', data, principal: customer, key })
  }
  const transfer: Act = (random, customer, key) => {
    const amount = integerBetween(random, 1, 10_000)
    const data = { from: customer, to: pick(random, customers), amount, currency: EUR }
    return clients.ask({ service: 'payments', type: 'Transfer', data, principal: customer, key })
  }
  const deposit: Act = (random, customer, key) => {
    const amount = integerBetween(random, 1, 20_000)
    const data = { account: pick(random, customers), amount, currency: EUR, reference: key }
    return clients.ask({ service: 'payments', type: 'Deposit', data, principal: customer, key })
  }
  const adjust: Act = (random, customer, key) => {
    const data = { sku: pick(random, skus), delta: integerBetween(random, -4, 8), reason: key }
    return clients.ask({ service: 'inventory', type: 'AdjustStock', data, principal: customer, key })
  }
  const reprice: Act = (random, customer) => {
    const price = { amount: integerBetween(random, 100, 9_000), currency: EUR }
    return clients.ask({
      service: 'inventory',
      type: 'PutProduct',
      data: { sku: pick(random, skus), name: 'new', price },
      principal: customer,
    })
  }
  return [order, order, order, order, order, pay, pay, refund, transfer, deposit, adjust, reprice]
}
