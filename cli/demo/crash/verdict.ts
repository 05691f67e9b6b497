/**
 * What a shop lost and doubled, counted from outside: from what the customers were told, what the shop shows of itself, and what
 * the card processor, the carrier and the inbox have seen. Pure, and the same for every shop.
 *
 * Orders that stand in the middle are counted as such; whether they hold money or stock is not held against the books.
 */
import { pricesOf, totalOf, type Plan } from '../plan.ts'
import type { OutsideSeen } from './outside.ts'
import type { SeenOrder, SideSeen } from './side.ts'

/** In the order in which they are shown. */
export const findings = [
  'doubleCharges',
  'chargedForNothing',
  'unpaid',
  'missing',
  'stuck',
  'orderedTwice',
  'oversold',
  'wrongStock',
  'wrongWallets',
  'parcelsTwice',
  'mailsMissing',
  'mailsTwice',
] as const
export type Finding = (typeof findings)[number]
export type Findings = Readonly<Record<Finding, number>>

export interface Evidence {
  readonly plan: Plan
  readonly shop: SideSeen
  readonly outside: OutsideSeen
}

export const isSound = (found: Findings): boolean => findings.every((finding) => found[finding] === 0)

export function judge({ plan, shop, outside }: Evidence): Findings {
  const { orders, accepted } = shop
  const completed = orders.filter(({ state }) => state === 'completed')
  const open = orders.filter(({ state }) => state === 'open')
  const ids = new Set(orders.map(({ id }) => id))
  const labels = [...new Set(completed.map(({ label }) => label))]
  const parcels = outside.parcels.filter(({ status }) => status === 'accepted')
  const perParcel = tally(parcels.map(({ orderId }) => orderId ?? ''))
  const perMail = tally(outside.mails.map((subject) => subject.replace(/^Your order /, '')))
  return {
    doubleCharges: outside.doubleCharges,
    ...cardMoney(plan, completed, outside),
    missing: [...accepted.values()].filter((id) => !ids.has(id)).length,
    stuck: open.length,
    orderedTwice: orderedTwice(orders),
    ...goods(plan, completed, open, shop.stock),
    wrongWallets: wrongWallets(plan, completed, open, shop.balances),
    parcelsTwice: [...perParcel.values()].filter((count) => count > 1).length,
    mailsMissing: labels.filter((label) => !perMail.has(label)).length,
    mailsTwice: [...perMail.values()].filter((count) => count > 1).length,
  }
}

/** Money that was taken without a completed order, and completed orders by card without money. */
function cardMoney(plan: Plan, completed: readonly SeenOrder[], { charges }: OutsideSeen) {
  const kept = new Set(
    charges.flatMap(({ paymentId, status }) => (status === 'authorized' || status === 'captured' ? [paymentId] : [])),
  )
  const owed = new Set(completed.filter((order) => methodOf(plan, order) === 'card').map(({ paymentId }) => paymentId))
  return {
    chargedForNothing: [...kept].filter((paymentId) => !owed.has(paymentId)).length,
    unpaid: [...owed].filter((paymentId) => !kept.has(paymentId)).length,
  }
}

/** Orders beyond the first of one request that were not cancelled, and orders that nobody was told of. */
function orderedTwice(orders: readonly SeenOrder[]): number {
  const alive = orders.filter(({ state }) => state !== 'cancelled')
  const unknown = alive.filter(({ index }) => index === undefined).length
  const counts = [...tally(alive.flatMap(({ index }) => (index === undefined ? [] : [index]))).values()]
  return unknown + counts.reduce((sum, count) => sum + count - 1, 0)
}

function goods(
  plan: Plan,
  completed: readonly SeenOrder[],
  open: readonly SeenOrder[],
  stock: ReadonlyMap<string, number>,
) {
  const sold = quantities(plan, completed)
  const held = quantities(plan, open)
  let oversold = 0
  let wrongStock = 0
  for (const { sku, available } of plan.products) {
    const left = available - (sold.get(sku) ?? 0)
    const now = stock.get(sku) ?? 0
    oversold += Math.max(0, -left)
    if (now > left || now < left - (held.get(sku) ?? 0)) wrongStock += 1
  }
  return { oversold, wrongStock }
}

function quantities(plan: Plan, orders: readonly SeenOrder[]): Map<string, number> {
  const sum = new Map<string, number>()
  for (const { index = -1 } of orders) {
    for (const { sku, quantity } of plan.orders[index]?.lines ?? []) sum.set(sku, (sum.get(sku) ?? 0) + quantity)
  }
  return sum
}

function wrongWallets(
  plan: Plan,
  completed: readonly SeenOrder[],
  open: readonly SeenOrder[],
  balances: readonly number[],
): number {
  const spent = spending(plan, completed)
  const held = spending(plan, open)
  return plan.deposits.filter((deposit, customer) => {
    const left = deposit - (spent.get(customer) ?? 0)
    const now = balances[customer] ?? 0
    return now > left || now < left - (held.get(customer) ?? 0)
  }).length
}

/** From wallets, by customer. */
function spending(plan: Plan, orders: readonly SeenOrder[]): Map<number, number> {
  const prices = pricesOf(plan.products)
  const sum = new Map<number, number>()
  for (const { index = -1 } of orders) {
    const order = plan.orders[index]
    if (order?.payment.method !== 'wallet') continue
    sum.set(order.customer, (sum.get(order.customer) ?? 0) + totalOf(prices, order))
  }
  return sum
}

const methodOf = (plan: Plan, { index = -1 }: SeenOrder) => plan.orders[index]?.payment.method

function tally<Item>(items: readonly Item[]): Map<Item, number> {
  const counts = new Map<Item, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}
