/**
 * The fulfilment saga: pure. authorizing → reserving → shipping (the point of no return) → settling → completed, with the way
 * back of each step. Its state lives in the order's row.
 */
import { hours, minutes } from '@cauce/kit/core/clock'
import { sibling } from '@cauce/kit/core/ids'
import type { NewMessage } from '@cauce/kit/log/message'
import type { TaskChange } from '@cauce/kit/task/port'
import type { SagaBinding } from '@cauce/kit/saga/runner'
import { all, fail, go, instead, type SagaDefinition, type SagaState } from '@cauce/kit/saga/machine'
import { IssueStock, ReleaseStock, ReserveStock } from '@cauce/inventory/contract'
import { AuthorizePayment, CapturePayment, VoidPayment, type PaymentStatus } from '@cauce/payments/contract'
import { DispatchShipment } from '@cauce/shipping/contract'
import { OrderCancelled, OrderCompleted, OrderStalled, type OrderStatus } from './contract.ts'
import { sendConfirmation } from './confirmation.ts'
import { order, type OrderRow } from './tables.ts'

const linesOf = ({ lines }: OrderRow) => lines.map(({ sku, quantity }) => ({ sku, quantity }))
const paymentOf = ({ id, paymentId }: OrderRow) => ({ orderId: id, paymentId })

/** The carrier must have its time, and the capture after it. */
const LEAST_LIFE_MS = hours(2)

/** Nothing is sent that could not be taken payment for afterwards. */
function endsTooSoon({ authorizedUntil }: OrderRow, now: number) {
  if (authorizedUntil === null || authorizedUntil - now >= LEAST_LIFE_MS) return undefined
  return { code: 'deadline', message: 'The card would no longer be good when the goods are on their way' }
}

export const fulfilment: SagaDefinition<OrderRow> = {
  name: 'fulfilment',
  version: 1,
  undoAgainMs: minutes(1),
  steps: {
    authorizing: {
      ask: (row) => [
        AuthorizePayment({
          ...paymentOf(row),
          customer: row.customer,
          amount: row.totalAmount,
          currency: row.currency,
          method: row.paymentMethod,
          ...(row.paymentToken === null ? {} : { token: row.paymentToken }),
        }),
      ],
      on: { PaymentAuthorized: go('reserving'), PaymentDeclined: fail('payment-declined') },
      undo: { ask: (row) => VoidPayment(paymentOf(row)), until: ['PaymentVoided', 'PaymentRefunded'] },
      withinMs: minutes(5),
    },
    reserving: {
      ask: (row) => [ReserveStock({ orderId: row.id, lines: linesOf(row) })],
      on: { StockReserved: go('shipping'), StockRejected: fail('out-of-stock') },
      undo: { ask: ({ id }) => ReleaseStock({ orderId: id }), until: ['StockReleased'] },
      withinMs: minutes(5),
    },
    shipping: {
      pivot: true,
      refuses: endsTooSoon,
      ask: (row) => [
        DispatchShipment({
          orderId: row.id,
          shipmentId: sibling('shp', row.id),
          shipTo: row.shipTo,
          lines: linesOf(row),
        }),
      ],
      on: { ShipmentDispatched: go('settling'), ShipmentFailed: fail('undeliverable') },
      withinMs: hours(1),
    },
    settling: {
      ask: (row) => [CapturePayment(paymentOf(row)), IssueStock({ orderId: row.id })],
      on: {
        PaymentCaptured: all('completed'),
        PaymentUncollected: instead('completed', 'PaymentCaptured'),
        StockIssued: all('completed'),
      },
      withinMs: minutes(5),
    },
  },
}

const paymentStatusAfter: Readonly<Record<string, PaymentStatus>> = {
  PaymentAuthorized: 'authorized',
  PaymentDeclined: 'declined',
  PaymentCaptured: 'captured',
  PaymentUncollected: 'uncollected',
  PaymentVoided: 'voided',
  PaymentRefunded: 'refunded',
}

/** The facts an order copies from its participants. */
function noting(row: OrderRow, { type, data }: { readonly type: string; readonly data: object }): OrderRow {
  const paymentStatus = paymentStatusAfter[type]
  // A void of what was declined is answered too, and is not news.
  if (paymentStatus && row.paymentStatus !== 'declined' && row.paymentStatus !== paymentStatus) {
    const { until = null } = data as { until?: number }
    return { ...row, paymentStatus, ...(type === 'PaymentAuthorized' ? { authorizedUntil: until } : {}) }
  }
  if (type === 'ShipmentDispatched') {
    return { ...row, shipmentStatus: 'dispatched', tracking: (data as { tracking: string }).tracking }
  }
  if (type === 'ShipmentFailed') return { ...row, shipmentStatus: 'failed' }
  return row
}

export const stateOf = (row: OrderRow): SagaState => ({
  status: row.status,
  version: row.sagaVersion,
  waiting: row.waiting,
  undo: row.undo,
  failure: row.failureCode === null ? null : { code: row.failureCode, message: row.failureMessage ?? '' },
  deadlineAt: row.deadlineAt,
})

export function withState(row: OrderRow, state: SagaState, { now }: { readonly now: number }): OrderRow {
  const shipment =
    state.status === 'shipping' && row.shipmentId === null
      ? { shipmentId: sibling('shp', row.id), shipmentStatus: 'booking' as const }
      : {}
  return {
    ...row,
    ...shipment,
    status: state.status as OrderStatus,
    waiting: state.waiting,
    undo: state.undo,
    failureCode: state.failure?.code ?? null,
    failureMessage: state.failure?.message ?? null,
    deadlineAt: state.deadlineAt,
    version: row.version + 1,
    updatedAt: now,
  }
}

function ended(row: OrderRow): { messages: NewMessage[]; tasks: TaskChange[] } {
  if (row.status === 'completed') {
    return { messages: [OrderCompleted({ orderId: row.id })], tasks: [sendConfirmation(row)] }
  }
  const { id: orderId, failureCode: code, failureMessage: message } = row
  return { messages: [OrderCancelled({ orderId, code: code ?? '', message: message ?? '' })], tasks: [] }
}

export const binding: SagaBinding<OrderRow> = {
  table: order,
  definitions: [fulfilment],
  timer: 'order-deadline',
  idOf: (data) => (data as { orderId: string }).orderId,
  stateOf,
  withState,
  noting,
  ended,
  alarm: (row, reason) => OrderStalled({ orderId: row.id, status: row.status, reason }),
  deadline: { code: 'deadline', message: 'The order took too long' },
}
