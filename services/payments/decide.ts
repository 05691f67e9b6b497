/**
 * Payments' decisions. A wallet payment goes in two steps: the amount is held, then captured or released.
 *
 *   authorized ──capture──▶ captured ──void──▶ refunded
 *        └───────void─────▶ voided ◀──void── (nothing yet: what comes later is refused)
 *   declined: the wallet could not pay; nothing was moved
 *
 * Whatever is asked again, or late, is answered from the payment's row; a decision moves money once per payment and kind.
 */
import { prefixed } from '@cauce/kit/core/ids'
import type { Change } from '@cauce/kit/database/table'
import {
  accept,
  on,
  onCommand,
  reject,
  unchanged,
  type Context,
  type Decider,
  type Decision,
  type Rows,
} from '@cauce/kit/pipeline/decision'
import type { Deposit, PostedDeposit } from './contract.ts'
import {
  AuthorizePayment,
  CapturePayment,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
  VoidPayment,
} from './contract.ts'
import { move, type Movement } from './ledger.ts'
import { account, payment, type Account, type Payment } from './tables.ts'

export interface OpenAccountCommand {
  /** The account's id, and whose it is. */
  readonly id: string
  readonly currency: string
}

export const openAccount = onCommand<OpenAccountCommand>('OpenAccount', {
  lock: ({ id }) => [account.key(id)],
  decide({ id, currency }, rows, { now, requestId }) {
    const before = rows.get(account, id)
    if (before) return reject('account-exists', `${id} has an account in ${before.currency}`)
    const empty = { balance: 0, held: 0, version: 1 }
    const row: Account = { id, owner: id, currency, ...empty, requestId, createdAt: now, updatedAt: now }
    return accept({ changes: [account.insert(row)], reply: row })
  },
})

export interface DepositCommand extends Deposit {
  readonly account: string
}

export const deposit = onCommand<DepositCommand>('Deposit', {
  lock: ({ account: id }) => [account.key(id)],
  decide({ account: id, amount, currency, reference }, rows, context) {
    const into = rows.get(account, id)
    if (!into) return reject('not-found', `There is no account ${id}`)
    if (into.currency !== currency) {
      return reject('currency-mismatch', `The account is in ${into.currency}, the deposit in ${currency}`)
    }
    // With what is held, so that a release always fits.
    if (!Number.isSafeInteger(into.balance + into.held + amount)) {
      return reject('balance-too-large', `With ${amount} more the account would exceed what can be counted exactly`)
    }
    const depositId = prefixed('dep', context.inputId)
    const reply: PostedDeposit = { id: depositId, account: id, amount, currency, reference, status: 'posted' }
    return accept({ changes: move(into, { kind: 'deposit', amount, subject: depositId, reference }, context), reply })
  },
})

export const authorizePayment = on(AuthorizePayment, {
  lock: ({ paymentId, method, customer }) => {
    return [payment.key(paymentId), ...(method === 'wallet' ? [account.key(customer)] : [])]
  },
  decide({ orderId, paymentId, customer, amount, currency, method }, rows, context) {
    const seen = rows.get(payment, paymentId)
    if (seen) return answerAgain(seen)
    const said = { orderId, paymentId }
    const asked = { customer, amount, currency, method }
    if (method !== 'wallet') return decline(said, asked, 'payment-declined', 'Cards are not taken yet', context)
    const wallet = rows.get(account, customer)
    if (!wallet) return decline(said, asked, 'insufficient-funds', `${customer} has no wallet`, context)
    const refuse = (message: string) => decline(said, asked, 'insufficient-funds', message, context)
    if (wallet.currency !== currency) return refuse(`The wallet is in ${wallet.currency}, the payment in ${currency}`)
    if (wallet.balance < amount) return refuse(`${amount} were needed, ${wallet.balance} can be spent`)
    const row = paymentRow(said, asked, 'authorized', context)
    return accept({
      changes: [payment.insert(row), ...move(wallet, { kind: 'hold', ...subjectOf(row) }, context)],
      messages: [PaymentAuthorized(said)],
    })
  },
})

