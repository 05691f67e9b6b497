import { describe, expect, test } from 'vitest'
import { type Booking, Shipments, trackingOf } from './shipments.ts'

const booking = (key: string, changes: Partial<Booking> = {}): Booking => {
  return { key, shipmentId: `shp_${key}`, orderId: `ord_${key}`, postalCode: '28001', fingerprint: 'f', ...changes }
}

function book(shipments: Shipments, key: string, changes: Partial<Booking> = {}) {
  const { row, answer } = shipments.decideBooking(booking(key, changes))
  if (row) shipments.put(row)
  return answer.outcome
}

function voidKey(shipments: Shipments, key: string) {
  const { row, answer } = shipments.decideVoid(key)
  if (row) shipments.put(row)
  return answer.status
}

const listed = (shipments: Shipments) =>
  shipments.page(0, 100).map(({ key, status, requests }) => [key, status, requests])

describe('booking', () => {
  test('the same key has one answer and counts', () => {
    const shipments = new Shipments()
    expect(shipments.decideBooking(booking('a')).answer).toEqual({ outcome: 'accepted', again: false })
    expect([1, 2, 3].map(() => book(shipments, 'a'))).toEqual(['accepted', 'accepted', 'accepted'])
    expect(shipments.decideBooking(booking('a')).answer).toEqual({ outcome: 'accepted', again: true })
    expect(listed(shipments)).toEqual([['a', 'accepted', 3]])
  })

  test('C1: another body under the same key is refused and counts nothing', () => {
    const shipments = new Shipments()
    book(shipments, 'a')
    expect(book(shipments, 'a', { fingerprint: 'g' })).toBe('key-reused')
    expect(listed(shipments)).toEqual([['a', 'accepted', 1]])
  })

  test('00000 is refused for ever, 99999 twice', () => {
    const shipments = new Shipments()
    expect([1, 2].map(() => book(shipments, 'a', { postalCode: '00000' }))).toEqual(['undeliverable', 'undeliverable'])
    expect(book(shipments, 'b', { postalCode: '99999' })).toBe('busy')
    expect(shipments.page(0, 100)).toHaveLength(1)
    expect(shipments.ofShipment('shp_b')).toEqual([])
    expect([2, 3, 4].map(() => book(shipments, 'b', { postalCode: '99999' }))).toEqual(['busy', 'accepted', 'accepted'])
    expect(listed(shipments)).toEqual([
      ['a', 'undeliverable', 2],
      ['b', 'accepted', 4],
    ])
  })
})

describe('void', () => {
  test('C3: a key voided before it was seen never books', () => {
    const shipments = new Shipments()
    expect(voidKey(shipments, 'a')).toBe('voided')
    expect([1, 2].map(() => book(shipments, 'a'))).toEqual(['voided', 'voided'])
    expect(listed(shipments)).toEqual([['a', 'voided', 2]])
    expect(shipments.ofShipment('shp_a')).toEqual([])
  })

  test('an accepted or busy one is voided, an undeliverable one stays what it is', () => {
    const shipments = new Shipments()
    book(shipments, 'a')
    book(shipments, 'b', { postalCode: '99999' })
    book(shipments, 'c', { postalCode: '00000' })
    expect(['a', 'b', 'c', 'a'].map((key) => voidKey(shipments, key))).toEqual([
      'voided',
      'voided',
      'undeliverable',
      'voided',
    ])
    expect(['a', 'b', 'c'].map((key) => book(shipments, key))).toEqual(['voided', 'voided', 'undeliverable'])
  })
})

test('C4: doubles are accepted shipments beyond the first of one shipmentId', () => {
  const shipments = new Shipments()
  for (const key of ['a', 'b', 'c']) book(shipments, key, { shipmentId: 'shp_1' })
  book(shipments, 'd', { shipmentId: 'shp_2' })
  book(shipments, 'e', { shipmentId: 'shp_2', postalCode: '00000' })
  expect(shipments.doubles()).toBe(2)
  expect(shipments.ofShipment('shp_1').map(({ key }) => key)).toEqual(['a', 'b', 'c'])
  voidKey(shipments, 'a')
  expect(shipments.doubles()).toBe(1)
})

test('the rows rebuild the book, in the same order', () => {
  const shipments = new Shipments()
  book(shipments, 'flaky', { postalCode: '99999' })
  book(shipments, 'waiting', { postalCode: '99999' })
  for (const key of ['a', 'b']) book(shipments, key)
  for (const _ of [2, 3]) book(shipments, 'flaky', { postalCode: '99999' })
  voidKey(shipments, 'unseen')
  const rebuilt = new Shipments()
  for (const row of shipments.rows()) rebuilt.put(row)
  expect(rebuilt.page(0, 100)).toEqual(shipments.page(0, 100))
  expect(rebuilt.page(1, 2).map(({ key }) => key)).toEqual(['b', 'flaky'])
  expect([...rebuilt.rows()]).toEqual([...shipments.rows()])
  expect(rebuilt.size).toBe(5)
})

test('a tracking number is a function of the key', () => {
  expect(trackingOf('a')).toMatch(/^CRR[0-9A-HJKMNP-TV-Z]{10}$/)
  expect(trackingOf('a')).toBe(trackingOf('a'))
  expect(trackingOf('a')).not.toBe(trackingOf('b'))
})
