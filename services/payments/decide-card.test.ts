import { command, finished, given, type Given, type Outcome } from '@cauce/kit/pipeline/given'
import type { TaskResult } from '@cauce/kit/task/outcome'
import { describe, expect, test } from 'vitest'
import { cardTask } from './card-steps.ts'
import {
  CapturePayment,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentUncollected,
  PaymentVoided,
  RefundFailed,
  VoidPayment,
} from './contract.ts'
import type { CardEvent } from './decide-card.ts'
import type { RefundCommand } from './decide-refund.ts'
import { payment, posting, refund, type CardStep } from './tables.ts'
import { authorize, ledgerOf, orderId, paid, paymentId, payments } from './testing.ts'

const until = 1_900_000_000_000
const byCard = authorize({ method: 'card', token: 'tok_ok' })
const granted = { kind: 'done', result: { kind: 'authorized', expiresAt: until } } as const
const refusedByBank = { kind: 'done', result: { kind: 'declined', message: 'No' } } as const
const done = { kind: 'done', result: {} } as const
const unknown = { kind: 'exhausted', reason: 'No answer' } as const
const refused = (reason: string) => ({ kind: 'cancelled', reason }) as const
const said = { ...paid, until }

/** The processor's answer to a step. */
const answer = (step: CardStep, result: TaskResult, data: object = {}) =>
  finished(cardTask[step], { paymentId, chargeKey: 'k1', amount: 700, ...data }, result)

/** Under this id the first authorisation was asked for. */
const k1 = { id: 'k1' }
const k2 = { id: 'k2' }

const asked = () => given(payments).when(byCard).thenAccepted()
const held = () => asked().when(answer('authorize', granted), k1).then(PaymentAuthorized(said))
const capturing = () => held().when(CapturePayment(paid)).then()
const captured = () => capturing().when(answer('capture', done)).then(PaymentCaptured(paid))
const rowOf = (state: Given) => state.row(payment, paymentId)
/** Types of the tasks of the last decision. */
const stepsOf = ({ tasks }: Pick<Outcome, 'tasks'>) =>
  tasks.map((task) => (task.kind === 'enqueue' ? task.task.type : task.kind))

describe('the usual way', () => {
  test('authorise, capture', () => {
    expect(asked().tasks).toEqual([
      {
        kind: 'enqueue',
        task: {
          type: 'authorize-card',
          key: orderId,
          data: { paymentId, amount: 700, currency: 'EUR', token: 'tok_ok', authorization: 1 },
        },
      },
    ])
    expect(rowOf(asked())).toMatchObject({ status: 'pending', doing: 'authorize', authorizations: 1 })
    expect(rowOf(held())).toMatchObject({ status: 'authorized', doing: null, chargeKey: 'k1', authorizedUntil: until })
    expect(ledgerOf(held())).toEqual({})
    expect(capturing().tasks).toEqual([
      {
        kind: 'enqueue',
        task: { type: 'capture-card', key: orderId, data: { paymentId, chargeKey: 'k1', amount: 700 } },
      },
    ])
    expect(rowOf(captured())).toMatchObject({ status: 'captured', doing: null })
    expect(ledgerOf(captured())).toEqual({ 'world:EUR': -700, 'sales:EUR': 700 })
    captured().when(CapturePayment(paid)).then(PaymentCaptured(paid)).when(byCard).then(PaymentAuthorized(said))
  })

  test('asked again nothing is asked of the processor', () => {
    asked().when(byCard).thenUnchanged()
    expect(held().when(byCard).then(PaymentAuthorized(said)).tasks).toEqual([])
    capturing().when(CapturePayment(paid)).thenUnchanged()
  })

  test('the bank says no', () => {
    const message = PaymentDeclined({ ...paid, code: 'payment-declined', message: 'No' })
    const declined = asked().when(answer('authorize', refusedByBank), k1).then(message)
    expect(rowOf(declined)).toMatchObject({ status: 'declined', doing: null })
    declined.when(byCard).then(message).when(VoidPayment(paid)).then(PaymentVoided(paid))
  })

  test('the processor does not know the card', () => {
    asked()
      .when(answer('authorize', refused('unknown-token: tok_x')), k1)
      .then(PaymentDeclined)
  })

  test('there is no card to charge', () => {
    given(payments)
      .when(authorize({ method: 'card' }))
      .then(PaymentDeclined)
  })
})