/** What was answered before, said again. After it was undone the answer to that is the last word. */
function answerAgain({ id, orderId, status, code, message }: Payment): Decision {
  const said = { orderId, paymentId: id }
  if (status === 'authorized' || status === 'captured') return accept({ messages: [PaymentAuthorized(said)] })
  if (code !== null && message !== null) return accept({ messages: [PaymentDeclined({ ...said, code, message })] })
  return unchanged
}

/** Takes what is held. There is no business reason for which this can fail. */
export const capturePayment = on(CapturePayment, {
  lock: ({ paymentId }, rows) => lockWithWallet(paymentId, rows),
  decide({ orderId, paymentId }, rows, context) {
    const held = rows.get(payment, paymentId)
    const messages = [PaymentCaptured({ orderId, paymentId })]
    if (held?.status === 'captured' || held?.status === 'refunded') return accept({ messages })
    if (held?.status !== 'authorized') {
      throw new Error(`${paymentId} is ${held?.status ?? 'unknown'}: there is nothing to capture`)
    }
    return accept({ changes: settle(rows, held, 'captured', 'capture', context), messages })
  },
})

/** Gives back what is held, or what was taken. Before the payment is known it leaves a tombstone that refuses it. */
export const voidPayment = on(VoidPayment, {
  lock: ({ paymentId }, rows) => lockWithWallet(paymentId, rows),
  decide({ orderId, paymentId }, rows, context) {
    const said = { orderId, paymentId }
    const paid = rows.get(payment, paymentId)
    if (paid?.status === 'captured') {
      return accept({ changes: settle(rows, paid, 'refunded', 'refund', context), messages: [PaymentRefunded(said)] })
    }
    if (paid?.status === 'refunded') return accept({ messages: [PaymentRefunded(said)] })
    return accept({ changes: voided(rows, said, paid, context), messages: [PaymentVoided(said)] })
  },
})

function voided(rows: Rows, said: Said, paid: Payment | undefined, context: Context): Change[] {
  if (!paid) {
    const nothing = { customer: null, amount: 0, currency: null, method: null }
    return [payment.insert(paymentRow(said, nothing, 'voided', context))]
  }
  return paid.status === 'authorized' ? settle(rows, paid, 'voided', 'release', context) : []
}

interface Said {
  readonly orderId: string
  readonly paymentId: string
}
type Asked = Pick<Payment, 'customer' | 'amount' | 'currency' | 'method'>

function paymentRow({ orderId, paymentId }: Said, asked: Asked, status: Payment['status'], context: Context): Payment {
  const { now, requestId } = context
  const fresh = { refunded: 0, code: null, message: null, version: 1, createdAt: now, updatedAt: now }
  return { id: paymentId, orderId, reference: orderId, ...asked, status, requestId, ...fresh }
}

function decline(
  said: Said,
  asked: Asked,
  code: NonNullable<Payment['code']>,
  message: string,
  context: Context,
): Decision {
  return accept({
    changes: [payment.insert({ ...paymentRow(said, asked, 'declined', context), code, message })],
    messages: [PaymentDeclined({ ...said, code, message })],
  })
}

/** What a movement of the payment is about, and how much of it can still move. */
const subjectOf = ({ id, amount, refunded, reference }: Payment) => ({
  subject: id,
  amount: amount - refunded,
  reference,
})

function lockWithWallet(paymentId: string, rows: Rows) {
  const { method, customer } = rows.get(payment, paymentId) ?? {}
  return [payment.key(paymentId), ...(method === 'wallet' && customer ? [account.key(customer)] : [])]
}

/** The payment's whole amount moves on, and with it its status. */
function settle(
  rows: Rows,
  paid: Payment,
  status: Payment['status'],
  kind: Movement['kind'],
  context: Context,
): Change[] {
  const wallet = rows.get(account, paid.customer ?? '')
  if (!wallet) throw new Error(`${paid.id} was paid by ${paid.customer ?? 'nobody'}, who has no account`)
  const refunded = status === 'refunded' ? paid.amount : paid.refunded
  const row: Payment = { ...paid, status, refunded, version: paid.version + 1, updatedAt: context.now }
  return [payment.update(row), ...move(wallet, { kind, ...subjectOf(paid) }, context)]
}

export const commands: readonly Decider[] = [openAccount, deposit]
export const messages: readonly Decider[] = [authorizePayment, capturePayment, voidPayment]
