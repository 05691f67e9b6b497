/**
 * The outside world of a simulation: card processor, carrier and post office with the sandbox's own books, and a network that
 * loses answers, delivers calls twice and late, and has bad hours. What they have done outlives every process.
 */
import { createHash } from 'node:crypto'
import { integerBetween } from '@cauce/kit/core/prng'
import { effects as orderEffects } from '@cauce/orders/service'
import { effects as paymentEffects } from '@cauce/payments/service'
import { Charges } from '@cauce/sandbox/card/charges'
import { isToken } from '@cauce/sandbox/card/tokens'
import { Shipments, trackingOf } from '@cauce/sandbox/carrier/shipments'
import { effects as shippingEffects } from '@cauce/shipping/service'
import type { Faults } from './faults.ts'
import type { SimTime } from './time.ts'
import type { Violate } from './checks/check.ts'
import type { Trace } from './trace.ts'

type Card = Parameters<typeof paymentEffects>[0]
type Carrier = Parameters<typeof shippingEffects>[0]
type Mailer = Parameters<typeof orderEffects>[0]
type ChargeRow = NonNullable<ReturnType<Charges['get']>>

/** News of a charge, as the processor sends them. */
export interface CardNews {
  readonly paymentId: string
  readonly chargeKey: string
  readonly sequence: number
  readonly status: ChargeRow['status']
  readonly expiresAt: number
}

interface ProviderOptions {
  readonly time: SimTime
  readonly faults: Faults
  readonly trace: Trace
  readonly violate: Violate
  /** Told of each change of a charge. */
  readonly onNews: (news: CardNews) => void
}

/** A provider's refusal of everything, for a while. */
const BURST_MS = 20_000
const again = (reason: string) => ({ kind: 'again', reason }) as const

export class Providers {
  readonly charges = new Charges()
  readonly shipments = new Shipments()
  /** By order, the Message-IDs that arrived: a mail that comes again under the same one is seen once. */
  readonly mails = new Map<string, Set<string>>()
  readonly #options: ProviderOptions
  #burstUntil = 0

  constructor(options: ProviderOptions) {
    this.#options = options
  }

  burst(): void {
    const { time, trace } = this.#options
    this.#burstUntil = time.monotonic() + BURST_MS
    trace.add('providers', `answer nothing but 503 for ${BURST_MS} ms`)
  }

