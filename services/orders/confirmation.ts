/** The mail a customer gets when their order is on its way: what is in it, decided with the order. */
import type { Money } from '@cauce/kit/core/money'
import { enqueue } from '@cauce/kit/pipeline/decision'
import type { TaskChange } from '@cauce/kit/task/port'
import type { OrderRow, PricedLine } from './tables.ts'

export const SEND_CONFIRMATION = 'send-confirmation'

export interface Confirmation {
  readonly orderId: string
  readonly customer: string
  readonly name: string
  readonly lines: readonly PricedLine[]
  readonly total: Money
  readonly tracking: string | null
}

export function sendConfirmation(row: OrderRow): TaskChange {
  const { id: orderId, customer, lines, shipTo, totalAmount: amount, currency, tracking } = row
  const data: Confirmation = { orderId, customer, name: shipTo.name, lines, total: { amount, currency }, tracking }
  return enqueue({ type: SEND_CONFIRMATION, key: orderId, data })
}
