/**
 * Card payments against a processor that loses answers and tells its news twice, late and out of order, and against whoever
 * asks for anything at any time. The processor below is a model of what every good one keeps: charges by key, keys that were
 * voided, refunds by key.
 */
import { command, finished, given, type Given } from '@cauce/kit/pipeline/given'
import type { TaskResult } from '@cauce/kit/task/outcome'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  CapturePayment,
  PaymentCaptured,
  PaymentRefunded,
  PaymentUncollected,
  PaymentVoided,
  VoidPayment,
} from './contract.ts'
import type { CardEvent } from './decide-card.ts'
import type { RefundCommand } from './decide-refund.ts'
import { payment, posting, refund } from './tables.ts'
import { authorize, paid, paymentId, payments } from './testing.ts'

const AMOUNT = 700
const EXPIRES = 1_900_000_000_000

interface Charge {
  status: CardEvent['status']
  sequence: number
  refunds: Map<string, number>
}

/** What the outside world does with one call. */
interface Fate {
  /** Whether the card is good, when it is asked. */
  readonly approves: boolean
  /** Whether an authorised charge is refused at capture. */
  readonly expires: boolean
  /** Calls whose answer is lost before one arrives; an authorisation is given up after three. */
  readonly lost: number
  /** Whether a call that is lost was done. */
  readonly reached: boolean
}

class Processor {
  readonly charges = new Map<string, Charge>()
  readonly voidedKeys = new Set<string>()
  readonly declinedKeys = new Set<string>()
  readonly news: CardEvent[] = []
  captures = 0

  #tell(key: string, status: Charge['status']): void {
    const charge = this.charges.get(key)!
    Object.assign(charge, { status, sequence: charge.sequence + 1 })
    this.news.push({ paymentId, chargeKey: key, sequence: charge.sequence, status, expiresAt: EXPIRES })
  }

  authorize(key: string, { approves }: Fate): TaskResult {
    if (this.voidedKeys.has(key)) return { kind: 'cancelled', reason: 'voided: given up' }
    if (this.declinedKeys.has(key) || (!this.charges.has(key) && !approves)) {
      this.declinedKeys.add(key)
      return { kind: 'done', result: { kind: 'declined', message: 'No' } }
    }
    if (!this.charges.has(key)) {
      this.charges.set(key, { status: 'authorized', sequence: 0, refunds: new Map() })
      this.#tell(key, 'authorized')
    }
    return { kind: 'done', result: { kind: 'authorized', expiresAt: EXPIRES } }
  }

  capture(key: string, { expires }: Fate): TaskResult {
    const charge = this.charges.get(key)!
    if (charge.status === 'authorized' && expires) this.#tell(key, 'voided')
    if (charge.status === 'voided') return { kind: 'cancelled', reason: 'expired: too old' }
    if (charge.status === 'authorized') {
      this.captures++
      this.#tell(key, 'captured')
    }
    return { kind: 'done', result: {} }
  }

  void(key: string): TaskResult {
    this.voidedKeys.add(key)
    const charge = this.charges.get(key)
    if (charge?.status === 'captured' || charge?.status === 'refunded')
      return { kind: 'cancelled', reason: 'captured: was' }
    if (charge?.status === 'authorized') this.#tell(key, 'voided')
    return { kind: 'done', result: {} }
  }

  refund(taskId: string, key: string, amount: number): TaskResult {
    const { refunds } = this.charges.get(key)!
    if (!refunds.has(taskId)) {
      if (this.given(key) + amount > AMOUNT) return { kind: 'cancelled', reason: 'exceeds-captured' }
      refunds.set(taskId, amount)
      this.#tell(key, 'refunded')
    }
    return { kind: 'done', result: {} }
  }

  given = (key: string) => [...this.charges.get(key)!.refunds.values()].reduce((sum, amount) => sum + amount, 0)
  alive = () => [...this.charges].filter(([, { status }]) => status !== 'voided').map(([key]) => key)
}

interface Flight {
  readonly id: string
  readonly type: string
  readonly data: { readonly chargeKey: string; readonly amount: number }
}

/** The payment, its processor, and the tasks under way. */
class World {
  readonly processor = new Processor()
  state: Given = given(payments)
  flights: Flight[] = []
  said: string[] = []
  #count = 0

  ask(input: Parameters<Given['when']>[0], id = `i${++this.#count}`): void {
    const { type, data } = input
    let after
    try {
      after = this.state.when(input, { id })
    } catch (error) {
      // Only what nobody asks: to take what is not secured.
      expect(type, `${JSON.stringify(data)}: ${String(error)}`).toBe('CapturePayment')
      expect(this.state.row(payment, paymentId)?.status).not.toBe('authorized')
      return
    }
    this.state = after
    this.said.push(...after.messages.map((message) => message.type))
    for (const task of after.tasks) {
      if (task.kind === 'enqueue') this.flights.push({ ...(task.task as Omit<Flight, 'id'>), id: `k${++this.#count}` })
    }
    expect(this.flights.length, 'tasks in flight (P1)').toBeLessThanOrEqual(1)
    expect(this.processor.alive().length, 'charges alive (I2)').toBeLessThanOrEqual(1)
  }

