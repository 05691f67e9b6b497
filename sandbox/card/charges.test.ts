import { days, minutes } from '@cauce/kit/core/clock'
import { describe, expect, test } from 'vitest'
import type { Decision } from '../storage/store.ts'
import { Charges, type Authorisation } from './charges.ts'
import type { ChargeRow, Moment } from './rows.ts'
import type { Token } from './tokens.ts'

const start: Moment = { now: 1_000, announced: false }
const announced: Moment = { ...start, announced: true }

function take<Answer>(charges: Charges, { row, answer }: Decision<ChargeRow, Answer>): Answer {
  if (row) charges.put(row)
  return answer
}

const asked = (key: string, token: Token = 'tok_ok', changes: Partial<Authorisation> = {}): Authorisation => {
  return { key, paymentId: `pay_${key}`, amount: 100, currency: 'EUR', token, fingerprint: 'f', ...changes }
}

function authorize(
  charges: Charges,
  key: string,
  token: Token = 'tok_ok',
  changes: Partial<Authorisation> = {},
  moment = start,
) {
  return take(charges, charges.decideAuthorisation(asked(key, token, changes), moment)).outcome
}

const capture = (charges: Charges, key: string, amount = 100, moment = start) =>
  take(charges, charges.decideCapture(key, amount, moment))?.outcome

const voidKey = (charges: Charges, key: string, moment = start) =>
  take(charges, charges.decideVoid(key, moment)).outcome

const refund = (charges: Charges, key: string, refundKey: string, amount: number, moment = start) =>
  take(charges, charges.decideRefund(key, { key: refundKey, amount }, moment))?.outcome

const listed = (charges: Charges) =>
  charges.page(0, 100).map(({ key, status, requests, refunded }) => [key, status, requests, refunded])

describe('authorisation', () => {
  test('C2: the same key has one answer and counts, whatever became of the charge', () => {
    const charges = new Charges()
    expect(charges.decideAuthorisation(asked('a'), start).answer).toMatchObject({ outcome: 'authorized', again: false })
    expect([1, 2].map(() => authorize(charges, 'a'))).toEqual(['authorized', 'authorized'])
    expect(charges.decideAuthorisation(asked('a'), start).answer).toMatchObject({ outcome: 'authorized', again: true })
    capture(charges, 'a')
    expect(authorize(charges, 'a')).toBe('authorized')
    expect(listed(charges)).toEqual([['a', 'captured', 3, 0]])
  })

  test('C1: another body under the same key is refused and counts nothing', () => {
    const charges = new Charges()
    authorize(charges, 'a')
    expect(authorize(charges, 'a', 'tok_ok', { fingerprint: 'g' })).toBe('key-reused')
    expect(listed(charges)).toEqual([['a', 'authorized', 1, 0]])
  })

  test('tok_declined is for ever and no charge, tok_flaky is busy twice a key', () => {
    const charges = new Charges()
    expect([1, 2].map(() => authorize(charges, 'a', 'tok_declined'))).toEqual(['declined', 'declined'])
    expect([1, 2, 3, 4].map(() => authorize(charges, 'b', 'tok_flaky'))).toEqual([
      'busy',
      'busy',
      'authorized',
      'authorized',
    ])
    expect(authorize(charges, 'c', 'tok_flaky')).toBe('busy')
    expect(listed(charges)).toEqual([['b', 'authorized', 4, 0]])
    expect(charges.size).toBe(3)
  })
})

