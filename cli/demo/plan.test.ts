import { fc, it } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { makePlan } from './plan.ts'

const small = { orders: 400, customers: 20, products: 12, seed: 1 }

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

/** What all orders together want of each product and spend of each customer's money. */
function demandOf({ orders, products, deposits }: ReturnType<typeof makePlan>) {
  const wanted = new Map(products.map(({ sku }) => [sku, 0]))
  const spent = deposits.map(() => 0)
  for (const { customer, lines } of orders) {
    for (const { sku, quantity } of lines) {
      wanted.set(sku, wanted.get(sku)! + quantity)
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
