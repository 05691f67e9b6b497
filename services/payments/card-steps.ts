/**
 * What a card payment asks of its processor, as tasks. At most one is in flight per payment, and it is named in the row's
 * `doing`; what is asked for meanwhile waits in `wanted` and `refunding`, and `followUp` says what comes next.
 */
import { enqueue } from '@cauce/kit/pipeline/decision'
import type { TaskChange } from '@cauce/kit/task/port'
import type { CardStep, Payment, Refund } from './tables.ts'

/** Task types, by step. */
export const cardTask = {
  authorize: 'authorize-card',
  capture: 'capture-card',
  void: 'void-card',
  refund: 'refund-card',
} as const satisfies Record<CardStep, string>

export interface AuthorizeCard {
  readonly paymentId: string
  readonly amount: number
  readonly currency: string
  readonly token: string
  /** Which of the payment's it is: an earlier one that died and is redriven says nothing of the one in flight. */
  readonly authorization?: number
}
/** `chargeKey` names the charge: the key it was authorised under. */
export interface VoidCard {
  readonly paymentId: string
  readonly chargeKey: string
}
export interface CaptureCard extends VoidCard {
  readonly amount: number
}
export interface RefundCard extends CaptureCard {
  readonly refundId: string
}

/** A payment's row with a step in flight, and the task that takes it. */
export interface Step {
  readonly row: Payment
  readonly tasks: readonly TaskChange[]
}

export function authorize(row: Payment): Step {
  const { id: paymentId, amount, currency, token } = row
  if (currency === null || token === null) throw new Error(`${paymentId} is not paid by card`)
  const authorization = row.authorizations + 1
  const data: AuthorizeCard = { paymentId, amount, currency, token, authorization }
  const next = { chargeKey: null, authorizedUntil: null, sequence: 0, authorizations: authorization }
  return step({ ...row, ...next }, 'authorize', data)
}

export function capture(row: Payment): Step {
  const data: CaptureCard = { ...chargeOf(row), amount: row.amount }
  return step({ ...row, wanted: null }, 'capture', data)
}

/** `wanted` stays: it says what the void is for. */
export const voidCharge = (row: Payment): Step => step(row, 'void', chargeOf(row) satisfies VoidCard)

export function giveBack(row: Payment, { id: refundId, amount }: Pick<Refund, 'id' | 'amount'>): Step {
  const data: RefundCard = { ...chargeOf(row), refundId, amount }
  return step(row, 'refund', data)
}

function step(row: Payment, doing: CardStep, data: object): Step {
  return { row: { ...row, doing }, tasks: [enqueue({ type: cardTask[doing], key: row.orderId, data })] }
}

function chargeOf({ id: paymentId, chargeKey }: Payment): VoidCard {
  if (chargeKey === null) throw new Error(`${paymentId} has no charge at the processor`)
  return { paymentId, chargeKey }
}
