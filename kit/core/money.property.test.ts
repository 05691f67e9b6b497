import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { add, allocate, money, MoneyError, subtract, times, total, type Money } from './money.ts'
import { prop } from './testing-property.ts'

const amount = fc.oneof(fc.integer(), fc.maxSafeInteger())
const moderate = fc.integer({ min: -1e12, max: 1e12 })
const euros = moderate.map((value) => money(value, 'EUR'))
const ways = fc.integer({ min: 1, max: 300 })

const sum = (parts: readonly Money[]): bigint => parts.reduce((so, part) => so + BigInt(part.amount), 0n)

describe('money: whole minor units of one currency', () => {
  prop([amount, amount])('a sum is exact or refused, never rounded', (a, b) => {
    const exact = BigInt(a) + BigInt(b)
    const inRange = exact >= BigInt(Number.MIN_SAFE_INTEGER) && exact <= BigInt(Number.MAX_SAFE_INTEGER)
    const adding = () => add(money(a, 'EUR'), money(b, 'EUR'))
    if (inRange) expect(BigInt(adding().amount)).toBe(exact)
    else expect(adding).toThrow(MoneyError)
  })

  prop([amount, fc.integer({ min: 0, max: 1_000_000 })])('a product is exact or refused', (price, quantity) => {
    const exact = BigInt(price) * BigInt(quantity)
    const inRange = exact >= BigInt(Number.MIN_SAFE_INTEGER) && exact <= BigInt(Number.MAX_SAFE_INTEGER)
    const multiplying = () => times(money(price, 'EUR'), quantity)
    if (inRange) expect(BigInt(multiplying().amount)).toBe(exact)
    else expect(multiplying).toThrow(MoneyError)
  })

  prop([euros, euros])('subtracting undoes adding', (a, b) => {
    expect(subtract(add(a, b), b)).toEqual(a)
    expect(add(subtract(a, b), b)).toEqual(a)
    expect(add(a, b)).toEqual(add(b, a))
  })

  prop([euros, ways])('allocating loses nothing, and parts differ by one unit at most', (whole, count) => {
    const parts = allocate(whole, count)
    expect(parts).toHaveLength(count)
    expect(sum(parts)).toBe(BigInt(whole.amount))
    expect(total(parts)).toEqual(whole)
    const amounts = parts.map((part) => part.amount)
    expect(Math.max(...amounts) - Math.min(...amounts)).toBeLessThanOrEqual(1)
    // The larger parts come first, whichever the sign.
    expect(amounts.map(Math.abs)).toEqual(amounts.map(Math.abs).toSorted((a, b) => b - a))
  })

  prop([fc.array(euros, { minLength: 1, maxLength: 50 })])('a total does not depend on the order', (parts) => {
    expect(total(parts)).toEqual(total(parts.toReversed()))
    expect(BigInt(total(parts).amount)).toBe(sum(parts))
  })

  it('refuses to mix currencies, and anything that is not whole or not safe', () => {
    expect(() => add(money(1, 'EUR'), money(1, 'USD'))).toThrow('Cannot combine EUR with USD')
    expect(() => subtract(money(1, 'EUR'), money(1, 'USD'))).toThrow(MoneyError)
    expect(() => total([money(1, 'EUR'), money(1, 'USD')])).toThrow(MoneyError)
    expect(() => total([])).toThrow('at least one')
    for (const bad of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      expect(() => money(bad, 'EUR')).toThrow(MoneyError)
    expect(() => times(money(100, 'EUR'), 1.5)).toThrow(MoneyError)
    for (const bad of [0, -1, 1.5, Number.NaN]) expect(() => allocate(money(100, 'EUR'), bad)).toThrow(MoneyError)
  })

  it('has one zero', () => {
    expect(times(money(0, 'EUR'), -1)).toEqual(money(0, 'EUR'))
    expect(subtract(money(0, 'EUR'), money(0, 'EUR'))).toEqual(money(0, 'EUR'))
    expect(allocate(money(-1, 'EUR'), 3).map((part) => part.amount)).toEqual([-1, 0, 0])
  })
})
