/**
 * Money is an integer count of minor units and a currency. Every operation checks that it stays a safe integer and in one
 * currency; there is no division that loses a cent (`allocate` splits and gives the remainder to the first parts).
 */

export interface Money {
  /** Minor units (cents), a safe integer. */
  readonly amount: number
  /** ISO 4217, three capitals. */
  readonly currency: string
}

export class MoneyError extends Error {
  override readonly name = 'MoneyError'
}

export const money = (amount: number, currency: string): Money => ({ amount: safe(amount), currency })

export function add(a: Money, b: Money): Money {
  return { amount: safe(a.amount + b.amount), currency: same(a, b) }
}

export function subtract(a: Money, b: Money): Money {
  return { amount: safe(a.amount - b.amount), currency: same(a, b) }
}

export function times(price: Money, quantity: number): Money {
  return { amount: safe(price.amount * safe(quantity)), currency: price.currency }
}

/** The sum of a non-empty list. */
export function total(parts: readonly Money[]): Money {
  const [first, ...rest] = parts
  if (!first) throw new MoneyError('The total of no amounts has no currency; sum at least one')
  return rest.reduce(add, first)
}

/** Splits into `ways` parts that differ by at most one minor unit and sum to the whole. */
export function allocate(whole: Money, ways: number): Money[] {
  if (!Number.isSafeInteger(ways) || ways < 1) throw new MoneyError(`Cannot split money ${ways} ways`)
  const part = Math.trunc(whole.amount / ways)
  const left = whole.amount - part * ways
  const unit = Math.sign(left)
  return Array.from({ length: ways }, (_, i) => money(part + (i < Math.abs(left) ? unit : 0), whole.currency))
}

function same(a: Money, b: Money): string {
  if (a.currency !== b.currency) throw new MoneyError(`Cannot combine ${a.currency} with ${b.currency}`)
  return a.currency
}

function safe(amount: number): number {
  if (!Number.isSafeInteger(amount))
    throw new MoneyError(`${amount} is not a whole number of minor units in the safe range`)
  // One zero: -0 would differ from what comes back from a database.
  return amount + 0
}
