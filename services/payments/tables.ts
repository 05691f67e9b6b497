/**
 * Payments' truth: a double-entry ledger, and the payments it was kept for. Lock order: payments before accounts.
 *
 * An account's row stands for two accounts of the ledger, what can be spent and what is held for payments under way; its
 * figures are the sums of their postings. House accounts have no row: nobody ever waits for them (see ledger.ts).
 */
import { instant, integer, nullable, oneOf, table, text, type RowOf } from '@cauce/kit/database/table'
import { paymentStatuses } from './contract.ts'

const methods = ['wallet', 'card'] as const
const codes = ['insufficient-funds', 'payment-declined'] as const
const kinds = ['deposit', 'hold', 'capture', 'release', 'refund'] as const

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
    refunded: integer,
    // Why it was declined.
    code: nullable(oneOf(...codes)),
    message: nullable(text),
    requestId: text,
    version: integer,
    createdAt: instant,
    updatedAt: instant,
  },
  fixed: ['orderId', 'customer', 'amount', 'currency', 'method', 'reference', 'requestId', 'createdAt'],
  checks: {
    known: ({ status, method, code }) =>
      paymentStatuses.includes(status) &&
      (method === null || methods.includes(method)) &&
      (code === null || codes.includes(code)),
    asked: ({ status, customer, amount, currency, method }) =>
      customer !== null && currency !== null && method !== null ? amount > 0 : status === 'voided' && amount === 0,
    declined: (row) => (row.status === 'declined') === (row.code !== null && row.message !== null),
    // I2: never more back than was paid.
    refundable: (row) => 0 <= row.refunded && row.refunded <= row.amount,
  },
})
export type Payment = RowOf<typeof payment>

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
    /** `<subject>.<kind>`: the key itself keeps anything from being held, captured, released or deposited twice. */
    id: text,
    /** The payment or deposit it is part of. */
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
export const tables = [payment, account, posting] as const
