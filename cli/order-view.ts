/** An order as text. */
import type { FailureCode, Order, OrderStatus } from '@cauce/orders/contract'
import { formatMoney } from './money.ts'
import { pairs, type Colours } from './output.ts'
import type { Shell } from './shell.ts'
import { formatTime } from './time.ts'

// The contract's own lists, written again: loading its schemas takes longer than everything else a command does. The types see
// to it that none is missing and none is made up.
const statuses: Readonly<Record<OrderStatus, true>> = {
  placed: true,
  authorizing: true,
  reserving: true,
  shipping: true,
  settling: true,
  completed: true,
  compensating: true,
  cancelled: true,
}
const failures: Readonly<Record<FailureCode, true>> = {
  'insufficient-funds': true,
  'payment-declined': true,
  'out-of-stock': true,
  undeliverable: true,
  'cancelled-by-customer': true,
  deadline: true,
}
export const orderStatuses = Object.keys(statuses) as OrderStatus[]
export const failureCodes = Object.keys(failures) as FailureCode[]

export const hasEnded = ({ status }: Pick<Order, 'status'>): boolean => status === 'completed' || status === 'cancelled'

export function paintStatus(status: OrderStatus, colour: Colours): string {
  if (status === 'completed') return colour.green(status)
  return status === 'cancelled' || status === 'compensating' ? colour.red(status) : colour.yellow(status)
}

export function showOrder(order: Order, { t, lang, output: { colour } }: Shell): string {
  const { shipment, failure, payment } = order
  const lines = order.lines.map(
    ({ sku, quantity, unitPrice }) => `${quantity} × ${sku} ${formatMoney(unitPrice, lang)}`,
  )
  return pairs(
    [
      [t('field.order'), colour.bold(order.id)],
      [t('field.customer'), order.customer],
      [t('field.status'), paintStatus(order.status, colour)],
      ...(failure
        ? [[t('field.failure'), `${t(`failure.${failure.code}`)} (${failure.code}): ${failure.message}`] as const]
        : []),
      [t('field.lines'), lines.join(', ')],
      [t('field.total'), formatMoney(order.total, lang)],
      [t('field.payment'), `${payment.method}, ${payment.status} (${payment.id})`],
      ...(shipment
        ? [
            [
              t('field.shipment'),
              [shipment.status, shipment.tracking ?? '', `(${shipment.id})`].filter(Boolean).join(' '),
            ] as const,
          ]
        : []),
      [t('field.placed'), formatTime(order.placedAt, lang)],
      [t('field.updated'), formatTime(order.updatedAt, lang)],
    ],
    colour,
  )
}
