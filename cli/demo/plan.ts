/**
 * What a demonstration will do, decided before anything is done: pure, and the same for the same seed.
 *
 *   1. Every fifth product has half of what will be ordered of it, every eighth customer half of what they will spend from their
 *      wallet: some orders must run out of stock or of money.
 *   2. Three in a hundred go where nobody delivers (00000), three to where the carrier fails twice first (99999).
 *   3. `cards` in a hundred are paid by card. Of those most are good; of the others the bank declines one part, loses its first
 *      answer to one, and is busy twice before it answers one.
 *   4. Everything else can be paid and delivered: there is enough of it.
 */
import { integerBetween, pick, seeded, type Random } from '@cauce/kit/core/prng'
import type { PlaceOrder } from '@cauce/orders/contract'
import { catalogueOf, type CatalogueItem } from './catalogue.ts'

export interface PlanOptions {
  readonly orders: number
  readonly customers: number
  readonly products: number
  /** How many in a hundred orders are paid by card. */
  readonly cards: number
  readonly seed: number
}

export interface PlannedOrder {
  /** Index into the customers. */
  readonly customer: number
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly payment: PlaceOrder['payment']
  readonly postalCode: string
}

export interface Plan {
  /** `available`: how many there shall be before the orders come. */
  readonly products: readonly (CatalogueItem & { readonly available: number })[]
  /** What each customer has to spend, in minor units of EUR. */
  readonly deposits: readonly number[]
  readonly orders: readonly PlannedOrder[]
}

export const UNDELIVERABLE = '00000'
export const FLAKY = '99999'
const postalCodes = ['28013', '08002', '41001', '46001', '48001'] as const
/** A hundred cards: what each of them does, and how many are such. */
const cardsInHundred = { tok_ok: 64, tok_declined: 12, tok_timeout: 12, tok_flaky: 12 } as const
const deck = Object.entries(cardsInHundred).flatMap(([token, count]) => Array.from({ length: count }, () => token))
/** Of what is not scarce there is more than the plan needs, for orders by hand. */
const MARGIN = 100

export function makePlan({ orders: count, customers, products: kinds, cards, seed }: PlanOptions): Plan {
  const catalogue = catalogueOf(kinds)
  const random = seeded(seed, 'orders')
  const payments = seeded(seed, 'payments')
  const orders = Array.from({ length: count }, () => ({
    ...planOrder(random, catalogue, customers),
    payment: planPayment(payments, cards),
  }))
  const prices = pricesOf(catalogue)
  const wanted = new Map<string, number>()
  const spent = Array.from({ length: customers }, () => 0)
  for (const order of orders) {
    const { customer, lines, payment } = order
    for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
    if (payment.method === 'wallet') spent[customer] = (spent[customer] ?? 0) + totalOf(prices, order)
  }
  return {
    orders,
    products: catalogue.map((item, index) => {
      const all = wanted.get(item.sku) ?? 0
      return { ...item, available: isScarce(index) ? Math.floor(all / 2) : all + MARGIN }
    }),
    deposits: spent.map((amount, index) => Math.max(1, isShort(index, customers) ? Math.floor(amount / 2) : amount)),
  }
}

type Wish = Omit<PlannedOrder, 'payment'>

function planOrder(random: Random, catalogue: readonly CatalogueItem[], customers: number): Wish {
  const customer = integerBetween(random, 0, customers - 1)
  const skus = new Set(Array.from({ length: integerBetween(random, 1, 3) }, () => pick(random, catalogue).sku))
  const lines = [...skus].map((sku) => ({ sku, quantity: integerBetween(random, 1, 3) }))
  const fate = random.next()
  const postalCode = fate < 0.03 ? UNDELIVERABLE : fate < 0.06 ? FLAKY : pick(random, postalCodes)
  return { customer, lines, postalCode }
}

function planPayment(random: Random, cards: number): PlannedOrder['payment'] {
  const byCard = random.next() * 100 < cards
  const token = pick(random, deck)
  return byCard ? { method: 'card', token } : { method: 'wallet' }
}

export const pricesOf = (products: readonly CatalogueItem[]): ReadonlyMap<string, number> =>
  new Map(products.map(({ sku, amount }) => [sku, amount]))

/** What an order costs, in minor units. */
export function totalOf(prices: ReadonlyMap<string, number>, { lines }: Pick<PlannedOrder, 'lines'>): number {
  return lines.reduce((sum, { sku, quantity }) => sum + quantity * (prices.get(sku) ?? 0), 0)
}

const isScarce = (index: number): boolean => index % 5 === 4

/** With fewer than eight customers it is the last one. */
const isShort = (index: number, customers: number): boolean =>
  customers < 8 ? customers > 1 && index === customers - 1 : index % 8 === 7
