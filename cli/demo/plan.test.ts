import { fc, it } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { makePlan } from './plan.ts'

const small = { orders: 400, customers: 20, products: 12, cards: 40, seed: 1 }

test('the same seed gives the same plan, another seed another one', () => {
  expect(makePlan(small)).toEqual(makePlan(small))
  expect(makePlan({ ...small, seed: 2 })).not.toEqual(makePlan(small))
})

test('some cannot be delivered, and for some the carrier fails first', () => {
  const count = (code: string) => makePlan(small).orders.filter(({ postalCode }) => postalCode === code).length
  expect(count('00000')).toBeGreaterThan(0)
  expect(count('99999')).toBeGreaterThan(0)
  expect(count('00000') + count('99999')).toBeLessThan(small.orders / 5)
})

test('so many in a hundred pay by card as was asked, and there are cards of every kind', () => {
  const tokens = (cards: number) => makePlan({ ...small, cards }).orders.map(({ payment }) => payment.token)
  const count = (cards: number, token?: string) => tokens(cards).filter((each) => each === token).length
  expect([count(0), count(100)]).toEqual([400, 0])
  const byCard = 400 - count(40)
  expect(byCard).toBeGreaterThan(120)
  expect(byCard).toBeLessThan(200)
  for (const token of ['tok_declined', 'tok_timeout', 'tok_flaky']) expect(count(40, token)).toBeGreaterThan(5)
  expect(count(40, 'tok_ok')).toBeGreaterThan(byCard / 2)
})

test('how it is paid changes nothing about what is ordered', () => {
  const withoutPayment = (cards: number) =>
    makePlan({ ...small, cards }).orders.map(({ payment: _, ...order }) => order)
  expect(withoutPayment(0)).toEqual(withoutPayment(100))
})

/** What all orders together want of each product and spend from each customer's wallet. */
function demandOf({ orders, products, deposits }: ReturnType<typeof makePlan>) {
  const wanted = new Map(products.map(({ sku }) => [sku, 0]))
  const spent = deposits.map(() => 0)
  for (const { customer, lines, payment } of orders) {
    for (const { sku, quantity } of lines) {
      wanted.set(sku, wanted.get(sku)! + quantity)
      if (payment.method === 'wallet')
        spent[customer]! += quantity * products.find((product) => product.sku === sku)!.amount
    }
  }
  return { wanted, spent }
}

test('every fifth product is scarce and every eighth customer short of money; of the rest there is enough', () => {
  const plan = makePlan(small)
  const { wanted, spent } = demandOf(plan)
  const scarce = plan.products.filter(({ sku, available }) => available < wanted.get(sku)!).map(({ sku }) => sku)
  expect(scarce).toEqual(['CLOCK', 'KETTLE'])
  const short = plan.deposits.flatMap((deposit, index) => (deposit < spent[index]! ? [index] : []))
  expect(short).toEqual([7, 15])
})

test('the order by hand can be served after any demonstration', () => {
  for (const products of [1, 5, 40]) {
    const [lamp] = makePlan({ ...small, products }).products
    expect(lamp).toMatchObject({ sku: 'LAMP' })
    expect(lamp!.available - demandOf(makePlan({ ...small, products })).wanted.get('LAMP')!).toBe(100)
  }
})

const anyPlan = fc.record({
  orders: fc.integer({ min: 1, max: 60 }),
  customers: fc.integer({ min: 1, max: 20 }),
  products: fc.integer({ min: 1, max: 30 }),
  cards: fc.integer({ min: 0, max: 100 }),
  seed: fc.integer({ min: 0, max: 4_294_967_295 }),
})

it.prop([anyPlan])('every plan is one the server can be asked for', (options) => {
  const { orders, products, deposits } = makePlan(options)
  expect(orders).toHaveLength(options.orders)
  expect(new Set(products.map(({ sku }) => sku)).size).toBe(options.products)
  expect(deposits.every((amount) => amount >= 1)).toBe(true)
  for (const { customer, lines } of orders) {
    expect(deposits[customer]).toBeDefined()
    expect(lines.length).toBeGreaterThan(0)
    expect(new Set(lines.map(({ sku }) => sku)).size).toBe(lines.length)
  }
})