describe('giving up', () => {
  test('an authorised charge is voided', () => {
    const voiding = held().when(VoidPayment(paid)).then()
    expect(stepsOf(voiding)).toEqual(['void-card'])
    expect(rowOf(voiding)?.status).toBe('authorized')
    voiding.when(VoidPayment(paid)).thenUnchanged().when(byCard).thenUnchanged()
    const voided = voiding.when(answer('void', done)).then(PaymentVoided(paid))
    expect(rowOf(voided)).toMatchObject({ status: 'voided', doing: null, wanted: null })
    voided.when(VoidPayment(paid)).then(PaymentVoided(paid)).when(byCard).thenUnchanged()
  })

  test('while it is being authorised: the void follows from the outcome, whichever it is', () => {
    const waiting = asked().when(VoidPayment(paid)).then()
    expect(waiting.tasks).toEqual([])
    expect(stepsOf(waiting.when(answer('authorize', granted), k1).then())).toEqual(['void-card'])
    expect(stepsOf(waiting.when(answer('authorize', unknown), k1).then())).toEqual(['void-card'])
    const declined = waiting.when(answer('authorize', refusedByBank), k1).then(PaymentDeclined, PaymentVoided(paid))
    expect(declined.tasks).toEqual([])
  })

  test('an unknown outcome is voided by its key, then it is declined', () => {
    const voiding = asked().when(answer('authorize', unknown), k1).then()
    expect(rowOf(voiding)).toMatchObject({ status: 'pending', doing: 'void', chargeKey: 'k1' })
    const declined = voiding.when(answer('void', done)).then(PaymentDeclined)
    expect(rowOf(declined)).toMatchObject({ status: 'declined', code: 'payment-declined' })
    voiding.when(VoidPayment(paid)).then().when(answer('void', done)).then(PaymentVoided(paid))
  })

  test('a void that comes too late gives the money back', () => {
    const voiding = held().when(VoidPayment(paid)).then()
    const late = voiding.when(answer('void', refused('captured: it was'))).then(PaymentCaptured(paid))
    expect(stepsOf(late)).toEqual(['refund-card'])
    const back = late.when(answer('refund', done, { refundId: refundIdOf(late) })).then(PaymentRefunded(paid))
    expect(ledgerOf(back)).toEqual({})
    expect(rowOf(back)).toMatchObject({ status: 'refunded', refunded: 700, refunding: [] })
  })

  test('of what was captured is a refund, once', () => {
    const refunding = captured().when(VoidPayment(paid)).then()
    refunding.when(VoidPayment(paid)).thenUnchanged()
    const back = refunding.when(answer('refund', done, { refundId: refundIdOf(refunding) })).then(PaymentRefunded(paid))
    back.when(VoidPayment(paid)).then(PaymentRefunded(paid))
  })
})

const refundIdOf = (state: Given): string => state.rows(refund)[0]!.id

describe('what was held cannot be taken', () => {
  const expired = () =>
    capturing()
      .when(answer('capture', refused('expired: too old')))
      .then()
  const anew = () => expired().when(answer('void', done)).then()

  test('it is voided first, then asked for anew under a new key, then taken', () => {
    expect(stepsOf(expired())).toEqual(['void-card'])
    expect(stepsOf(anew())).toEqual(['authorize-card'])
    expect(rowOf(anew())).toMatchObject({ status: 'authorized', chargeKey: null, authorizations: 2 })
    const again = anew().when(answer('authorize', granted), k2).then()
    expect(again.tasks).toMatchObject([{ task: { type: 'capture-card', data: { chargeKey: 'k2' } } }])
    again.when(answer('capture', done)).then(PaymentCaptured(paid))
  })

  test('had it been taken after all, it is', () => {
    expect(
      rowOf(
        expired()
          .when(answer('void', refused('captured: it was')))
          .then(PaymentCaptured(paid)),
      )?.doing,
    ).toBe(null)
  })

  test.each([
    ['the bank says no', refusedByBank],
    ['the processor refuses', refused('unknown-token')],
  ])('and not anew, because %s: uncollected, and people must look', (_, result) => {
    const uncollected = anew().when(answer('authorize', result), k2).then(PaymentUncollected)
    expect(rowOf(uncollected)).toMatchObject({ status: 'uncollected', doing: null })
    expect(uncollected.rows(posting)).toEqual([])
    uncollected.when(CapturePayment(paid)).then(PaymentUncollected).when(VoidPayment(paid)).then(PaymentVoided(paid))
  })

  test('twice: uncollected', () => {
    const twice = anew()
      .when(answer('authorize', granted), k2)
      .then()
      .when(answer('capture', refused('expired')))
      .then()
    twice.when(answer('void', done)).then(PaymentUncollected)
  })

  test.each([refused('voided: given up'), unknown])(
    'an earlier one that is redriven meanwhile says nothing: %j',
    (result) => {
      anew()
        .when(answer('authorize', result, { authorization: 1 }), k1)
        .thenUnchanged()
    },
  )

  test('and nobody knows whether it was asked for anew: voided, then uncollected', () => {
    const lost = anew().when(answer('authorize', unknown), k2).then()
    expect(rowOf(lost)).toMatchObject({ doing: 'void', chargeKey: 'k2' })
    lost.when(answer('void', done)).then(PaymentUncollected)
  })
})

