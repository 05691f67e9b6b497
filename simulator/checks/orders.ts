/** I4: every accepted order ends, and how it ended is true in every service and outside. */
import type { Providers } from '../providers.ts'
import { number, of, rowsOf, text, type Check, type CheckOptions, type Row } from './check.ts'

/** Where an order may go from each status. */
const edges: Readonly<Record<string, readonly string[]>> = {
  '': ['authorizing'],
  authorizing: ['reserving', 'compensating', 'cancelled'],
  reserving: ['shipping', 'compensating', 'cancelled'],
  shipping: ['settling', 'compensating', 'cancelled'],
  settling: ['completed'],
  compensating: ['cancelled'],
  completed: [],
  cancelled: [],
}

export interface OrdersCheckOptions extends CheckOptions {
  readonly providers: Providers
  /** Told of each step of an order: `reserving → shipping`. */
  readonly onEdge: (edge: string) => void
}

export function ordersCheck({ database, violate, providers, onEdge }: OrdersCheckOptions): Check {
  return {
    committed(changes) {
      for (const { key, before, after } of of(changes, 'orders.orders')) {
        if (!after) return violate('I4', `Order ${key} was removed`)
        const [was, is] = [text(before, 'status'), text(after, 'status')]
        // The copy of a fact that came after the end is a version too.
        if (number(after, 'version') <= number(before, 'version')) violate('I4', `Order ${key} has an older version`)
        const timer = database.committed('orders.tasks').get(`order-deadline:${key}`) as Row | undefined
        if (is !== 'completed' && is !== 'cancelled' && text(timer, 'state') !== 'open')
          violate('I4', `Order ${key} is ${is} and no timer watches over it`)
        if (was === is) continue
        if (!edges[was]?.includes(is)) violate('I4', `Order ${key} went from ${was} to ${is}`)
        onEdge(
          `${was || 'new'} → ${is}${is === 'compensating' || is === 'cancelled' ? ` (${text(after, 'failureCode')})` : ''}`,
        )
      }
    },
    settled() {
      for (const order of rowsOf(database, 'orders.orders')) end(order)
      for (const row of rowsOf(database, 'payments.payments')) {
        if (row['doing'] !== null || row['wanted'] !== null) violate('I4', `Payment ${text(row, 'id')} waits for ever`)
      }
    },
  }

  function end(order: Readonly<Record<string, unknown>>): void {
    const [id, status, paymentId] = [text(order, 'id'), text(order, 'status'), text(order, 'paymentId')]
    const paid = database.committed('payments.payments').get(paymentId) as Record<string, unknown> | undefined
    const reservation = database.committed('inventory.reservations').get(id) as Record<string, unknown> | undefined
    const charges = providers.charges.ofPayment(paymentId)
    const taken = charges.filter((row) => row.status === 'captured' || row.status === 'refunded').length
    const accepted = providers.shipments
      .ofShipment(text(order, 'shipmentId'))
      .filter((shipment) => shipment.status === 'accepted').length
    const [payment, goods] = [text(paid, 'status'), text(reservation, 'status')]
    if (status === 'completed') {
      if (!['captured', 'refunded', 'uncollected'].includes(payment))
        violate('I4', `${id} is completed, its payment ${payment}`)
      if (goods !== 'issued') violate('I4', `${id} is completed, its goods are ${goods}`)
      if (text(order, 'shipmentStatus') !== 'dispatched') violate('I4', `${id} is completed and was not dispatched`)
      const due = text(paid, 'method') === 'card' && payment !== 'uncollected' ? 1 : 0
      if (taken !== due) violate('I4', `${id} is completed, ${taken} of ${due} charges were captured`)
      if (accepted !== 1) violate('I4', `${id} is completed, the carrier has ${accepted} shipments of it`)
      const mails = providers.mails.get(id)?.size ?? 0
      if (mails !== 1) violate('I4', `${id} is completed and ${mails} mails say so`)
      return
    }
    if (status !== 'cancelled') return violate('I4', `${id} is ${status} for good`)
    if (['authorized', 'captured', 'pending'].includes(payment))
      violate('I4', `${id} is cancelled, its payment ${payment}`)
    if (goods === 'held' || goods === 'issued') violate('I4', `${id} is cancelled, its goods are ${goods}`)
    const alive = charges.filter((row) => row.status === 'authorized' || row.status === 'captured')
    if (alive.length > 0) violate('I4', `${id} is cancelled and charged`)
    if (accepted > 0) violate('I4', `${id} is cancelled and ${accepted} shipments of it are on their way`)
    if (providers.mails.has(id)) violate('I4', `${id} is cancelled and a mail says that it is completed`)
  }
}
