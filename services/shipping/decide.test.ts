import { describe, expect, test } from 'vitest'
import { finished, given } from '@cauce/kit/pipeline/given'
import type { TaskResult } from '@cauce/kit/task/outcome'
import type { Booking, BookingRequest } from './carrier.ts'
import { DispatchShipment, ShipmentDispatched, ShipmentFailed } from './contract.ts'
import { BOOK_SHIPMENT, messages, tasks } from './decide.ts'
import { shipment, tables } from './tables.ts'

const shipping = { tables, messages, tasks }

const ids = { orderId: 'ord_1', shipmentId: 'shp_1' }
const shipTo = { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28001', country: 'ES' }
const request: BookingRequest = { ...ids, shipTo, lines: [{ sku: 'LAMP', quantity: 2 }] }
const dispatch = DispatchShipment({ ...request, lines: [{ sku: 'LAMP', quantity: 2 }] })

const ended = (result: TaskResult) => finished<BookingRequest>(BOOK_SHIPMENT, request, result)
const said = (booking: Booking) => ended({ kind: 'done', result: booking })

const booking = given(shipping).when(dispatch).then()
const dispatched = booking
  .when(said({ kind: 'booked', tracking: 'CRR1' }))
  .then(ShipmentDispatched({ ...ids, tracking: 'CRR1' }))
const message = 'No parcel can be delivered to this postal code'
const failed = booking
  .when(said({ kind: 'undeliverable', message }))
  .then(ShipmentFailed({ ...ids, code: 'undeliverable', message }))

describe('dispatch', () => {
  test('makes a shipment and the one task that books it', () => {
    expect(booking.row(shipment, 'shp_1')).toMatchObject({
      status: 'booking',
      tracking: null,
      version: 1,
      requestId: 'req-1',
    })
    expect(booking.tasks).toEqual([{ kind: 'enqueue', task: { type: BOOK_SHIPMENT, key: 'ord_1', data: request } }])
  })

  test('again while it is being booked: no answer yet, and no second task', () => {
    booking.when(dispatch).thenUnchanged()
  })

  test('again after its end: the same answer', () => {
    for (const end of [dispatched, failed]) {
      const again = end.when(dispatch)
      expect(again.then(...end.messages).tasks).toEqual([])
      expect(again.changes).toEqual([])
    }
  })

  test('a second shipment of one order is refused by its table', () => {
    expect(() =>
      booking.when(DispatchShipment({ ...dispatch.data, ...ids, shipmentId: 'shp_2', shipTo, lines: [] })),
    ).toThrow('unique')
  })
})

describe('the carrier’s answer', () => {
  test('taken', () => {
    expect(dispatched.row(shipment, 'shp_1')).toMatchObject({
      status: 'dispatched',
      tracking: 'CRR1',
      code: null,
      version: 2,
    })
  })

  test('undeliverable', () => {
    expect(failed.row(shipment, 'shp_1')).toMatchObject({
      status: 'failed',
      tracking: null,
      code: 'undeliverable',
      message,
    })
  })

  test('refused for good: it will never be sent', () => {
    const reason = 'The carrier answered 409 voided'
    booking
      .when(ended({ kind: 'cancelled', reason }))
      .then(ShipmentFailed({ ...ids, code: 'undeliverable', message: reason }))
  })

  test('comes once: a later one changes nothing', () => {
    dispatched.when(said({ kind: 'undeliverable', message })).thenUnchanged()
    failed.when(said({ kind: 'booked', tracking: 'CRR1' })).thenUnchanged()
    dispatched.when(ended({ kind: 'exhausted', reason: 'timeout' })).thenUnchanged()
  })

  test('unknown: nothing is guessed, an operator is asked', () => {
    const reason = 'no answer within 5000 ms'
    expect(() => booking.when(ended({ kind: 'exhausted', reason }))).toThrow(
      `Whether shp_1 is booked is unknown (${reason})`,
    )
  })

  test('for a shipment that is not there is a bug', () => {
    expect(() => given(shipping).when(said({ kind: 'booked', tracking: 'CRR1' }))).toThrow('There is no shipment shp_1')
  })
})