describe('refunds', () => {
  const back = (amount: number, currency: RefundCommand['currency'] = 'EUR') =>
    command<RefundCommand>('RefundPayment', { paymentId, amount, currency, reason: 'broken' })

  test('go to the processor one after the other, and their sum is counted when they are asked for', () => {
    const first = captured().when(back(400), { id: 'a' }).then()
    expect(first.reply).toMatchObject({ id: 'ref_a', status: 'pending', amount: 400 })
    expect(stepsOf(first)).toEqual(['refund-card'])
    first.when(back(301)).thenRejected('refund-too-large', /300 are left/)
    const second = first.when(back(300), { id: 'b' }).then()
    expect(second.tasks).toEqual([])
    const one = second.when(answer('refund', done, { refundId: 'ref_a', amount: 400 })).then()
    expect(one.tasks).toMatchObject([{ task: { data: { refundId: 'ref_b', amount: 300 } } }])
    const both = one.when(answer('refund', done, { refundId: 'ref_b', amount: 300 })).then(PaymentRefunded(paid))
    expect(both.rows(refund).map(({ status }) => status)).toEqual(['refunded', 'refunded'])
    expect(ledgerOf(both)).toEqual({})
    both.when(answer('refund', done, { refundId: 'ref_b', amount: 300 })).thenUnchanged()
    both.when(back(1)).thenRejected('refund-too-large')
  })

  test('one that is refused for good is free again, and somebody is told', () => {
    const asked = captured().when(back(700), { id: 'a' }).then()
    const failed = asked.when(answer('refund', refused('account closed'), { refundId: 'ref_a' })).then(RefundFailed)
    expect(rowOf(failed)).toMatchObject({ status: 'captured', refunded: 0, doing: null })
    expect(failed.row(refund, 'ref_a')?.status).toBe('failed')
    failed.when(back(700), { id: 'b' }).then()
  })

  test('of what was not captured, or in another currency', () => {
    held()
      .when(back(1))
      .thenRejected('not-refundable', /authorized/)
    captured().when(back(1, 'USD')).thenRejected('currency-mismatch')
    given(payments).when(back(1)).thenRejected('not-found')
  })
})

describe('the processor’s news (P4)', () => {
  const news = (status: CardEvent['status'], sequence: number, chargeKey = 'k1') =>
    command<CardEvent>('CardEvent', { paymentId, chargeKey, sequence, status, expiresAt: until })

  test('tell of an authorisation before its own answer does', () => {
    const told = asked().when(news('authorized', 1)).then(PaymentAuthorized(said))
    expect(rowOf(told)).toMatchObject({ status: 'authorized', doing: 'authorize', sequence: 1 })
    told.when(news('authorized', 1)).thenUnchanged()
    const wanted = told.when(CapturePayment(paid)).then()
    expect(wanted.tasks).toEqual([])
    for (const result of [granted, unknown]) {
      expect(stepsOf(wanted.when(answer('authorize', result), k1).then())).toEqual(['capture-card'])
    }
  })

  test('tell of a capture, which is then not captured twice', () => {
    const told = capturing().when(news('captured', 2)).then(PaymentCaptured(paid))
    expect(rowOf(told)).toMatchObject({ status: 'captured', doing: 'capture' })
    const over = told.when(answer('capture', done)).then()
    expect(over.rows(posting)).toHaveLength(1)
    expect(rowOf(told.when(answer('capture', refused('captured'))).then())).toMatchObject({
      status: 'captured',
      doing: null,
    })
  })

  test.each([200, 700])(
    'tell of a capture that is unwanted, and %i are given back by hand before its own answer',
    (amount) => {
      const told = capturing().when(VoidPayment(paid)).then().when(news('captured', 2)).thenAccepted()
      const byHand = command<RefundCommand>('RefundPayment', { paymentId, amount, currency: 'EUR', reason: 'r' })
      let state = told.when(byHand, { id: 'a' }).then().when(answer('capture', done)).then()
      const given: object[] = []
      for (let [task] = state.tasks; task?.kind === 'enqueue'; [task] = state.tasks) {
        given.push(task.task.data)
        state = state.when(answer('refund', done, task.task.data)).thenAccepted()
      }
      expect(given.map((data) => (data as { amount: number }).amount)).toEqual(amount === 700 ? [700] : [200, 500])
      expect(state.messages.map(({ type }) => type)).toEqual([PaymentRefunded.type])
      expect(rowOf(state)).toMatchObject({ status: 'refunded', doing: null, wanted: null, refunding: [] })
      expect(ledgerOf(state)).toEqual({})
    },
  )

  test('older ones, those of another charge and of payments nobody knows change nothing', () => {
    const told = capturing().when(news('captured', 5)).thenAccepted()
    told.when(news('authorized', 4)).thenUnchanged()
    told.when(news('voided', 9, 'k0')).thenUnchanged()
    given(payments).when(news('captured', 1)).thenUnchanged()
    expect(rowOf(held().when(news('voided', 3)).then())?.status).toBe('authorized')
  })

  test('of an authorisation that is unwanted by now change nothing', () => {
    asked().when(VoidPayment(paid)).then().when(news('authorized', 1)).thenUnchanged()
  })
})
