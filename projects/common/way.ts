/**
 * The way of an order where there is nothing but orders and payments: authorizing → settling → completed, or cancelled when the
 * payment is declined. It is the platform's saga with the steps of the services that do not exist yet left out. Only one of two steps
 * can fail, and it is the first: so there is never anything to undo.
 */
import { all, fail, go, type SagaDefinition, type Step } from '@cauce/kit/saga/machine'
import { sagaMessages, type SagaBinding } from '@cauce/kit/saga/runner'
import type { Decider } from '@cauce/kit/pipeline/decision'
import { binding, fulfilment } from '@cauce/orders/saga'
import { CapturePayment } from '@cauce/payments/contract'

/** An order's row, as orders keeps it. */
export type OrderRow = typeof binding extends SagaBinding<infer Row> ? Row : never

const stepOf = (name: string): Step<OrderRow> => {
  const step = fulfilment.steps[name]
  if (!step) throw new Error(`The way of an order has no step ${name} any more`)
  return step
}
const authorizing = stepOf('authorizing')
const settling = stepOf('settling')

const way: SagaDefinition<OrderRow> = {
  ...fulfilment,
  steps: {
    authorizing: {
      ...authorizing,
      on: { PaymentAuthorized: go('settling'), PaymentDeclined: fail('payment-declined') },
    },
    settling: {
      ...settling,
      ask: (order) => settling.ask(order).filter(({ type }) => type === CapturePayment.type),
      on: { PaymentCaptured: all('completed') },
    },
  },
}

/** What orders makes of payments' answers. */
export const orderListens: readonly Decider[] = sagaMessages({ ...binding, definitions: [way] })
