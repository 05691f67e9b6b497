/**
 * Card payments: what the processor's answers make of them.
 *
 * P1 One task in flight per payment; the next follows from its outcome. What is asked for meanwhile is kept in the row.
 * P2 An authorisation whose outcome is unknown is voided by its key, which the processor remembers: it can never charge late.
 * P3 What was refused at capture is voided too before it is asked for anew, under a new key: at most one charge is ever alive.
 *    When that is refused as well, the payment is uncollected, and people must collect it.
 * P4 The processor's news (webhooks) may come twice, late and out of order: they move a payment only to where it was already
 *    going, and the number each carries keeps older ones from undoing newer ones. The task in flight still ends the step.
 */
import {
  accept,
  onCommand,
  onTask,
  unchanged,
  type Accepted,
  type Context,
  type Decider,
  type Rows,
} from '@cauce/kit/pipeline/decision'
import type { NewMessage } from '@cauce/kit/log/message'
import type { Change } from '@cauce/kit/database/table'
import {
  authorize,
  capture,
  cardTask,
  giveBack,
  voidCharge,
  type AuthorizeCard,
  type CaptureCard,
  type Step,
  type VoidCard,
} from './card-steps.ts'
import { PaymentDeclined, PaymentUncollected, PaymentVoided } from './contract.ts'
import { refundCard, refundWhole, wholeRefundId } from './decide-refund.ts'
import { overCard } from './ledger.ts'
import { authorizedMessage, capturedMessage, changed, saidOf } from './payment-row.ts'
import { payment, refund, type Payment } from './tables.ts'

/** Asked for once and once again (P3). */
const MOST_AUTHORIZATIONS = 2

/** A new payment, sent to the processor. */
export function startCharge(row: Payment): Accepted {
  const begun = authorize(row)
  return accept({ changes: [payment.insert(begun.row)], tasks: begun.tasks, reply: begun.row })
}

/** Takes an authorised charge, now or when the step in flight has ended. */
export function askCapture(row: Payment, at: Context): Accepted {
  if (row.doing === null) return taken(capture(changed(row, {}, at)))
  if (row.doing === 'capture' || row.wanted !== null) return unchanged
  return accept({ changes: [payment.update({ ...row, wanted: 'capture' })] })
}

/** Gives an authorised charge back, or one whose authorisation is on its way. */
export function askVoid(row: Payment, at: Context): Accepted {
  if (row.doing === null) return taken(voidCharge(changed({ ...row, wanted: 'void' }, {}, at)))
  if (row.wanted === 'void') return unchanged
  return accept({ changes: [payment.update({ ...row, wanted: 'void' })] })
}

export interface Authorized {
  readonly kind: 'authorized'
  /** Milliseconds. */
  readonly expiresAt: number
  /** The key it was found under, when it was another one. */
  readonly chargeKey?: string
}
export type Authorization = Authorized | { readonly kind: 'declined'; readonly message: string }

function lockCharge(paymentId: string, rows: Rows) {
  const [next] = rows.get(payment, paymentId)?.refunding ?? []
  return [
    payment.key(paymentId),
    refund.key(wholeRefundId(paymentId)),
    ...(next === undefined ? [] : [refund.key(next)]),
  ]
}

export const authorizeCard = onTask<AuthorizeCard>(cardTask.authorize, {
  lock: ({ data }) => [payment.key(data.paymentId)],
  decide({ taskId, data: { paymentId, authorization }, result }, rows, context) {
    const row = inFlight(rows, paymentId, 'authorize')
    if (!row || row.authorizations !== (authorization ?? row.authorizations)) return unchanged
    if (result.kind === 'cancelled') return wasDeclined(row, NOT_TAKEN, context)
    if (result.kind === 'done') {
      const answer = result.result as Authorization
      if (answer.kind === 'declined') return wasDeclined(row, answer.message, context)
      return wasAuthorized(row, answer.chargeKey ?? taskId, answer.expiresAt, context)
    }
    // Unknown (P2), unless the processor's news told that it is there.
    if (row.chargeKey === taskId && row.authorizedUntil !== null) {
      return wasAuthorized(row, taskId, row.authorizedUntil, context)
    }
    return taken(voidCharge(changed(row, { chargeKey: taskId }, context)))
  },
})

