/** A payment's row: how it begins, and what may be said of it. */
import type { NewMessage } from '@cauce/kit/log/message'
import { accept, type Context, type Decision } from '@cauce/kit/pipeline/decision'
import { PaymentAuthorized, PaymentCaptured, PaymentDeclined, type paymentMethods } from './contract.ts'
import { payment, type Payment } from './tables.ts'

/** Names a payment in what is said about it. */
export interface Said {
  /** What is paid for. */
  readonly orderId: string
  readonly paymentId: string
}

export const saidOf = ({ orderId, id }: Pick<Payment, 'orderId' | 'id'>): Said => ({ orderId, paymentId: id })

/** What a payment is asked to be. */
export interface Asked {
  readonly customer: string
  readonly amount: number
  readonly currency: string
  readonly method: (typeof paymentMethods)[number]
  /** The card; null for a wallet. */
  readonly token: string | null
  readonly reference: string
}

/** No business with a processor. */
export const idle = {
  doing: null,
  wanted: null,
  chargeKey: null,
  authorizedUntil: null,
  authorizations: 0,
  sequence: 0,
  refunding: [],
}

export function newPayment(
  { orderId, paymentId }: Said,
  asked: Asked,
  status: Payment['status'],
  at: Context,
): Payment {
  const { now, requestId } = at
  const fresh = { ...idle, refunded: 0, code: null, message: null, version: 1, createdAt: now, updatedAt: now }
  return { id: paymentId, orderId, ...asked, status, requestId, ...fresh }
}

/** Refuses whatever is asked for under this payment's id later. */
export function tombstone(said: Said, at: Context): Payment {
  const nobody = {
    customer: '',
    amount: 0,
    currency: '',
    method: 'wallet',
    token: null,
    reference: said.orderId,
  } as const
  return { ...newPayment(said, nobody, 'voided', at), customer: null, currency: null, method: null }
}

/** The row with its next version. */
export const changed = (row: Payment, to: Partial<Payment>, { now }: Pick<Context, 'now'>): Payment => ({
  ...row,
  ...to,
  version: row.version + 1,
  updatedAt: now,
})

/** A new payment that is refused. */
export function declined(
  said: Said,
  asked: Asked,
  code: NonNullable<Payment['code']>,
  message: string,
  at: Context,
): Decision {
  const row = { ...newPayment(said, asked, 'declined', at), code, message }
  return accept({ changes: [payment.insert(row)], messages: [PaymentDeclined({ ...said, code, message })], reply: row })
}

export const authorizedMessage = (row: Payment): NewMessage =>
  PaymentAuthorized({ ...saidOf(row), ...(row.authorizedUntil === null ? {} : { until: row.authorizedUntil }) })

export const capturedMessage = (row: Payment): NewMessage => PaymentCaptured(saidOf(row))
