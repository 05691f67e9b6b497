/**
 * Project 2's two decisions, and the job between them. Each is one transaction; between the two the order is `authorizing`, and the
 * job is what remembers that it has to be paid.
 *
 *   PlaceOrder ──▶ the order, and in the same transaction the job        → 202
 *   the job, done outside ──▶ the payment, and the end of the order
 */
import { accept, enqueue, onCommand, onTask, unchanged, type Decider } from '@cauce/kit/pipeline/decision'
import { createOrder, type CreateOrder } from '@cauce/orders/decide'
import { binding } from '@cauce/orders/saga'
import { AuthorizePayment } from '@cauce/payments/contract'
import type { Ask, Charge } from '../common/charge.ts'
import { PLACE_ORDER } from '../common/http.ts'
import { payingLocks, together } from '../common/together.ts'

export const PAY_ORDER = 'pay-order'

export const placeOrder = onCommand<CreateOrder>(PLACE_ORDER, {
  lock: (command, rows) => createOrder.lock(command as never, rows),
  decide(command, rows, context) {
    const created = createOrder.decide(command as never, rows, context)
    if (created.kind === 'rejected') return created
    // What the platform says to payments is the job here, word for word.
    const jobs = created.messages
      .filter(({ type }) => type === AuthorizePayment.type)
      .map(({ key, data }) => enqueue({ type: PAY_ORDER, key, data }))
    return accept({ changes: created.changes, tasks: jobs, reply: created.reply })
  },
})

export const payOrder: Decider = onTask<Ask>(PAY_ORDER, {
  lock: ({ data }, rows) => payingLocks(data as never, rows),
  decide({ data, result }, rows, context) {
    const order = rows.get(binding.table, data.orderId)
    // Done before: a job may come twice, its effect may not.
    if (order?.status !== 'authorizing') return unchanged
    // Out of attempts: whether it was charged nobody knows. It stays among the dead letters until somebody looks.
    if (result.kind === 'exhausted') return unchanged
    // It was secured and can no longer be taken: nobody has said here what to do then, so a person has to look.
    if (result.kind !== 'done')
      throw new Error(result.kind === 'cancelled' ? result.reason : `A job that is ${result.kind}`)
    const charge = data.method === 'card' ? (result.result as Charge) : undefined
    return together([AuthorizePayment(data)], [], charge, rows, context)
  },
})