describe('capture', () => {
  test('C4: once, of the whole amount', () => {
    const charges = new Charges()
    authorize(charges, 'a')
    expect(capture(charges, 'a', 99)).toBe('amount-differs')
    expect([1, 2].map(() => capture(charges, 'a'))).toEqual(['captured', 'captured'])
    expect(capture(charges, 'a', 101)).toBe('amount-differs')
    expect(charges.get('a')).toMatchObject({ status: 'captured', sequence: 2 })
  })

  test('of what is not held it is refused, each time for the same reason', () => {
    const charges = new Charges()
    authorize(charges, 'declined', 'tok_declined')
    authorize(charges, 'busy', 'tok_flaky')
    authorize(charges, 'voided')
    voidKey(charges, 'voided')
    voidKey(charges, 'unseen')
    const keys = ['declined', 'voided', 'unseen', 'busy', 'nobody']
    expect(keys.map((key) => capture(charges, key))).toEqual(['declined', 'voided', 'voided', undefined, undefined])
    expect(keys.map((key) => capture(charges, key))).toEqual(['declined', 'voided', 'voided', undefined, undefined])
  })

  test.each<[Token, number]>([
    ['tok_ok', days(7)],
    ['tok_short', minutes(1)],
  ])('%s is held for %i ms', (token, livesMs) => {
    const at = (ms: number) => ({ ...start, now: start.now + ms })
    const charges = new Charges()
    for (const key of ['a', 'b']) authorize(charges, key, token)
    expect(capture(charges, 'a', 100, at(livesMs - 1))).toBe('captured')
    expect(capture(charges, 'b', 100, at(livesMs))).toBe('expired')
    expect(capture(charges, 'b', 100, at(0))).toBe('expired')
    expect(authorize(charges, 'b', token)).toBe('voided')
    expect(listed(charges)).toEqual([
      ['a', 'captured', 1, 0],
      ['b', 'voided', 2, 0],
    ])
  })

  test('tok_expires: the first charge of a payment expires, the second is captured, and that is no double', () => {
    const charges = new Charges()
    const same = { paymentId: 'pay_1' }
    authorize(charges, 'a', 'tok_expires', same)
    expect([1, 2].map(() => capture(charges, 'a'))).toEqual(['expired', 'expired'])
    expect(authorize(charges, 'b', 'tok_expires', same)).toBe('authorized')
    expect(charges.doubles()).toBe(0)
    expect(capture(charges, 'b')).toBe('captured')
    expect(charges.doubles()).toBe(0)
  })

  test('tok_uncollectable: the first expires, and there is no second', () => {
    const charges = new Charges()
    const same = { paymentId: 'pay_1' }
    expect(authorize(charges, 'a', 'tok_uncollectable', same)).toBe('authorized')
    expect(capture(charges, 'a')).toBe('expired')
    expect(['b', 'b', 'c'].map((key) => authorize(charges, key, 'tok_uncollectable', same))).toEqual([
      'declined',
      'declined',
      'declined',
    ])
  })
})

describe('void', () => {
  test('C3: a key voided before it was seen never charges', () => {
    const charges = new Charges()
    expect(voidKey(charges, 'a')).toBe('voided')
    expect([1, 2].map(() => authorize(charges, 'a'))).toEqual(['voided', 'voided'])
    expect(charges.get('a')).toMatchObject({ charge: null, requests: 2, sequence: 0 })
    expect(listed(charges)).toEqual([])
  })

  test('what is held or busy is voided, what was declined stays so, what was captured is refused', () => {
    const charges = new Charges()
    authorize(charges, 'held')
    authorize(charges, 'busy', 'tok_flaky')
    authorize(charges, 'declined', 'tok_declined')
    authorize(charges, 'captured')
    capture(charges, 'captured')
    const keys = ['held', 'busy', 'declined', 'captured']
    for (const _ of [1, 2]) {
      expect(keys.map((key) => voidKey(charges, key))).toEqual(['voided', 'voided', 'declined', 'captured'])
    }
    expect(authorize(charges, 'busy', 'tok_flaky')).toBe('voided')
    refund(charges, 'captured', 'r', 100)
    expect(voidKey(charges, 'captured')).toBe('captured')
  })
})

describe('refunds', () => {
  test('C4: at most what was captured, each once under its key', () => {
    const charges = new Charges()
    authorize(charges, 'a')
    expect(refund(charges, 'a', 'early', 10)).toBe('exceeds-captured')
    capture(charges, 'a')
    expect([1, 2].map(() => refund(charges, 'a', 'r1', 60))).toEqual(['refunded', 'refunded'])
    expect(charges.get('a')).toMatchObject({ status: 'captured', refunded: 60, sequence: 3 })
    expect(refund(charges, 'a', 'r1', 10)).toBe('key-reused')
    expect(refund(charges, 'a', 'r2', 41)).toBe('exceeds-captured')
    expect(refund(charges, 'a', 'r3', 40)).toBe('refunded')
    expect(charges.get('a')).toMatchObject({ status: 'refunded', refunded: 100, sequence: 4 })
    expect(['early', 'r2', 'r3'].map((key) => refund(charges, 'a', key, { early: 10, r2: 41, r3: 40 }[key]!))).toEqual([
      'exceeds-captured',
      'exceeds-captured',
      'refunded',
    ])
    expect([refund(charges, 'a', 'r4', 1), refund(charges, 'nobody', 'r1', 1)]).toEqual(['exceeds-captured', undefined])
    expect(capture(charges, 'a')).toBe('captured')
  })
})