  readonly card: Card = {
    authorize: (request, { key }) => {
      const { token } = request
      if (!isToken(token)) throw new Error(`The workload used a card that the sandbox does not have: ${token}`)
      const fingerprint = printOf(request)
      return this.#call(`authorise ${request.paymentId}`, () => {
        const { row, answer } = this.charges.decideAuthorisation(
          { key, ...request, token, fingerprint },
          this.#moment(),
        )
        this.#keep(row)
        if (answer.outcome === 'authorized') return { kind: 'authorized', expiresAt: answer.row.expiresAt } as const
        if (answer.outcome === 'declined') return { kind: 'declined', message: 'declined' } as const
        if (answer.outcome === 'voided') return { kind: 'refused', code: 'voided', reason: 'voided' } as const
        return again(answer.outcome)
      })
    },
    capture: ({ chargeKey, amount, paymentId }) =>
      this.#call(`capture ${paymentId}`, () => {
        const { row, answer } = this.charges.decideCapture(chargeKey, amount, this.#moment())
        this.#keep(row)
        if (!answer || answer.outcome === 'amount-differs') return again('no final answer')
        if (answer.outcome === 'captured') return { kind: 'captured' } as const
        return { kind: 'refused', code: answer.outcome, reason: answer.outcome } as const
      }),
    void: ({ chargeKey, paymentId }) =>
      this.#call(`void ${paymentId}`, () => {
        const { row, answer } = this.charges.decideVoid(chargeKey, this.#moment())
        this.#keep(row)
        if (answer.outcome === 'captured') return { kind: 'refused', code: 'captured', reason: 'captured' } as const
        return { kind: 'voided' } as const
      }),
    refund: ({ chargeKey, amount, paymentId }, { key }) =>
      this.#call(`refund ${paymentId}`, () => {
        const { row, answer } = this.charges.decideRefund(chargeKey, { key, amount }, this.#moment())
        this.#keep(row)
        if (answer?.outcome === 'refunded') return { kind: 'refunded' } as const
        if (answer?.outcome === 'exceeds-captured')
          return { kind: 'refused', code: answer.outcome, reason: answer.outcome } as const
        return again('no final answer')
      }),
    find: (paymentId) =>
      this.#call(`find ${paymentId}`, () => ({
        kind: 'found' as const,
        charges: this.charges.ofPayment(paymentId).map(({ key, status, charge, refunded, expiresAt }) => ({
          key,
          status: status as 'authorized',
          amount: charge?.amount ?? 0,
          refunded,
          expiresAt,
        })),
      })),
  }

  readonly carrier: Carrier = {
    book: (request, { key }) => {
      const { shipmentId, orderId, shipTo } = request
      const booking = { key, shipmentId, orderId, postalCode: shipTo.postalCode, fingerprint: printOf(request) }
      return this.#call(`book ${shipmentId}`, () => {
        const { row, answer } = this.shipments.decideBooking(booking)
        if (row) this.shipments.put(row)
        const alive = this.shipments.ofShipment(shipmentId).filter(({ status }) => status === 'accepted')
        if (alive.length > 1) this.#options.violate('I7', `${shipmentId} was booked ${alive.length} times`)
        if (answer.outcome === 'accepted') return { kind: 'booked', tracking: trackingOf(key) } as const
        if (answer.outcome === 'undeliverable') return { kind: 'undeliverable', message: 'nobody goes there' } as const
        if (answer.outcome === 'voided') return { kind: 'refused', reason: 'voided' } as const
        return again(answer.outcome)
      })
    },
  }

  readonly mailer: Mailer = {
    send: ({ messageId, subject }) =>
      this.#call(`mail ${messageId}`, () => {
        const orderId = subject.split(' ').at(-1) ?? ''
        this.mails.set(orderId, (this.mails.get(orderId) ?? new Set()).add(messageId))
        return { kind: 'sent' } as const
      }),
  }

  #moment() {
    return { now: this.#options.time.now(), announced: false }
  }

  #keep(row: ChargeRow | undefined): void {
    if (!row) return
    const before = this.charges.get(row.key)
    this.charges.put(row)
    if (!row.charge || row.sequence === (before?.sequence ?? 0)) return
    const { paymentId } = row.charge
    this.#options.trace.add('card', `${paymentId} ${row.key.slice(-6)} is ${row.status}`)
    this.#assertOneCharge(paymentId)
    const { key: chargeKey, sequence, status, expiresAt } = row
    this.#options.onNews({ paymentId, chargeKey, sequence, status, expiresAt })
  }

  /** I2: at most one charge of a payment is held or captured, and at most one was ever captured. */
  #assertOneCharge(paymentId: string): void {
    const rows = this.charges.ofPayment(paymentId)
    const alive = rows.filter(({ status }) => status === 'authorized' || status === 'captured')
    const taken = rows.filter(({ status }) => status === 'captured' || status === 'refunded')
    if (alive.length <= 1 && taken.length <= 1) return
    const said = rows.map(({ key, status }) => `${key} ${status}`).join(', ')
    this.#options.violate('I2', `${paymentId} is charged twice: ${said}`)
  }

  /** A call over the network. The answer may be lost, late, or for a request that arrives once more later on. */
  async #call<Answer>(what: string, act: () => Answer): Promise<Answer | ReturnType<typeof again>> {
    const { time, faults, trace } = this.#options
    await time.sleep(integerBetween(faults.random, 1, 30))
    if (time.monotonic() < this.#burstUntil || faults.strikes('providerError')) return again('503')
    if (faults.strikes('providerDuplicate')) {
      time.after(integerBetween(faults.random, 1, 20_000), () => {
        trace.add('network', `delivers once more: ${what}`)
        act()
      })
    }
    const answer = act()
    if (faults.strikes('providerLate')) await time.sleep(integerBetween(faults.random, 100, 12_000))
    if (!faults.strikes('providerLostAnswer')) return answer
    trace.add('network', `loses the answer: ${what}`)
    await time.sleep(5_000)
    return again('no answer')
  }
}

const printOf = (request: object): string => createHash('sha256').update(JSON.stringify(request)).digest('hex')
