/**
 * Payments' decisions. A payment goes in two steps: the amount is secured, then captured or given back.
 *
 *   pending ──▶ authorized ──capture──▶ captured ──all of it given back──▶ refunded
 *      │            ├──────void───────▶ voided ◀──void── (nothing yet: what comes later is refused)
 *      └▶ declined  └──could not be taken, nor secured again──▶ uncollected
 *
 * A wallet answers within the decision. A card's processor is asked by tasks, one in flight per payment (decide-card.ts).
 * Whatever is asked again, or late, is answered from the payment's row; a decision moves money once per payment and kind.
 */
import { prefixed } from '@cauce/kit/core/ids'
import type { Change } from '@cauce/kit/database/table'
import {
  accept,
  on,
  onCommand,
  unchanged,
  type Context,
  type Decider,
  type Decision,
  type Rows,
} from '@cauce/kit/pipeline/decision'
import {
  AuthorizePayment,
  CapturePayment,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentUncollected,
  PaymentVoided,
  VoidPayment,
  type Pay,
} from './contract.ts'
import { deposit, openAccount, transfer } from './decide-accounts.ts'
import { REFUSED_AGAIN, askCapture, askVoid, cardEvent, cardTasks, startCharge } from './decide-card.ts'
import { refundPayment, refundWhole, wholeRefundId } from './decide-refund.ts'
import { move } from './ledger.ts'
import { authorizedMessage, changed, declined, newPayment, saidOf, tombstone, type Asked } from './payment-row.ts'
import { account, payment, refund, type Account, type Payment } from './tables.ts'

export const authorizePayment = on(AuthorizePayment, {
  lock: ({ paymentId, method, customer }) => [payment.key(paymentId), ...walletOf(method, customer)],
  decide({ orderId, paymentId, customer, amount, currency, method, token = null }, rows, context) {
    const seen = rows.get(payment, paymentId)
    if (seen) return answerAgain(seen)
    const said = { orderId, paymentId }
    if (method === 'card' && token === null) {
      return declined(
        said,
        { ...inWallet(customer), amount, currency, reference: orderId },
        'payment-declined',
        'There is no card to charge',
        context,
      )
    }
    const asked: Asked = {
      customer,
      amount,
      currency,
      method,
      token: method === 'card' ? token : null,
      reference: orderId,
    }
    if (method === 'card') return startCharge(newPayment(said, asked, 'pending', context))
    const wallet = spendable(rows, asked)
    if ('refusal' in wallet) return declined(said, asked, 'insufficient-funds', wallet.refusal, context)
    const row = newPayment(said, asked, 'authorized', context)
    const { changes } = move(wallet.account, { kind: 'hold', ...wholeOf(row) }, context)
    return accept({ changes: [payment.insert(row), ...changes], messages: [authorizedMessage(row)] })
  },
})

export interface PayCommand extends Pay {
  readonly customer: string
}

/** Secures and takes the amount in one go. Replies with the payment's row. */
export const pay = onCommand<PayCommand>('Pay', {
  lock: ({ method, customer }) => walletOf(method, customer),
  decide({ customer, amount, currency, method, token = null, reference }, rows, context) {
    const paymentId = prefixed('pay', context.inputId)
    // It is paid for itself: its own id is its key in the log.
    const said = { orderId: paymentId, paymentId }
    const asked: Asked = { customer, amount, currency, method, token, reference }
    if (method === 'card') return startCharge({ ...newPayment(said, asked, 'pending', context), wanted: 'capture' })
    const wallet = spendable(rows, asked)
    if ('refusal' in wallet) return declined(said, asked, 'insufficient-funds', wallet.refusal, context)
    const row = newPayment(said, asked, 'captured', context)
    const held = move(wallet.account, { kind: 'hold', ...wholeOf(row) }, context)
    const taken = move(held.account, { kind: 'capture', ...wholeOf(row) }, context)
    return accept({
      changes: [payment.insert(row), ...held.changes, ...taken.changes],
      messages: [PaymentCaptured(said)],
      reply: row,
    })
  },
})