test('C5: two charges of a payment that are held, or were ever captured, are one double', () => {
  const charges = new Charges()
  const of = (paymentId: string) => (key: string) => authorize(charges, key, 'tok_ok', { paymentId })
  for (const key of ['a', 'b', 'c']) of('pay_1')(key)
  expect(charges.doubles()).toBe(1)
  voidKey(charges, 'a')
  expect(charges.doubles()).toBe(1)
  voidKey(charges, 'b')
  expect(charges.doubles()).toBe(0)
  for (const key of ['d', 'e']) {
    of('pay_2')(key)
    capture(charges, key)
    refund(charges, key, `r-${key}`, 100)
  }
  authorize(charges, 'f', 'tok_declined', { paymentId: 'pay_3' })
  of('pay_3')('g')
  expect(charges.doubles()).toBe(1)
  expect(charges.ofPayment('pay_1').map(({ key }) => key)).toEqual(['a', 'b', 'c'])
  expect(charges.ofPayment('pay_3').map(({ key }) => key)).toEqual(['g'])
})

describe('what is owed to the endpoint', () => {
  test('C6: every change while somebody wants to be told, and what the charge was then', () => {
    const charges = new Charges()
    authorize(charges, 'a', 'tok_ok', {}, announced)
    authorize(charges, 'a', 'tok_ok', {}, announced)
    capture(charges, 'a', 100, announced)
    refund(charges, 'a', 'r1', 60, announced)
    refund(charges, 'a', 'r2', 60, announced)
    refund(charges, 'a', 'r3', 40, announced)
    expect(
      charges.get('a')?.owed.map(({ sequence, type, status, refunded }) => [sequence, type, status, refunded]),
    ).toEqual([
      [1, 'authorized', 'authorized', 0],
      [2, 'captured', 'captured', 0],
      [3, 'refunded', 'captured', 60],
      [4, 'refunded', 'refunded', 100],
    ])
    voidKey(charges, 'unseen', announced)
    authorize(charges, 'declined', 'tok_declined', {}, announced)
    authorize(charges, 'untold')
    expect([charges.owing(), charges.told]).toEqual([['a'], { pending: 4, delivered: 0, failed: 0 }])
  })

  test('is taken out once, and counted', () => {
    const charges = new Charges()
    authorize(charges, 'a', 'tok_ok', {}, announced)
    voidKey(charges, 'a', announced)
    take(charges, charges.decideTold('a', 2, 'delivered'))
    take(charges, charges.decideTold('a', 2, 'failed'))
    expect(charges.decideTold('nobody', 1, 'delivered')).toEqual({ answer: undefined })
    expect(charges.get('a')?.owed).toMatchObject([{ sequence: 1 }])
    take(charges, charges.decideTold('a', 1, 'failed'))
    expect([charges.owing(), charges.told]).toEqual([[], { pending: 0, delivered: 1, failed: 1 }])
  })
})

test('the rows rebuild the book, in the same order', () => {
  const charges = new Charges()
  authorize(charges, 'flaky', 'tok_flaky')
  authorize(charges, 'declined', 'tok_declined')
  for (const key of ['a', 'b']) authorize(charges, key, 'tok_ok', {}, announced)
  for (const _ of [2, 3]) authorize(charges, 'flaky', 'tok_flaky')
  voidKey(charges, 'unseen')
  capture(charges, 'a')
  take(charges, charges.decideTold('b', 1, 'delivered'))
  const rebuilt = new Charges()
  for (const row of JSON.parse(JSON.stringify([...charges.rows()])) as ChargeRow[]) rebuilt.put(row)
  expect(rebuilt.page(0, 100)).toEqual(charges.page(0, 100))
  expect(rebuilt.page(1, 2).map(({ key }) => key)).toEqual(['b', 'flaky'])
  expect([rebuilt.size, rebuilt.told, rebuilt.owing()]).toEqual([5, { pending: 1, delivered: 1, failed: 0 }, ['a']])
})
