import { command, given, type Given } from '@cauce/kit/pipeline/given'
import { describe, expect, test } from 'vitest'
import {
  CapturePayment,
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
  VoidPayment,
} from './contract.ts'
import type { DepositCommand, OpenAccountCommand } from './decide-accounts.ts'
import { account, payment, posting } from './tables.ts'
import { idle } from './payment-row.ts'
import { authorize, ledgerOf, orderId, paid, paymentId, payments, walletOf } from './testing.ts'

const open = (id: string, currency = 'EUR') => command<OpenAccountCommand>('OpenAccount', { id, currency })
const put = (id: string, amount: number, currency: DepositCommand['currency'] = 'EUR') =>
  command<DepositCommand>('Deposit', { account: id, amount, currency, reference: 'bank 1' })

/** Alice with 1000 EUR that came in as one should. */
const alice = () => given(payments).when(open('alice')).then().when(put('alice', 1000)).then()
const statusOf = (state: Given) => state.row(payment, paymentId)?.status

describe('accounts', () => {
  test('a new one is empty', () => {
    const opened = given(payments).when(open('alice'), { now: 5, requestId: 'r' }).then()
    expect(opened.reply).toEqual(walletOf('alice', { requestId: 'r', createdAt: 5, updatedAt: 5 }))
    expect(opened.row(account, 'alice')).toEqual(opened.reply)
  })

  test('a second one is refused, whatever its currency', () => {
    given(payments, account.insert(walletOf('alice')))
      .when(open('alice', 'USD'))
      .thenRejected('account-exists', /EUR/)
  })

  test('a deposit is one posting from the world', () => {
    const done = given(payments, account.insert(walletOf('alice')))
      .when(put('alice', 250), { id: 'abc', now: 7, requestId: 'r' })
      .then()
    expect(done.reply).toEqual({
      id: 'dep_abc',
      account: 'alice',
      amount: 250,
      currency: 'EUR',
      reference: 'bank 1',
      status: 'posted',
    })
    expect(done.row(account, 'alice')).toMatchObject({ balance: 250, held: 0, version: 2, updatedAt: 7 })
    expect(done.rows(posting)).toEqual([
      {
        id: 'dep_abc.deposit',
        subject: 'dep_abc',
        kind: 'deposit',
        debit: 'world:EUR',
        credit: 'wallet:alice',
        amount: 250,
        currency: 'EUR',
        reference: 'bank 1',
        requestId: 'r',
        at: 7,
      },
    ])
  })

  test('a deposit that cannot be', () => {
    given(payments)
      .when(put('nobody', 1))
      .thenRejected('not-found', /nobody/)
    const rich = walletOf('rich', { balance: Number.MAX_SAFE_INTEGER - 10, held: 4 })
    const state = given(payments, account.insert(rich))
    state.when(put('rich', 1, 'USD')).thenRejected('currency-mismatch', /EUR.*USD/)
    state.when(put('rich', 7)).thenRejected('balance-too-large')
    state.when(put('rich', 6)).then()
  })
})

describe('authorise', () => {
  test('holds the amount', () => {
    const held = alice().when(authorize(), { requestId: 'r', now: 9 }).then(PaymentAuthorized(paid))
    expect(ledgerOf(held)).toEqual({ 'world:EUR': -1000, 'wallet:alice': 300, 'held:alice': 700 })
    expect(held.row(payment, paymentId)).toEqual({
      id: paymentId,
      orderId,
      customer: 'alice',
      amount: 700,
      currency: 'EUR',
      method: 'wallet',
      reference: orderId,
      status: 'authorized',
      refunded: 0,
      code: null,
      message: null,
      token: null,
      ...idle,
      requestId: 'r',
      version: 1,
      createdAt: 9,
      updatedAt: 9,
    })
  })

  test('to the last cent', () => {
    const all = alice()
      .when(authorize({ amount: 1000 }))
      .then(PaymentAuthorized(paid))
    expect(all.row(account, 'alice')).toMatchObject({ balance: 0, held: 1000 })
  })

  test.each([
    ['more than there is', authorize({ amount: 1001 }), '1001 were needed, 1000 can be spent'],
    ['without a wallet', authorize({ customer: 'bob' }), 'bob has no wallet'],
    ['in another currency', authorize({ currency: 'USD' }), 'The wallet is in EUR, the payment in USD'],
  ])('%s is declined', (_, asked, message) => {
    const declined = PaymentDeclined({ ...paid, code: 'insufficient-funds', message })
    const state = alice().when(asked).then(declined)
    expect(statusOf(state)).toBe('declined')
    expect(state.row(account, 'alice')).toMatchObject({ balance: 1000, held: 0, version: 2 })
    state.when(asked).then(declined).when(put('alice', 5000)).then().when(authorize()).then(declined)
  })

  test('asked again it is answered again, and nothing moves', () => {
    const held = alice().when(authorize()).thenAccepted()
    const again = held.when(authorize({ amount: 1 })).then(PaymentAuthorized(paid))
    expect(again.changes).toEqual([])
    again.when(CapturePayment(paid)).thenAccepted().when(authorize()).then(PaymentAuthorized(paid))
  })

  test('what is not an amount is a bug of whoever asks', () => {
    for (const amount of [0, -5, 1.5]) expect(() => alice().when(authorize({ amount }))).toThrow(RangeError)
  })
})

