/**
 * What a demonstration will do, decided before anything is done: pure, and the same for the same seed.
 *
 *   1. Every fifth product has half of what will be ordered of it, every eighth customer half of what they will spend: some
 *      orders must run out of stock or of money.
 *   2. Three in a hundred go where nobody delivers (00000), three to where the carrier fails twice first (99999).
 *   3. Everything else can be delivered: there is enough of it.
 */
import { integerBetween, pick, seeded, type Random } from '@cauce/kit/core/prng'
import { catalogueOf, type CatalogueItem } from './catalogue.ts'

export interface PlanOptions {
  readonly orders: number
  readonly customers: number
  readonly products: number
  readonly seed: number
}

export interface PlannedOrder {
  /** Index into the customers. */
  readonly customer: number
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly postalCode: string
}

export interface Plan {
  /** `available`: how many there shall be before the orders come. */
  readonly products: readonly (CatalogueItem & { readonly available: number })[]
  /** What each customer has to spend, in minor units of EUR. */
  readonly deposits: readonly number[]
  readonly orders: readonly PlannedOrder[]
}

const UNDELIVERABLE = '00000'
const FLAKY = '99999'
const postalCodes = ['28013', '08002', '41001', '46001', '48001'] as const
/** Of what is not scarce there is more than the plan needs, for orders by hand. */
const MARGIN = 100

export function makePlan({ orders: count, customers, products: kinds, seed }: PlanOptions): Plan {
  const catalogue = catalogueOf(kinds)
  const random = seeded(seed, 'orders')
  const orders = Array.from({ length: count }, () => planOrder(random, catalogue, customers))
  const wanted = new Map<string, number>()
  const spent = Array.from({ length: customers }, () => 0)
  const priceOf = new Map(catalogue.map(({ sku, amount }) => [sku, amount]))
  for (const { customer, lines } of orders) {
    for (const { sku, quantity } of lines) {
      wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
      spent[customer] = (spent[customer] ?? 0) + quantity * (priceOf.get(sku) ?? 0)
    }
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

function planOrder(random: Random, catalogue: readonly CatalogueItem[], customers: number): PlannedOrder {
  const customer = integerBetween(random, 0, customers - 1)
  const skus = new Set(Array.from({ length: integerBetween(random, 1, 3) }, () => pick(random, catalogue).sku))
  const lines = [...skus].map((sku) => ({ sku, quantity: integerBetween(random, 1, 3) }))
  const fate = random.next()
  const postalCode = fate < 0.03 ? UNDELIVERABLE : fate < 0.06 ? FLAKY : pick(random, postalCodes)
  return { customer, lines, postalCode }
}

const isScarce = (index: number): boolean => index % 5 === 4

/** With fewer than eight customers it is the last one. */
const isShort = (index: number, customers: number): boolean =>
  customers < 8 ? customers > 1 && index === customers - 1 : index % 8 === 7
