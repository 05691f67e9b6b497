/**
 * Refunds: a wallet's at once, a card's by its processor, one after the other. What is left to refund is counted when a refund
 * is asked for, so however many are asked for at the same time, their sum is never more than was paid (I2).
 */
import { allows, notAllowed, type IfVersions } from '@cauce/kit/core/precondition'
import { prefixed, sibling } from '@cauce/kit/core/ids'
import type { Change } from '@cauce/kit/database/table'
import {
  accept,
  onCommand,
  onTask,
  reject,
  unchanged,
  type Accepted,
  type Context,
  type Rows,
} from '@cauce/kit/pipeline/decision'
import { cardTask, giveBack, type RefundCard } from './card-steps.ts'
import { PaymentRefunded, RefundFailed, type AskRefund } from './contract.ts'
import { move, overCard } from './ledger.ts'
import { changed, saidOf } from './payment-row.ts'
import { account, payment, refund, type Payment, type Refund } from './tables.ts'

export interface RefundCommand extends AskRefund {
  readonly paymentId: string
  readonly ifVersions?: IfVersions
}

/** Replies with the refund's row. */
export const refundPayment = onCommand<RefundCommand>('RefundPayment', {
  lock: ({ paymentId }, rows) => {
    const { method, customer = null } = rows.get(payment, paymentId) ?? {}
    return [payment.key(paymentId), ...(method === 'wallet' && customer !== null ? [account.key(customer)] : [])]
  },
  decide({ paymentId, amount, currency, reason, ifVersions }, rows, context) {
    const paid = rows.get(payment, paymentId)
    if (!paid || paid.customer === null) return reject('not-found', `There is no payment ${paymentId}`)
    if (!allows(ifVersions, paid.version)) return reject('precondition-failed', notAllowed('payment', paid.version))
    if (paid.status !== 'captured' && paid.status !== 'refunded') {
      return reject('not-refundable', `The payment is ${paid.status}: only what was captured can be given back`)
    }
    if (paid.currency !== currency) {
      return reject('currency-mismatch', `The payment is in ${paid.currency}, the refund in ${currency}`)
    }
    const left = paid.amount - paid.refunded
    if (amount > left) return reject('refund-too-large', `${amount} were asked for, ${left} are left to give back`)
    const id = prefixed('ref', context.inputId)
    const asked = newRefund({ id, paymentId, amount, currency, reason }, context)
    const begun = beginRefund(rows, paid, asked, context)
    return 'rejected' in begun ? begun.rejected : begun.accepted
  },
})

/** The refund that undoes a whole payment has an id of its own: it is asked for once, however often it is asked for. */
export const wholeRefundId = (paymentId: string): string => sibling('ref', paymentId)

/** All that is left of a captured payment goes back. PaymentRefunded says when it has. Its lock names `wholeRefundId`. */
export function refundWhole(rows: Rows, paid: Payment, reason: string, at: Context): Accepted {
  const amount = paid.amount - paid.refunded
  if (amount === 0) return unchanged
  const id = wholeRefundId(paid.id)
  const before = rows.get(refund, id)
  if (before && before.amount !== amount) {
    throw new Error(`${id} gave back ${before.amount}, now ${amount} are left of ${paid.id}: refund the rest by hand`)
  }
  const fresh = newRefund({ id, paymentId: paid.id, amount, currency: paid.currency ?? '', reason }, at)
  const asked = before
    ? { ...before, status: 'pending' as const, version: before.version + 1, updatedAt: at.now }
    : fresh
  const begun = beginRefund(rows, paid, asked, at)
  if ('rejected' in begun) throw new Error(`${paid.id} cannot be given back: ${begun.rejected.detail}`)
  return begun.accepted
}

type Begun = { readonly accepted: Accepted } | { readonly rejected: ReturnType<typeof reject> }

