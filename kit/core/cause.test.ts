import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { causeOf } from './cause.ts'
import { prop } from './testing-property.ts'

describe('the cause of an error', () => {
  it.each([
    ['TypeError: no stock of ord_019ab3f0c1d27000a1b2c3d4e5f60718 at 12:30', 'TypeError: no stock of ord_# at #'],
    ['Error: task 0f8fad5b-d9cd-469f-a165-70867728950e is late', 'Error: task # is late'],
    ['error 23514: lots_value: 7 is below 0', 'error 23514: lots_value: # is below #'],
    [
      'ConstraintError 23505: payments_pkey: pay_12ab34cd56 exists',
      'ConstraintError 23505: payments_pkey: pay_# exists',
    ],
    ['The carrier answered 503 busy after 2000 ms', 'The carrier answered 503 busy after # ms'],
    ['No answer from 127.0.0.1:8080: ECONNREFUSED', 'No answer from #: ECONNREFUSED'],
    ['Version 1001 of saga fulfilment is not known here', 'Version # of saga fulfilment is not known here'],
    ['due at 2026-01-02T03:04:05.678Z, now 1,234.5', 'due at #, now #'],
    ['waits behind an earlier message of its key', 'waits behind an earlier message of its key'],
    ['a facade was defaced', 'a facade was defaced'],
    ['SKU1 of k5 in A4', 'SKU1 of k5 in A4'],
    ['first line 1\nsecond line', 'first line #'],
    [' \n', 'unknown'],
    ['', 'unknown'],
  ])('%j is %j', (error, cause) => {
    expect(causeOf(error)).toBe(cause)
  })

  it('tells apart what was answered, and what the database refused', () => {
    expect(causeOf('The carrier answered 503')).not.toBe(causeOf('The carrier answered 422'))
    expect(causeOf('error 23514: x 1')).not.toBe(causeOf('error 23505: x 1'))
  })

  prop([fc.nat(), fc.nat(), fc.uuid()])('does not depend on whom it struck', (left, right, id) => {
    const told = (number: number, of: string) => `RangeError: ${number} of ord_${of.replaceAll('-', '')} is too many`
    expect(causeOf(told(left, id))).toBe(causeOf(told(right, '00000000-0000-4000-8000-000000000000')))
  })

  prop([fc.string({ unit: 'binary', maxLength: 400 })])('is one short line of whole characters', (error) => {
    const cause = causeOf(error)
    expect(cause.length).toBeLessThanOrEqual(200)
    expect(cause).not.toMatch(/[\r\n]/)
    const halves = (text: string) => [...text.matchAll(/\p{Surrogate}/gu)].length
    expect(halves(cause)).toBeLessThanOrEqual(halves(error))
  })
})
