/**
 * Payments' truth: a double-entry ledger, and the payments it was kept for. Lock order: payments, refunds, accounts.
 *
 * An account's row stands for two accounts of the ledger, what can be spent and what is held for payments under way; its
 * figures are the sums of their postings. House accounts have no row: nobody ever waits for them (see ledger.ts).
 */
import { instant, integer, json, nullable, oneOf, table, text, type RowOf } from '@cauce/kit/database/table'
import { paymentMethods as methods, paymentStatuses, refundStatuses } from './contract.ts'

const codes = ['insufficient-funds', 'payment-declined'] as const
const kinds = ['deposit', 'transfer', 'hold', 'capture', 'release', 'refund', 'card-capture', 'card-refund'] as const
/** What the card processor can be asked for. */
export const cardSteps = ['authorize', 'capture', 'void', 'refund'] as const
export type CardStep = (typeof cardSteps)[number]

export const payment = table('payments', {
  key: 'id',
  columns: {
    id: text,
    /** What is paid for; the payment's key in the log. */
    orderId: text,
    // What was asked for. A void that came first knows none of it, and leaves a row that refuses what comes after.
    customer: nullable(text),
    amount: integer,
    currency: nullable(text),
    method: nullable(oneOf(...methods)),
    reference: text,
    status: oneOf(...paymentStatuses),
    /** Given back, refunds under way included: what is left is what may still be asked for. */
    refunded: integer,
    // Why it was declined.
    code: nullable(oneOf(...codes)),
    message: nullable(text),
    // A card payment's business with the processor: see decide-card.ts.
    token: nullable(text),
    /** The task in flight; at most one. */
    doing: nullable(oneOf(...cardSteps)),
    /** What was asked for meanwhile. */
    wanted: nullable(oneOf('capture', 'void')),
    /** The processor's key of the current authorisation. */
    chargeKey: nullable(text),
    authorizedUntil: nullable(instant),
    /** How often an authorisation was asked for under a key of its own. */
    authorizations: integer,
    /** The processor's last news of the current authorisation. */
    sequence: integer,
    /** Refunds under way at the processor, in order; the first is the one in flight. */
    refunding: json<readonly string[]>(),
    requestId: text,
    version: integer,
    createdAt: instant,
    updatedAt: instant,
  },
  fixed: ['orderId', 'customer', 'amount', 'currency', 'method', 'reference', 'token', 'requestId', 'createdAt'],
  checks: {
    known: ({ status, method, code, doing, wanted }) =>
      paymentStatuses.includes(status) &&
      (method === null || methods.includes(method)) &&
      (code === null || codes.includes(code)) &&
      (doing === null || cardSteps.includes(doing)) &&
      (wanted === null || wanted === 'capture' || wanted === 'void'),
    asked: ({ status, customer, amount, currency, method }) =>
      customer !== null && currency !== null && method !== null ? amount > 0 : status === 'voided' && amount === 0,
    declined: (row) => (row.status === 'declined') === (row.code !== null && row.message !== null),
    // Only a card has business with a processor, and what has not been decided yet has some under way.
    card: (row) =>
      row.method === 'card'
        ? row.token !== null && (row.status !== 'pending' || row.doing !== null)
        : row.token === null && row.doing === null && row.status !== 'pending' && row.status !== 'uncollected',
    // I2: never more back than was paid.
    refundable: (row) => 0 <= row.refunded && row.refunded <= row.amount,
  },
})
export type Payment = RowOf<typeof payment>

export const refund = table('refunds', {
  key: 'id',
  columns: {
    id: text,
    paymentId: text,
    amount: integer,
    currency: text,
    reason: text,
    status: oneOf(...refundStatuses),
    requestId: text,
    version: integer,
    createdAt: instant,
    updatedAt: instant,
  },
  fixed: ['paymentId', 'amount', 'currency', 'reason', 'requestId', 'createdAt'],
  checks: { known: (row) => refundStatuses.includes(row.status), positive: (row) => row.amount > 0 },
})
export type Refund = RowOf<typeof refund>

export const account = table('accounts', {
  key: 'id',
  columns: {
    id: text,
    owner: text,
    currency: text,
    /** Can be spent; holds excluded. */
    balance: integer,
    held: integer,
    requestId: text,
    version: integer,
    createdAt: instant,
    updatedAt: instant,
  },
  fixed: ['owner', 'currency', 'requestId', 'createdAt'],
  checks: { funded: (row) => row.balance >= 0 && row.held >= 0 },
})
export type Account = RowOf<typeof account>

/** One row is one double entry: `amount` leaves the account `debit` and enters `credit`, so money is conserved by its shape. */
export const posting = table('postings', {
  key: 'id',
  columns: {
    /** `<what moves>.<kind>`: the key itself keeps anything from being held, captured, refunded or deposited twice. */
    id: text,
    /** The payment, transfer or deposit it is part of. */
    subject: text,
    kind: oneOf(...kinds),
    debit: text,
    credit: text,
    amount: integer,
    currency: text,
    /** What whoever asked calls it. */
    reference: text,
    requestId: text,
    at: instant,
  },
  appendOnly: true,
  checks: {
    known: (row) => kinds.includes(row.kind),
    moves: (row) => row.amount > 0 && row.debit !== row.credit,
  },
})
export type Posting = RowOf<typeof posting>

/** In lock order. */
export const tables = [payment, refund, account, posting] as const