function beginRefund(rows: Rows, paid: Payment, asked: Refund, at: Context): Begun {
  const save = (row: Refund): Change => (row.version === 1 ? refund.insert(row) : refund.update(row))
  const counted = changed(paid, { refunded: paid.refunded + asked.amount }, at)
  if (paid.method === 'card') {
    const queued = { ...counted, refunding: [...counted.refunding, asked.id] }
    const { row, tasks = [] } = queued.doing === null ? giveBack(queued, asked) : { row: queued }
    return { accepted: accept({ changes: [payment.update(row), save(asked)], tasks, reply: asked }) }
  }
  const wallet = rows.get(account, paid.customer ?? '')
  if (!wallet) throw new Error(`${paid.id} was paid by ${paid.customer ?? 'nobody'}, who has no account`)
  if (!Number.isSafeInteger(wallet.balance + wallet.held + asked.amount)) {
    const detail = `With ${asked.amount} more ${wallet.id} would exceed what can be counted exactly`
    return { rejected: reject('balance-too-large', detail) }
  }
  const done: Refund = { ...asked, status: 'refunded' }
  const { changes } = move(wallet, { kind: 'refund', ...movementOf(paid, done) }, at)
  const ended = finished(counted)
  return {
    accepted: accept({
      changes: [payment.update(ended.row), save(done), ...changes],
      messages: ended.messages,
      reply: done,
    }),
  }
}

/** The processor's answer to a refund. */
export const refundCard = onTask<RefundCard>(cardTask.refund, {
  lock: ({ data: { paymentId, refundId } }, rows) => {
    const next = rows.get(payment, paymentId)?.refunding[1]
    return [payment.key(paymentId), refund.key(refundId), ...(next === undefined ? [] : [refund.key(next)])]
  },
  decide({ data: { paymentId, refundId, amount }, result }, rows, context) {
    const paid = rows.get(payment, paymentId)
    const asked = rows.get(refund, refundId)
    if (!paid || !asked) throw new Error(`There is no refund ${refundId} of ${paymentId}`)
    if (paid.doing !== 'refund' || paid.refunding[0] !== refundId) return unchanged
    const isDone = result.kind === 'done'
    if (!isDone && result.kind !== 'cancelled') throw new Error(`Whether ${refundId} was given back is unknown`)
    const idle = { doing: null, refunding: paid.refunding.slice(1) }
    const counted = changed(paid, isDone ? idle : { ...idle, refunded: paid.refunded - amount }, context)
    const answered: Refund = {
      ...asked,
      status: isDone ? 'refunded' : 'failed',
      version: asked.version + 1,
      updatedAt: context.now,
    }
    const ended = finished(counted)
    const [nextId] = counted.refunding
    const next = nextId === undefined ? undefined : rows.get(refund, nextId)
    const { row, tasks = [] } = next ? giveBack(ended.row, next) : { row: ended.row }
    const posted = overCard({ kind: 'card-refund', ...movementOf(paid, answered) }, asked.currency, context)
    const failed = isDone ? [] : [RefundFailed({ ...saidOf(paid), refundId, message: result.reason })]
    return accept({
      changes: [payment.update(row), refund.update(answered), ...(isDone ? [posted] : [])],
      messages: [...failed, ...ended.messages],
      tasks,
    })
  },
})

/** Once all of it has gone back, the payment is refunded. */
function finished(row: Payment) {
  const isOver = row.refunded === row.amount && row.refunding.length === 0 && row.status === 'captured'
  return isOver
    ? { row: { ...row, status: 'refunded' as const }, messages: [PaymentRefunded(saidOf(row))] }
    : { row, messages: [] }
}

const movementOf = ({ id, reference }: Payment, { id: part, amount }: Refund) => ({
  subject: id,
  part,
  amount,
  reference,
})

function newRefund(asked: Pick<Refund, 'id' | 'paymentId' | 'amount' | 'currency' | 'reason'>, at: Context): Refund {
  const { now, requestId } = at
  return { ...asked, status: 'pending', requestId, version: 1, createdAt: now, updatedAt: now }
}