export const captureCard = onTask<CaptureCard>(cardTask.capture, {
  lock: ({ data }, rows) => lockCharge(data.paymentId, rows),
  decide({ data: { paymentId }, result }, rows, context) {
    const row = inFlight(rows, paymentId, 'capture')
    if (!row) return unchanged
    if (result.kind === 'done' || row.status === 'captured') return wasCaptured(rows, row, context)
    if (result.kind !== 'cancelled') throw new Error(`Whether ${paymentId} was captured is unknown: redrive the task`)
    // It may still be alive there: it is given up before it is asked for anew (P3).
    return taken(voidCharge(changed(row, { wanted: row.wanted ?? 'capture' }, context)))
  },
})

export const voidCard = onTask<VoidCard>(cardTask.void, {
  lock: ({ data }, rows) => lockCharge(data.paymentId, rows),
  decide({ data: { paymentId }, result }, rows, context) {
    const row = inFlight(rows, paymentId, 'void')
    if (!row) return unchanged
    if (result.kind === 'cancelled' && result.reason.startsWith(TOO_LATE)) return wasCaptured(rows, row, context)
    if (result.kind !== 'done') throw new Error(`Whether ${paymentId} was given back is unknown: redrive the task`)
    return wasVoided(row, context)
  },
})

/** What a void is cancelled with when the charge has been captured. */
export const TOO_LATE = 'captured'

/** The row, when this step is what it waits for. */
function inFlight(rows: Rows, paymentId: string, step: NonNullable<Payment['doing']>): Payment | undefined {
  const row = rows.get(payment, paymentId)
  if (!row) throw new Error(`There is no payment ${paymentId}`)
  return row.doing === step ? row : undefined
}

const taken = ({ row, tasks }: Step, messages: readonly NewMessage[] = [], changes: readonly Change[] = []): Accepted =>
  accept({ changes: [payment.update(row), ...changes], messages, tasks })

/** What comes next for an authorised charge with nothing in flight. */
function followUp(row: Payment): Step {
  if (row.wanted === 'void') return voidCharge(row)
  return row.wanted === 'capture' ? capture(row) : { row, tasks: [] }
}

function wasAuthorized(before: Payment, chargeKey: string, until: number, at: Context): Accepted {
  const sequence = chargeKey === before.chargeKey ? before.sequence : 0
  const row = changed(before, { status: 'authorized', chargeKey, authorizedUntil: until, sequence, doing: null }, at)
  const isNews = before.status === 'pending' && before.wanted !== 'void'
  return taken(followUp(row), isNews ? [authorizedMessage(row)] : [])
}

function wasDeclined(before: Payment, message: string, at: Context): Accepted {
  if (before.status === 'authorized') return isUncollected(before, message, at)
  const code = 'payment-declined'
  const row = changed(before, { status: 'declined', code, message, doing: null, wanted: null }, at)
  const said = saidOf(row)
  return accept({
    changes: [payment.update(row)],
    messages: [PaymentDeclined({ ...said, code, message }), ...(before.wanted === 'void' ? [PaymentVoided(said)] : [])],
  })
}

function isUncollected(before: Payment, message: string, at: Context): Accepted {
  // Whoever wants it voided has what they want: nothing is charged.
  const status = before.wanted === 'void' ? 'voided' : 'uncollected'
  const row = changed(before, { status, doing: null, wanted: null }, at)
  const said = saidOf(row)
  const messages = status === 'voided' ? [PaymentVoided(said)] : [PaymentUncollected({ ...said, message })]
  return accept({ changes: [payment.update(row)], messages })
}

