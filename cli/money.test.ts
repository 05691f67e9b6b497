import { expect, test } from 'vitest'
import { fc, it } from '@fast-check/vitest'
import { formatMoney, parseMoney } from './money.ts'
import { translator } from './texts.ts'

const t = translator('en')
const plain = (text: string) => text.replaceAll(/\s/g, ' ')

test.each([
  [1999, 'EUR', '€19.99', '19,99 €'],
  [5, 'EUR', '€0.05', '0,05 €'],
  [-250, 'EUR', '-€2.50', '-2,50 €'],
  [2500, 'JPY', 'JP¥2,500', '2500 JPY'],
  // Past what a float can tell apart.
  [9_007_199_254_740_991, 'EUR', '€90,071,992,547,409.91', '90.071.992.547.409,91 €'],
])('%d %s is %s, %s', (amount, currency, en, es) => {
  expect(plain(formatMoney({ amount, currency }, 'en'))).toBe(en)
  expect(plain(formatMoney({ amount, currency }, 'es'))).toBe(es)
})

test.each([
  ['19.99', 'EUR', 1999],
  ['19,99', 'EUR', 1999],
  ['19.9', 'EUR', 1990],
  ['20', 'EUR', 2000],
  ['0.01', 'EUR', 1],
  ['2500', 'JPY', 2500],
])('%s %s are %d minor units', (text, currency, amount) => {
  expect(parseMoney(text, currency, t)).toEqual({ amount, currency })
})

test.each([
  ['', 'EUR'],
  ['-1', 'EUR'],
  ['0', 'EUR'],
  ['1.999', 'EUR'],
  ['1,000', 'EUR'],
  ['1.000,00', 'EUR'],
  ['1e3', 'EUR'],
  ['€5', 'EUR'],
  ['25.5', 'JPY'],
  ['999999999999999.99', 'EUR'],
  ['5', 'euro'],
])('“%s” %s is refused as a mistake of usage', (text, currency) => {
  expect(() => parseMoney(text, currency, t)).toThrow(expect.objectContaining({ exit: 2 }))
})

it.prop([fc.integer({ min: 1, max: 1_000_000_000_000 })])('reads what it would write', (amount) => {
  const text = `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`
  expect(parseMoney(text, 'EUR', t).amount).toBe(amount)
})
