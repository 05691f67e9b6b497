/**
 * The card processor's book: what it answered under each key, for ever. The key names the charge.
 *
 *   (unseen) ─authorise─▶ authorized ─capture─▶ captured ─refund, in full─▶ refunded
 *   (unseen) ─authorise─▶ declined              authorized ─void─▶ voided           tok_flaky: busy, busy, then authorized
 *   (unseen, busy) ─void─▶ voided               authorized ─capture, too late─▶ voided (expired)
 *
 * C1. A key is bound to the first body it came with; with another body it is refused and nothing is counted.
 * C2. An authorisation answers the same for ever under its key, whatever became of the charge, until it is voided.
 * C3. A voided key never charges: the first call of a caller that gave up may still be on its way.
 * C4. At most the amount is captured, once, and at most that is refunded; each refund once under its own key.
 * C5. Two charges of one payment that are held or captured at the same time, or were ever captured, are a double. The
 *     processor lets it happen, as a real one does, and counts.
 * C6. A change and the word owed about it are one row: stored together or not at all.
 *
 * Pure but for the book's own memory: a decision returns the row to store and changes nothing.
 */
import { KeyedRows } from '../storage/keyed-rows.ts'
import type { Book, Decision } from '../storage/store.ts'
import { changed, newRow, settled, type Charge, type ChargeRow, type Moment } from './rows.ts'
import { answerOf } from './tokens.ts'

export interface Authorisation extends Charge {
  readonly key: string
}

/** `again`: the key was there before and this is its stored answer. */
export interface AuthorisationAnswer {
  readonly outcome: 'authorized' | 'declined' | 'voided' | 'busy' | 'key-reused'
  readonly again: boolean
  readonly row: ChargeRow
}

export interface CaptureAnswer {
  readonly outcome: 'captured' | 'expired' | 'voided' | 'declined' | 'amount-differs'
  readonly row: ChargeRow
}

export interface VoidAnswer {
  readonly outcome: 'voided' | 'declined' | 'captured'
  readonly row: ChargeRow
}

export interface RefundAnswer {
  readonly outcome: 'refunded' | 'exceeds-captured' | 'key-reused'
  readonly again: boolean
}

export interface Told {
  readonly pending: number
  readonly delivered: number
  readonly failed: number
}

