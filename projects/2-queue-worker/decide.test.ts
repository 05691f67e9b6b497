/** Project 2's decisions alone: what one transaction makes of both services. */
import { describe, expect, test } from 'vitest'
import { command, finished, given, type Given } from '@cauce/kit/pipeline/given'
import { ProductPriced } from '@cauce/inventory/contract'
import { copyPrice, type CreateOrder } from '@cauce/orders/decide'
import { deposit, openAccount } from '@cauce/payments/decide-accounts'
import type { Charge } from '../common/charge.ts'
import { PLACE_ORDER } from '../common/http.ts'
import { tables } from '../common/tables.ts'
import { orderOf } from '../common/testing.ts'
import { PAY_ORDER, payOrder, placeOrder } from './decide.ts'

const service = { tables, commands: [placeOrder, openAccount, deposit], messages: [copyPrice], tasks: [payOrder] }
const id = 'a'.repeat(32)
const order = (at: Given) => rowOf(at, 'orders', `ord_${id}`)
const payment = (at: Given) => rowOf(at, 'payments', `pay_${id}`)
const wallet = (at: Given) => rowOf(at, 'accounts', 'alice')
const rowOf = (at: Given, name: string, key: string): any =>
  at.row(
    tables.find((table) => table.name === name)!,
    key,
  )

const shop = given(service)
  .when(ProductPriced({ sku: 'LAMP', name: 'Lamp', amount: 1999, currency: 'EUR' }))
  .when(command('OpenAccount', { id: 'alice', currency: 'EUR' }))
  .when(command('Deposit', { account: 'alice', amount: 5000, currency: 'EUR', reference: 'bank' }))

function placed(card?: string) {
  const data = { ...orderOf('LAMP', card), customer: 'alice' } as CreateOrder
  const after = shop.when(command(PLACE_ORDER, data), { id }).then()
  const [job] = after.tasks
  if (job?.kind !== 'enqueue') throw new Error('There is no job')
  return { after, ask: job.task.data }
}

const done = (result: object = {}) => ({ kind: 'done', result }) as const
const charged: Charge = { key: 'k-1', authorization: { kind: 'authorized', expiresAt: 9e12 } }

describe('placing an order', () => {
  test('stores it with one job, and takes nothing yet', () => {
    const { after, ask } = placed()
    expect(after.tasks).toMatchObject([{ kind: 'enqueue', task: { type: PAY_ORDER, key: `ord_${id}` } }])
    expect(ask).toMatchObject({ amount: 1999, customer: 'alice', method: 'wallet' })
    expect([order(after).status, payment(after), wallet(after).balance]).toEqual(['authorizing', undefined, 5000])
  })
})

describe('a job that was done', () => {
  test('pays from the wallet and completes, in one decision; done again it changes nothing', () => {
    const { after, ask } = placed()
    const paid = after.when(finished(PAY_ORDER, ask, done())).then()
    expect(order(paid)).toMatchObject({ status: 'completed', paymentStatus: 'captured', failureCode: null })
    expect([payment(paid).status, wallet(paid).balance, wallet(paid).held]).toEqual(['captured', 3001, 0])
    expect(paid.tasks).toEqual([])
    paid.when(finished(PAY_ORDER, ask, done())).thenUnchanged()
  })

  test('cancels when there is too little in it', () => {
    const { after, ask } = placed()
    const poor = after.when(finished(PAY_ORDER, { ...ask, amount: 6000 }, done())).then()
    expect(order(poor)).toMatchObject({ status: 'cancelled', failureCode: 'insufficient-funds' })
    expect([payment(poor).status, wallet(poor).balance]).toEqual(['declined', 5000])
  })

  test('writes down what the processor did, under the key it was asked with', () => {
    const { after, ask } = placed('tok_ok')
    const paid = after.when(finished(PAY_ORDER, ask, done(charged))).then()
    expect(order(paid)).toMatchObject({ status: 'completed', paymentMethod: 'card', paymentStatus: 'captured' })
    expect(payment(paid)).toMatchObject({ status: 'captured', chargeKey: 'k-1', doing: null })
    expect(wallet(paid).balance).toBe(5000)
  })

  test('or that it would not', () => {
    const { after, ask } = placed('tok_declined')
    const no: Charge = { key: 'k-1', authorization: { kind: 'declined', message: 'No' } }
    const declined = after.when(finished(PAY_ORDER, ask, done(no))).then()
    expect(order(declined)).toMatchObject({
      status: 'cancelled',
      failureCode: 'payment-declined',
      failureMessage: 'No',
    })
  })
})

describe('a job that was not', () => {
  test('changes nothing when nobody knows what happened, and is left to a person when it cannot be', () => {
    const { after, ask } = placed('tok_ok')
    after.when(finished(PAY_ORDER, ask, { kind: 'exhausted', reason: 'HTTP 503' })).thenUnchanged()
    expect(() => after.when(finished(PAY_ORDER, ask, { kind: 'cancelled', reason: 'expired' }))).toThrow('expired')
  })
})