function wasCaptured(rows: Rows, before: Payment, at: Context): Accepted {
  const wasKnown = before.status === 'captured'
  const row = changed(before, { status: 'captured', doing: null, wanted: null }, at)
  const changes = wasKnown ? [] : [capturePosting(row, at)]
  const messages = wasKnown ? [] : [capturedMessage(row)]
  // What was asked for since the processor told of it goes first; what is left is given back behind it.
  const [next] = row.refunding
  const begun: Step = next === undefined ? { row, tasks: [] } : giveBack(row, refundOf(rows, next))
  if (before.wanted !== 'void' || row.refunded === row.amount) return taken(begun, messages, changes)
  const back = refundWhole(rows, begun.row, 'Cancelled', at)
  return accept({
    changes: [...changes, ...back.changes],
    messages: [...messages, ...back.messages],
    tasks: [...begun.tasks, ...back.tasks],
  })
}

function refundOf(rows: Rows, id: string) {
  const row = rows.get(refund, id)
  if (!row) throw new Error(`There is no refund ${id}`)
  return row
}

function wasVoided(before: Payment, at: Context): Accepted {
  // Whether it was ever authorised nobody knew; now it never will be (P2).
  if (before.status === 'pending' && before.wanted !== 'void') return wasDeclined(before, NO_ANSWER, at)
  if (before.wanted === 'capture') {
    const isFirst = before.authorizations < MOST_AUTHORIZATIONS
    return isFirst ? taken(authorize(changed(before, {}, at))) : isUncollected(before, REFUSED_AGAIN, at)
  }
  const row = changed(before, { status: 'voided', doing: null, wanted: null }, at)
  return accept({ changes: [payment.update(row)], messages: [PaymentVoided(saidOf(row))] })
}

export const REFUSED_AGAIN = 'The card was refused when the amount was taken, and again when it was asked for anew'
/** What the processor says of it is in the task. */
const NOT_TAKEN = 'The card processor does not take this card'
const NO_ANSWER = 'The card processor did not answer in time; nothing was charged'

const capturePosting = ({ id, amount, reference, currency }: Payment, at: Context): Change =>
  overCard({ kind: 'card-capture', amount, subject: id, reference }, currency ?? '', at)

/** The processor's news of a charge. */
export interface CardEvent {
  readonly paymentId: string
  readonly chargeKey: string
  /** Grows with each change of the charge. */
  readonly sequence: number
  readonly status: 'authorized' | 'captured' | 'voided' | 'refunded'
  /** Milliseconds. */
  readonly expiresAt: number
}

export const cardEvent = onCommand<CardEvent>('CardEvent', {
  lock: ({ paymentId }) => [payment.key(paymentId)],
  decide(event, rows, context) {
    const row = rows.get(payment, event.paymentId)
    if (!row || row.method !== 'card') return unchanged
    const isCurrent = row.chargeKey === null ? row.doing === 'authorize' : row.chargeKey === event.chargeKey
    if (!isCurrent || event.sequence <= row.sequence) return unchanged
    const noted = { ...row, sequence: event.sequence }
    if (
      event.status === 'authorized' &&
      row.status === 'pending' &&
      row.doing === 'authorize' &&
      row.wanted !== 'void'
    ) {
      const { chargeKey, expiresAt: authorizedUntil } = event
      const told = changed(noted, { status: 'authorized', chargeKey, authorizedUntil }, context)
      return accept({ changes: [payment.update(told)], messages: [authorizedMessage(told)] })
    }
    if (event.status === 'captured' && row.status === 'authorized' && row.doing === 'capture') {
      const told = changed(noted, { status: 'captured' }, context)
      return accept({
        changes: [payment.update(told), capturePosting(told, context)],
        messages: [capturedMessage(told)],
      })
    }
    return row.chargeKey === null ? unchanged : accept({ changes: [payment.update(noted)] })
  },
})

export const cardTasks: readonly Decider[] = [authorizeCard, captureCard, voidCard, refundCard]