  /** The task in flight ends, with the fate its calls have. */
  settle(fate: Fate): void {
    const flight = this.flights.shift()
    if (!flight) return
    const call = () => this.#call(flight, fate)
    const isLost = flight.type === 'authorize-card' && fate.lost >= 3
    if (fate.lost > 0 && fate.reached) call()
    const result = isLost ? ({ kind: 'exhausted', reason: 'No answer' } as const) : call()
    this.ask(finished(flight.type, flight.data, result), flight.id)
  }

  #call({ id, type, data: { chargeKey, amount } }: Flight, fate: Fate): TaskResult {
    if (type === 'authorize-card') return this.processor.authorize(id, fate)
    if (type === 'capture-card') return this.processor.capture(chargeKey, fate)
    return type === 'void-card' ? this.processor.void(chargeKey) : this.processor.refund(id, chargeKey, amount)
  }

  /** One of the news so far, however old. */
  hear(which: number): void {
    const { news } = this.processor
    const event = news[which % Math.max(1, news.length)]
    if (event) this.ask(command<CardEvent>('CardEvent', event))
  }
}

const fate: fc.Arbitrary<Fate> = fc.record({
  approves: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
  expires: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  lost: fc.integer({ min: 0, max: 3 }),
  reached: fc.boolean(),
})
const steps = fc.array(
  fc.oneof(
    fc.constant((world: World) => world.ask(authorize({ amount: AMOUNT, method: 'card', token: 'tok' }))),
    fc.constant((world: World) => world.ask(CapturePayment(paid))),
    fc.constant((world: World) => world.ask(VoidPayment(paid))),
    fc
      .record({ amount: fc.integer({ min: 1, max: AMOUNT }), reason: fc.constant('r') })
      .map(
        (data) => (world: World) =>
          world.ask(command<RefundCommand>('RefundPayment', { paymentId, currency: 'EUR', ...data })),
      ),
    { weight: 4, arbitrary: fate.map((it) => (world: World) => world.settle(it)) },
    { weight: 2, arbitrary: fc.nat(20).map((which) => (world: World) => world.hear(which)) },
  ),
  { maxLength: 30 },
)
const usual: Fate = { approves: true, expires: false, lost: 0, reached: true }

function lived(list: readonly ((world: World) => void)[]): World {
  const world = new World()
  world.ask(authorize({ amount: AMOUNT, method: 'card', token: 'tok' }))
  for (const step of list) step(world)
  for (let left = 20; left > 0 && world.flights.length > 0; left--) world.settle(usual)
  expect(world.flights).toEqual([])
  return world
}

test('when all is quiet, our books say what the processor did: one charge at most, captured once, refunds within it (I2)', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const { state, processor } = lived(list)
      const row = state.row(payment, paymentId)!
      const [key] = processor.alive()
      const posted = (kind: string) =>
        state
          .rows(posting)
          .filter((entry) => entry.kind === kind)
          .map(({ amount }) => amount)
      expect(processor.captures).toBeLessThanOrEqual(1)
      expect(posted('card-capture')).toEqual(processor.captures === 1 ? [AMOUNT] : [])
      expect(row.doing).toBe(null)
      if (key === undefined) expect(['declined', 'voided', 'uncollected']).toContain(row.status)
      else {
        expect(row.chargeKey).toBe(key)
        const status = processor.charges.get(key)!.status
        if (status === 'authorized') expect(row.status).toBe('authorized')
        else expect(['captured', 'refunded']).toContain(row.status)
        const back = posted('card-refund').reduce((sum, amount) => sum + amount, 0)
        expect(back).toBe(processor.given(key))
        expect(row.refunded).toBe(back)
        expect(row.status === 'refunded').toBe(back === AMOUNT)
      }
      expect(state.rows(refund).every(({ status }) => status !== 'pending')).toBe(true)
    }),
    { numRuns: 400 },
  )
})

test('whoever waits for an answer gets one', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(VoidPayment(paid), CapturePayment(paid)), fate, (list, last, it) => {
      const world = lived(list)
      if (last.type === 'CapturePayment' && world.state.row(payment, paymentId)?.status !== 'authorized') return
      world.said = []
      world.ask(last)
      world.settle(it)
      for (let left = 20; left > 0 && world.flights.length > 0; left--) world.settle(usual)
      const ends = [PaymentVoided, PaymentRefunded, PaymentCaptured, PaymentUncollected].map(({ type }) => type)
      const wanted = last.type === 'VoidPayment' ? ends.slice(0, 2) : ends.slice(2)
      expect(world.said.filter((type) => wanted.includes(type))).toHaveLength(1)
    }),
    { numRuns: 400 },
  )
})

test('the inputs lead to every status a card payment can have', () => {
  const reached = fc
    .sample(steps, { numRuns: 600, seed: 7 })
    .map((list) => lived(list).state.row(payment, paymentId)!.status)
  expect([...new Set(reached)].toSorted()).toEqual([
    'authorized',
    'captured',
    'declined',
    'refunded',
    'uncollected',
    'voided',
  ])
})
