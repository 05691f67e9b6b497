/**
 * Placing an order, all of it: it is created, paid and completed (or cancelled) in one decision over the tables of orders and of
 * payments.
 *
 * A card is charged in the middle of it, while the transaction is open. There is no good place for that here. Before BEGIN nothing would
 * know of the charge if the process died; after COMMIT nobody would be left to make it. In between, everything that the transaction has
 * locked stays locked until the processor answers, and who dies then has charged for an order that never was.
 */
import type { Context, Decision, Rows } from '@cauce/kit/pipeline/decision'
import { createOrder, type CreateOrder } from '@cauce/orders/decide'
import { AuthorizePayment } from '@cauce/payments/contract'
import { pay } from '@cauce/payments/decide'
import type { Ask, Charge } from '../common/charge.ts'
import { PLACE_ORDER } from '../common/http.ts'
import { together } from '../common/together.ts'
import type { Action } from './transaction.ts'

/** Asks the card processor, and does not come back before it has answered. */
export type ChargeNow = (ask: Ask, context: Context) => Promise<Charge>

export function placeOrder(chargeNow: ChargeNow): Action {
  return {
    type: PLACE_ORDER,
    // The prices, and the wallet.
    lock: (command: CreateOrder, rows: Rows) => {
      const { payment, customer } = command
      return [
        ...createOrder.lock(command as never, rows),
        ...pay.lock({ method: payment.method, customer } as never, rows),
      ]
    },
    async decide(command: CreateOrder, rows, context): Promise<Decision> {
      const created = createOrder.decide(command as never, rows, context)
      if (created.kind === 'rejected') return created
      const ask = created.messages.find(({ type }) => type === AuthorizePayment.type)?.data as Ask
      const charge = ask.method === 'card' ? await chargeNow(ask, context) : undefined
      return together(created.messages, created.changes, charge, rows, context)
    },
  }
}