describe('capture', () => {
  const held = () => alice().when(authorize()).thenAccepted()

  test('takes what is held, once', () => {
    const captured = held().when(CapturePayment(paid)).then(PaymentCaptured(paid))
    expect(ledgerOf(captured)).toEqual({ 'world:EUR': -1000, 'wallet:alice': 300, 'sales:EUR': 700 })
    expect(captured.row(payment, paymentId)).toMatchObject({ status: 'captured', refunded: 0, version: 2 })
    expect(captured.when(CapturePayment(paid)).then(PaymentCaptured(paid)).changes).toEqual([])
  })

  test('of what is not held is a bug', () => {
    expect(() => alice().when(CapturePayment(paid))).toThrow('unknown')
    expect(() => held().when(VoidPayment(paid)).thenAccepted().when(CapturePayment(paid))).toThrow('voided')
    expect(() =>
      alice()
        .when(authorize({ amount: 2000 }))
        .then(PaymentDeclined)
        .when(CapturePayment(paid)),
    ).toThrow('declined')
  })
})

describe('void', () => {
  test('gives back what is held, once', () => {
    const voided = alice().when(authorize()).thenAccepted().when(VoidPayment(paid)).then(PaymentVoided(paid))
    expect(ledgerOf(voided)).toEqual({ 'world:EUR': -1000, 'wallet:alice': 1000 })
    expect(statusOf(voided)).toBe('voided')
    expect(voided.when(VoidPayment(paid)).then(PaymentVoided(paid)).changes).toEqual([])
  })

  test('before the payment is known it refuses it', () => {
    const first = alice().when(VoidPayment(paid)).then(PaymentVoided(paid))
    const { amount, customer, currency, method } = first.row(payment, paymentId)!
    expect({ amount, customer, currency, method }).toEqual({ amount: 0, customer: null, currency: null, method: null })
    first.when(authorize()).thenUnchanged().when(VoidPayment(paid)).then(PaymentVoided(paid))
  })

  test('after it was undone a late question moves nothing', () => {
    alice().when(authorize()).thenAccepted().when(VoidPayment(paid)).thenAccepted().when(authorize()).thenUnchanged()
  })

  test('of what was declined is answered, and it stays declined', () => {
    const state = alice()
      .when(authorize({ amount: 9999 }))
      .then(PaymentDeclined)
      .when(VoidPayment(paid))
      .then(PaymentVoided(paid))
    expect(statusOf(state)).toBe('declined')
  })

  test('of what was captured is a refund, once', () => {
    const captured = alice().when(authorize()).thenAccepted().when(CapturePayment(paid)).thenAccepted()
    const refunded = captured.when(VoidPayment(paid)).then(PaymentRefunded(paid))
    expect(ledgerOf(refunded)).toEqual({ 'world:EUR': -1000, 'wallet:alice': 1000 })
    expect(refunded.row(payment, paymentId)).toMatchObject({ status: 'refunded', refunded: 700, version: 3 })
    expect(refunded.when(VoidPayment(paid)).then(PaymentRefunded(paid)).changes).toEqual([])
    refunded.when(CapturePayment(paid)).then(PaymentCaptured(paid)).when(authorize()).thenUnchanged()
  })
})

test('two payments share one wallet, and the second gets what is left', () => {
  const other = { orderId: 'ord_2', paymentId: 'pay_2' }
  const both = alice()
    .when(authorize())
    .thenAccepted()
    .when(authorize({ ...other, amount: 300 }))
    .then(PaymentAuthorized(other))
  expect(both.row(account, 'alice')).toMatchObject({ balance: 0, held: 1000 })
  both.when(authorize({ orderId: 'ord_3', paymentId: 'pay_3', amount: 1 })).then(PaymentDeclined)
  const settled = both.when(VoidPayment(paid)).thenAccepted().when(CapturePayment(other)).thenAccepted()
  expect(ledgerOf(settled)).toEqual({ 'world:EUR': -1000, 'wallet:alice': 700, 'sales:EUR': 300 })
})
