import { expect, test } from 'vitest'
import { closest } from './closest.ts'

const names = ['stock-counter', 'transfer', 'acid', 'retries-dlq']

test.each([
  ['stock-conter', 'stock-counter'],
  ['Transfer', 'transfer'],
  ['stockcounter', 'stock-counter'],
  ['dlq', 'retries-dlq'],
  ['acdi', 'acid'],
  ['saga', undefined],
  ['x', undefined],
])('%s', (wanted, name) => {
  expect(closest(wanted, names)).toBe(name)
})