export class Charges implements Book<ChargeRow> {
  readonly name = 'charges'
  readonly #rows = new KeyedRows<ChargeRow>({
    about: ({ charge }) => charge?.paymentId ?? null,
    isListed: ({ sequence }) => sequence > 0,
  })
  readonly #owing = new Set<string>()
  #told: Told = { pending: 0, delivered: 0, failed: 0 }

  get size(): number {
    return this.#rows.size
  }

  put(row: ChargeRow): void {
    const before = this.#rows.get(row.key)
    this.#rows.put(row)
    this.#told = {
      pending: this.#told.pending + row.owed.length - (before?.owed.length ?? 0),
      delivered: this.#told.delivered + row.delivered - (before?.delivered ?? 0),
      failed: this.#told.failed + row.failed - (before?.failed ?? 0),
    }
    if (row.owed.length > 0) this.#owing.add(row.key)
    else this.#owing.delete(row.key)
  }

  rows(): Iterable<ChargeRow> {
    return this.#rows.rows()
  }

  get(key: string): ChargeRow | undefined {
    return this.#rows.get(key)
  }

  /** Charges, oldest first: what was declined or never authorised is none. */
  page(offset: number, limit: number): ChargeRow[] {
    return this.#rows.page(offset, limit)
  }

  /** The charges of one payment, in the order their keys were first seen. */
  ofPayment(paymentId: string): ChargeRow[] {
    return this.#rows.about(paymentId)
  }

  /** Keys of charges with changes that are not told yet. */
  owing(): readonly string[] {
    return [...this.#owing]
  }

  get told(): Told {
    return this.#told
  }

  /** How many payments have a double (C5). */
  doubles(): number {
    const doubled = (rows: readonly ChargeRow[], statuses: readonly string[]) =>
      rows.filter(({ status }) => statuses.includes(status)).length > 1
    let doubles = 0
    for (const rows of this.#rows.shared()) {
      if (doubled(rows, ['authorized', 'captured']) || doubled(rows, ['captured', 'refunded'])) doubles++
    }
    return doubles
  }

  decideAuthorisation(asked: Authorisation, moment: Moment): Decision<ChargeRow, AuthorisationAnswer> {
    const { key, ...charge } = asked
    const row = this.get(key) ?? newRow(key, charge)
    if (row.charge && row.charge.fingerprint !== charge.fingerprint) {
      return { answer: { outcome: 'key-reused', again: true, row } }
    }
    if (row.status === 'busy') return this.#firstAnswer(row, charge, moment)
    const counted = { ...row, requests: row.requests + 1 }
    const final = row.status === 'declined' || row.status === 'voided' ? row.status : 'authorized'
    return { row: counted, answer: { outcome: final, again: true, row: counted } }
  }

  #firstAnswer(row: ChargeRow, charge: Charge, moment: Moment): Decision<ChargeRow, AuthorisationAnswer> {
    const history = { requests: row.requests, charges: this.ofPayment(charge.paymentId).length }
    const answer = answerOf(charge.token, history)
    const { outcome } = answer
    const counted = { ...row, requests: row.requests + 1 }
    const next =
      answer.outcome === 'authorized'
        ? changed(
            counted,
            'authorized',
            { status: 'authorized', lapses: answer.lapses, expiresAt: moment.now + answer.livesMs },
            moment,
          )
        : { ...counted, status: answer.outcome }
    return { row: next, answer: { outcome, again: false, row: next } }
  }

  /** The answer is undefined for a key under which nothing was answered. */
  decideCapture(key: string, amount: number, moment: Moment): Decision<ChargeRow, CaptureAnswer | undefined> {
    const row = this.get(key)
    if (!row || row.status === 'busy') return { answer: undefined }
    if (row.status === 'declined') return { answer: { outcome: 'declined', row } }
    if (row.status === 'voided') return { answer: { outcome: row.expired ? 'expired' : 'voided', row } }
    if (row.charge?.amount !== amount) return { answer: { outcome: 'amount-differs', row } }
    if (row.status !== 'authorized') return { answer: { outcome: 'captured', row } }
    if (row.lapses || moment.now >= row.expiresAt) {
      const expired = changed(row, 'voided', { status: 'voided', expired: true }, moment)
      return { row: expired, answer: { outcome: 'expired', row: expired } }
    }
    const captured = changed(row, 'captured', { status: 'captured' }, moment)
    return { row: captured, answer: { outcome: 'captured', row: captured } }
  }

  decideVoid(key: string, moment: Moment): Decision<ChargeRow, VoidAnswer> {
    const row = this.get(key) ?? newRow(key, null)
    if (row.status === 'voided' || row.status === 'declined') return { answer: { outcome: row.status, row } }
    if (row.status === 'captured' || row.status === 'refunded') return { answer: { outcome: 'captured', row } }
    const voided: ChargeRow =
      row.status === 'busy' ? { ...row, status: 'voided' } : changed(row, 'voided', { status: 'voided' }, moment)
    return { row: voided, answer: { outcome: 'voided', row: voided } }
  }

  /** The answer is undefined for a key under which nothing was answered. */
  decideRefund(
    key: string,
    refund: { readonly key: string; readonly amount: number },
    moment: Moment,
  ): Decision<ChargeRow, RefundAnswer | undefined> {
    const row = this.get(key)
    if (!row?.charge || row.status === 'busy') return { answer: undefined }
    const known = row.refunds.find((earlier) => earlier.key === refund.key)
    if (known && known.amount !== refund.amount) return { answer: { outcome: 'key-reused', again: true } }
    if (known) return { answer: { outcome: known.refused ? 'exceeds-captured' : 'refunded', again: true } }
    const left = row.status === 'captured' ? row.charge.amount - row.refunded : 0
    const refused = refund.amount > left
    const refunds = [...row.refunds, { ...refund, refused }]
    if (refused) return { row: { ...row, refunds }, answer: { outcome: 'exceeds-captured', again: false } }
    const refunded = row.refunded + refund.amount
    const status = refund.amount === left ? 'refunded' : 'captured'
    const next = changed(row, 'refunded', { status, refunded, refunds }, moment)
    return { row: next, answer: { outcome: 'refunded', again: false } }
  }

  /** A change was told to the endpoint, or given up. */
  decideTold(key: string, sequence: number, outcome: 'delivered' | 'failed'): Decision<ChargeRow, void> {
    const row = this.get(key)
    const next = row && settled(row, sequence, outcome)
    return { ...(next && { row: next }), answer: undefined }
  }
}
