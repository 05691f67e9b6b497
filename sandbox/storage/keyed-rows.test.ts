import { expect, test } from 'vitest'
import { KeyedRows } from './keyed-rows.ts'

interface Row {
  readonly key: string
  readonly about: string | null
  readonly listed: boolean
}

const book = (rows: readonly Row[] = []) => {
  const made = new KeyedRows<Row>({ about: ({ about }) => about, isListed: ({ listed }) => listed })
  for (const row of rows) made.put(row)
  return made
}

const row = (key: string, about: string | null = null, listed = true): Row => ({ key, about, listed })
const keys = (rows: Iterable<Row>) => [...rows].map(({ key }) => key)

test('K1: a row is listed when it first is one for the list, and pages never shift', () => {
  const rows = book([row('late', null, false), row('a'), row('b')])
  expect(keys(rows.page(0, 2))).toEqual(['a', 'b'])
  rows.put(row('late'))
  rows.put(row('a'))
  expect(keys(rows.page(0, 9))).toEqual(['a', 'b', 'late'])
  expect(keys(rows.page(1, 1))).toEqual(['b'])
})

test('K2: its rows make the same list again', () => {
  const rows = book([row('late', 'x', false), row('never', 'x', false), row('a', 'x'), row('late', 'x')])
  const again = book([...rows.rows()])
  expect(keys(again.page(0, 9))).toEqual(['a', 'late'])
  expect(keys(again.rows())).toEqual(keys(rows.rows()))
  expect([rows.size, again.size]).toEqual([3, 3])
})

test('rows about the same thing are found together', () => {
  const rows = book([row('a', 'x'), row('b', 'y'), row('c', 'x', false), row('d', 'x'), row('e')])
  expect(keys(rows.about('x'))).toEqual(['a', 'd'])
  expect(keys(rows.about('z'))).toEqual([])
  expect([...rows.shared()].map(keys)).toEqual([['d', 'c', 'a']])
})
