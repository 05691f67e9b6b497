import { describe, expect, test } from 'vitest'
import { minutes } from '@cauce/kit/core/clock'
import { due, given } from '@cauce/kit/pipeline/given'
import {
  IssueStock,
  ProductPriced,
  ReleaseStock,
  ReserveStock,
  StockIssued,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@cauce/inventory/contract'
import {
  AuthorizePayment,
  CapturePayment,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentUncollected,
  PaymentVoided,
  VoidPayment,
} from '@cauce/payments/contract'
import { DispatchShipment, ShipmentDispatched, ShipmentFailed } from '@cauce/shipping/contract'
import { OrderCancelled, OrderCompleted, OrderCreated, OrderStalled } from './contract.ts'
import { orders } from './service.ts'
import { catalogue, order } from './tables.ts'
import { cancel, ofOrder, ofPayment, orderId, paymentId, place, placed, shipmentId, shipTo, shop } from './testing.ts'

const lines = [{ sku: 'LAMP', quantity: 2 }]
const authorized = () => placed().when(PaymentAuthorized(ofPayment))
const reserved = () => authorized().when(StockReserved(ofOrder))
const dispatched = () => reserved().when(ShipmentDispatched({ orderId, shipmentId, tracking: 'CRR1' }))
const deadline = due('order-deadline', { id: orderId })

describe('placing an order', () => {
  test('prices it, takes its payment, sets its deadline', () => {
    const result = placed().then(
      OrderCreated({ orderId, customer: 'alice', amount: 3998, currency: 'EUR' }),
      AuthorizePayment({ orderId, paymentId, customer: 'alice', amount: 3998, currency: 'EUR', method: 'wallet' }),
    )
    expect(result.row(order, orderId)).toMatchObject({
      status: 'authorizing',
      totalAmount: 3998,
      paymentStatus: 'pending',
      version: 1,
    })
    expect(result.tasks).toMatchObject([
      { kind: 'schedule', timer: { id: `order-deadline:${orderId}`, dueAt: 1000 + minutes(5) } },
    ])
  })

  test('a product nobody knows is refused, and the answer is not kept: it may be on its way', () => {
    const result = shop()
      .when(place([{ sku: 'GHOST', quantity: 1 }]))
      .thenRejected('unknown-sku', /GHOST/)
    expect(result.rejection?.keep).toBe(false)
  })

  test('one order, one currency', () => {
    shop()
      .when(place([...lines, { sku: 'SAKE', quantity: 1 }]))
      .thenRejected('mixed-currencies')
  })

  test('a total above the safe range is refused', () => {
    const tons = Array.from({ length: 100 }, () => ({ sku: 'YACHT', quantity: 1_000_000 }))
    shop()
      .when(ProductPriced({ sku: 'YACHT', name: 'Yacht', amount: Number.MAX_SAFE_INTEGER, currency: 'EUR' }))
      .when(place(tons))
      .thenRejected('total-too-large')
  })

  test('the copy of prices follows inventory', () => {
    const cheaper = shop().when(ProductPriced({ sku: 'LAMP', name: 'Lamp', amount: 999, currency: 'EUR' }))
    expect(cheaper.row(catalogue, 'LAMP')?.priceAmount).toBe(999)
    expect(
      placed()
        .when(ProductPriced({ sku: 'LAMP', name: 'Lamp', amount: 1, currency: 'EUR' }))
        .row(order, orderId)?.totalAmount,
    ).toBe(3998)
  })
})

describe('the way of an order', () => {
  test('authorize, reserve, ship, settle, complete', () => {
    authorized().then(ReserveStock({ orderId, lines }))
    reserved().then(DispatchShipment({ orderId, shipmentId, shipTo, lines }))
    dispatched().then(CapturePayment(ofPayment), IssueStock(ofOrder))
    const done = dispatched().when(StockIssued(ofOrder)).when(PaymentCaptured(ofPayment)).then(OrderCompleted(ofOrder))
    expect(done.row(order, orderId)).toMatchObject({
      status: 'completed',
      paymentStatus: 'captured',
      shipmentStatus: 'dispatched',
      tracking: 'CRR1',
    })
    const total = { amount: 3998, currency: 'EUR' }
    const bought = [{ sku: 'LAMP', quantity: 2, unitPrice: { amount: 1999, currency: 'EUR' } }]
    const data = { orderId, customer: 'alice', name: shipTo.name, lines: bought, total, tracking: 'CRR1' }
    expect(done.tasks).toEqual([
      { kind: 'unschedule', timerId: `order-deadline:${orderId}` },
      { kind: 'enqueue', task: { type: 'send-confirmation', key: orderId, data } },
    ])
  })

  test('what could not be collected completes the order all the same', () => {
    const uncollected = PaymentUncollected({ ...ofPayment, message: 'No' })
    const done = dispatched().when(uncollected).when(StockIssued(ofOrder)).then(OrderCompleted(ofOrder))
    expect(done.row(order, orderId)).toMatchObject({ status: 'completed', paymentStatus: 'uncollected' })
  })

  test('S6: nothing is sent when the card is no longer good soon after', () => {
    const now = 1_800_000_000_000
    const card = (until: number) => placed().when(PaymentAuthorized({ ...ofPayment, until }), { now })
    const late = card(now + 3_600_000)
      .when(StockReserved(ofOrder), { now })
      .then(ReleaseStock(ofOrder))
    expect(late.row(order, orderId)).toMatchObject({ status: 'compensating', failureCode: 'deadline' })
    card(now + 86_400_000)
      .when(StockReserved(ofOrder), { now })
      .then(DispatchShipment)
  })

  test('no money: cancelled, nothing to undo', () => {
    const declined = PaymentDeclined({ ...ofPayment, code: 'insufficient-funds', message: '1 of 2' })
    const result = placed()
      .when(declined)
      .then(OrderCancelled({ orderId, code: 'insufficient-funds', message: '1 of 2' }))
    expect(result.row(order, orderId)).toMatchObject({
      status: 'cancelled',
      paymentStatus: 'declined',
      failureCode: 'insufficient-funds',
    })
  })

  test('no stock: the payment is voided first', () => {
    const short = authorized().when(StockRejected({ orderId, sku: 'LAMP', message: '2 of 1' }))
    short.then(VoidPayment(ofPayment))
    const result = short
      .when(PaymentVoided(ofPayment))
      .then(OrderCancelled({ orderId, code: 'out-of-stock', message: '2 of 1' }))
    expect(result.row(order, orderId)).toMatchObject({ status: 'cancelled', paymentStatus: 'voided' })
  })

  test('undeliverable: stock first, then money', () => {
    const failed = reserved().when(ShipmentFailed({ orderId, shipmentId, code: 'undeliverable', message: 'no' }))
    failed.then(ReleaseStock(ofOrder))
    const undone = failed.when(StockReleased(ofOrder))
    undone.then(VoidPayment(ofPayment))
    const result = undone.when(PaymentVoided(ofPayment)).then(OrderCancelled)
    expect(result.row(order, orderId)).toMatchObject({
      status: 'cancelled',
      failureCode: 'undeliverable',
      shipmentStatus: 'failed',
    })
  })

  test('answers that come twice, or for an order of somebody else, change nothing', () => {
    authorized().when(PaymentAuthorized(ofPayment)).thenUnchanged()
    placed()
      .when(StockReserved({ orderId: 'ord_other' }))
      .thenUnchanged()
  })
})

describe('cancelling', () => {
  test('before the point of no return it undoes the step under way too', () => {
    const cancelled = placed().when(cancel())
    cancelled.then(VoidPayment(ofPayment))
    // The authorisation comes late: noted, and voided by what is under way.
    const late = cancelled.when(PaymentAuthorized(ofPayment))
    expect(late.row(order, orderId)).toMatchObject({ status: 'compensating', paymentStatus: 'authorized' })
    late.then()
    late.when(PaymentVoided(ofPayment)).then(OrderCancelled)
  })

  test('again changes nothing', () => {
    placed().when(cancel()).when(cancel()).thenUnchanged()
  })

  test('after the point of no return it is refused', () => {
    reserved()
      .when(cancel())
      .thenRejected('not-cancellable', /shipping/)
    dispatched().when(cancel()).thenRejected('not-cancellable')
  })

  test("I12: somebody else's order is not there; an operator may", () => {
    placed().when(cancel('mallory')).thenRejected('not-found')
    placed().when(cancel('olga', true)).then(VoidPayment)
  })
})

describe('deadlines', () => {
  test('a timer that comes early is set again for the deadline in the row', () => {
    const { tasks } = authorized().when(deadline, { now: 2000 }).then()
    expect(tasks).toMatchObject([{ kind: 'schedule', timer: { dueAt: 1_767_225_602_000 + minutes(5) } }])
  })

  test('too late to pay: undone', () => {
    const late = placed().when(deadline, { now: 1000 + minutes(5) })
    late.then(VoidPayment)
    expect(late.row(order, orderId)).toMatchObject({ status: 'compensating', failureCode: 'deadline' })
  })

  test('past the point of no return: asked again, with an alarm', () => {
    const result = reserved().when(deadline, { now: 1_767_300_000_000 }).then(DispatchShipment, OrderStalled)
    expect(result.row(order, orderId)?.status).toBe('shipping')
    expect(result.tasks).toHaveLength(1)
  })

  test('a stale timer does nothing', () => {
    placed()
      .when(PaymentDeclined({ ...ofPayment, code: 'insufficient-funds', message: '' }))
      .when(deadline)
      .thenUnchanged()
  })

  test('S5: an instance of a version nobody knows here is not guessed at: its messages park', () => {
    const newer = given(orders, order.insert({ ...placed().row(order, orderId)!, sagaVersion: 2 }))
    expect(() => newer.when(PaymentAuthorized(ofPayment))).toThrow(/Version 2 .* redrive/)
  })
})