/** What was answered before, said again. After it was undone the answer to that is the last word. */
function answerAgain(row: Payment): Decision {
  const { status, code, message } = row
  if (status === 'authorized' || status === 'captured' || status === 'uncollected') {
    // One that is being given back is answered by that.
    return row.wanted === 'void' || row.doing === 'void' ? unchanged : accept({ messages: [authorizedMessage(row)] })
  }
  if (code !== null && message !== null)
    return accept({ messages: [PaymentDeclined({ ...saidOf(row), code, message })] })
  return unchanged
}

/** Takes what is secured. There is no business reason for which this can fail: what a card refuses is uncollected. */
export const capturePayment = on(CapturePayment, {
  lock: ({ paymentId }, rows) => lockWithWallet(paymentId, rows),
  decide({ orderId, paymentId }, rows, context) {
    const said = { orderId, paymentId }
    const held = rows.get(payment, paymentId)
    if (held?.status === 'captured' || held?.status === 'refunded') return accept({ messages: [PaymentCaptured(said)] })
    if (held?.status === 'uncollected')
      return accept({ messages: [PaymentUncollected({ ...said, message: REFUSED_AGAIN })] })
    if (held?.status !== 'authorized') {
      throw new Error(`${paymentId} is ${held?.status ?? 'unknown'}: there is nothing to capture`)
    }
    if (held.method === 'card') return askCapture(held, context)
    return accept({ changes: settle(rows, held, 'captured', 'capture', context), messages: [PaymentCaptured(said)] })
  },
})

/** Gives back what is secured, or what was taken. Before the payment is known it leaves a tombstone that refuses it. */
export const voidPayment = on(VoidPayment, {
  lock: ({ paymentId }, rows) => [...lockWithWallet(paymentId, rows), refund.key(wholeRefundId(paymentId))],
  decide({ orderId, paymentId }, rows, context) {
    const said = { orderId, paymentId }
    const paid = rows.get(payment, paymentId)
    if (!paid) {
      return accept({ changes: [payment.insert(tombstone(said, context))], messages: [PaymentVoided(said)] })
    }
    if (paid.status === 'refunded') return accept({ messages: [PaymentRefunded(said)] })
    if (paid.status === 'captured') return refundWhole(rows, paid, 'Cancelled', context)
    if (paid.method === 'card' && (paid.status === 'pending' || paid.status === 'authorized'))
      return askVoid(paid, context)
    const changes = paid.status === 'authorized' ? settle(rows, paid, 'voided', 'release', context) : []
    return accept({ changes, messages: [PaymentVoided(said)] })
  },
})

const inWallet = (customer: string) => ({ customer, method: 'wallet', token: null }) as const

const walletOf = (method: Payment['method'], customer: string | null) =>
  method === 'wallet' && customer !== null ? [account.key(customer)] : []

/** The wallet that can pay this, or why there is none. */
function spendable(rows: Rows, { customer, amount, currency }: Asked): { account: Account } | { refusal: string } {
  const wallet = rows.get(account, customer)
  if (!wallet) return { refusal: `${customer} has no wallet` }
  if (wallet.currency !== currency) {
    return { refusal: `The wallet is in ${wallet.currency}, the payment in ${currency}` }
  }
  if (wallet.balance < amount) return { refusal: `${amount} were needed, ${wallet.balance} can be spent` }
  return { account: wallet }
}

/** A movement of the payment's whole amount. */
const wholeOf = ({ id, amount, reference }: Payment) => ({ subject: id, amount, reference })

function lockWithWallet(paymentId: string, rows: Rows) {
  const { method = null, customer = null } = rows.get(payment, paymentId) ?? {}
  return [payment.key(paymentId), ...walletOf(method, customer)]
}

/** A wallet payment's whole amount moves on, and with it its status. */
function settle(
  rows: Rows,
  paid: Payment,
  status: Payment['status'],
  kind: 'capture' | 'release',
  at: Context,
): Change[] {
  const wallet = rows.get(account, paid.customer ?? '')
  if (!wallet) throw new Error(`${paid.id} was paid by ${paid.customer ?? 'nobody'}, who has no account`)
  return [payment.update(changed(paid, { status }, at)), ...move(wallet, { kind, ...wholeOf(paid) }, at).changes]
}

export const commands: readonly Decider[] = [openAccount, deposit, transfer, pay, refundPayment, cardEvent]
export const messages: readonly Decider[] = [authorizePayment, capturePayment, voidPayment]
export const tasks: readonly Decider[] = cardTasks
