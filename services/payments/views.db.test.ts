import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { command } from '@cauce/kit/pipeline/given'
import { CapturePayment, PaymentAuthorized, VoidPayment } from './contract.ts'
import { authorize } from './testing.ts'
import { migrations, payments as definition } from './service.ts'
import { audit, findAccount, findPayment, showAccount, showPayment } from './views.ts'

const open = (id: string) => command('OpenAccount', { id, currency: 'EUR' })
const put = (account: string, amount: number) =>
  command('Deposit', { account, amount, currency: 'EUR', reference: 'r' })
const paid = (n: number | string) => ({ orderId: `ord_${n}`, paymentId: `pay_${n}` })
const pay = (n: number | string, amount: number) => authorize({ ...paid(n), amount })
const right = { balanced: true, negativeAccounts: 0, duplicateCharges: 0, held: 0, stranded: [], faults: [] }

let payments: ServiceDatabase
beforeAll(async () => {
  payments = await openService(definition, migrations)
})
afterAll(() => payments.close())
beforeEach(async () => {
  await payments.sql(`ALTER TABLE payments.postings DISABLE TRIGGER USER; TRUNCATE payments.payments, payments.refunds, payments.accounts, payments.postings;
    ALTER TABLE payments.postings ENABLE TRIGGER USER; TRUNCATE payments.tasks`)
})

const submitAll = async (...inputs: readonly { readonly type: string; readonly data: unknown }[]) => {
  for (const input of inputs) await payments.submit(input)
}
const check = () => audit(payments.reads.query)

describe('reads', () => {
  test('an account', async () => {
    await submitAll(open('alice'), put('alice', 100), pay(1, 30))
    const row = await findAccount(payments.reads, 'alice')
    expect(row).toMatchObject({ owner: 'alice', requestId: 'req-test' })
    expect(showAccount(row!)).toEqual({ id: 'alice', currency: 'EUR', balance: 70, held: 30, version: 3 })
    expect(await findAccount(payments.reads, 'nobody')).toBeUndefined()
  })

  test('a payment', async () => {
    await submitAll(open('alice'), put('alice', 100), pay(1, 30), CapturePayment(paid(1)))
    expect(showPayment((await findPayment(payments.reads, 'pay_1'))!)).toEqual({
      id: 'pay_1',
      customer: 'alice',
      amount: 30,
      currency: 'EUR',
      method: 'wallet',
      status: 'captured',
      refunded: 0,
      reference: 'ord_1',
      version: 2,
    })
    await submitAll(VoidPayment(paid('never')))
    expect(await findPayment(payments.reads, 'pay_never')).toBeUndefined()
  })
})

const post = (
  id: string,
  subject: string,
  kind: string,
  debit: string,
  credit: string,
  amount: number,
  currency = 'EUR',
) =>
  payments.sql(`INSERT INTO payments.postings (id, subject, kind, debit, credit, amount, currency, reference, request_id, at)
    VALUES ('${id}', '${subject}', '${kind}', '${debit}', '${credit}', ${amount}, '${currency}', '', '', now())`)

describe('audit', () => {
  test('of nothing', async () => {
    expect(await check()).toEqual(right)
  })

  test('of every status a payment can have', async () => {
    await submitAll(open('alice'), put('alice', 100), open('bob'))
    await submitAll(
      pay('held', 1),
      pay('captured', 2),
      pay('voided', 4),
      pay('refunded', 8),
      pay('declined', 999),
      VoidPayment(paid('never')),
    )
    await submitAll(CapturePayment(paid('captured')), VoidPayment(paid('voided')))
    await submitAll(CapturePayment(paid('refunded')), VoidPayment(paid('refunded')))
    expect(await check()).toEqual({ ...right, held: 1 })
  })

  test('while a hot wallet is fought for: as many payments as it can pay, and the books stay right', async () => {
    await submitAll(open('alice'), put('alice', 500))
    const all = Array.from({ length: 200 }, (_, n) => payments.submit(pay(n, 5)))
    const running = Array.from({ length: 5 }, check)
    const decisions = await Promise.all(all)
    const authorized = decisions.flatMap((decision, n) => {
      return decision.kind === 'accepted' && decision.messages[0]?.type === PaymentAuthorized.type ? [n] : []
    })
    expect(authorized).toHaveLength(100)
    await Promise.all(
      authorized.map((n, i) => payments.submit(i % 2 === 0 ? CapturePayment(paid(n)) : VoidPayment(paid(n)))),
    )
    for (const books of await Promise.all([...running, check()]))
      expect(books).toMatchObject({ balanced: true, negativeAccounts: 0 })
    expect(await check()).toEqual(right)
    expect(await findAccount(payments.reads, 'alice')).toMatchObject({ balance: 250, held: 0 })
  })
})

/** Each is a thing that no decision does, done by hand: the audit must see it. */
describe('audit finds', () => {
  beforeEach(() => submitAll(open('alice'), put('alice', 100), pay(1, 30), CapturePayment(paid(1)), pay(2, 20)))

  test('nothing, as long as nothing is wrong', async () => {
    expect(await check()).toEqual({ ...right, held: 1 })
  })

  test('a balance that no posting explains', async () => {
    await payments.sql(`UPDATE payments.accounts SET balance = balance + 1`)
    expect(await check()).toMatchObject({ balanced: false, faults: ['wallet:alice shows 51, its postings say 50'] })
  })

  test('a posting that no account shows', async () => {
    await post('x', 'dep_x', 'deposit', 'world:EUR', 'wallet:ghost', 5)
    expect(await check()).toMatchObject({ balanced: false, faults: ['wallet:ghost shows 0, its postings say 5'] })
  })

  test('a posting in another currency than its account', async () => {
    await post('x', 'dep_x', 'deposit', 'world:EUR', 'wallet:alice', 5, 'USD')
    const { balanced, faults } = await check()
    expect(balanced).toBe(false)
    expect(faults).toEqual(['wallet:alice shows 0, its postings say 5', 'world:EUR shows 0, its postings say -5'])
  })

  test('an account below zero', async () => {
    await post('x', 'pay_1', 'refund', 'sales:EUR', 'wallet:alice', 31)
    expect(await check()).toMatchObject({ balanced: false, negativeAccounts: 1 })
  })

  test('a payment captured twice', async () => {
    await post('x', 'pay_1', 'capture', 'held:alice', 'sales:EUR', 20)
    const found = await check()
    expect(found).toMatchObject({ balanced: false, duplicateCharges: 1 })
    expect(found.faults).toContain('pay_1 is captured; held, captured, released, refunded: 30, 50, 0, 0')
  })

  test.each(['authorized', 'voided', 'refunded'])('a captured payment that says it is %s', async (status) => {
    await payments.sql(`UPDATE payments.payments SET status = '${status}' WHERE id = 'pay_1'`)
    expect(await check()).toMatchObject({ balanced: false, faults: [expect.stringContaining(`pay_1 is ${status}`)] })
  })

  test('a payment that is gone', async () => {
    await payments.sql(`DELETE FROM payments.payments WHERE id = 'pay_2'`)
    expect(await check()).toMatchObject({ balanced: false, faults: [expect.stringContaining('pay_2 is unknown')] })
  })
})

describe('audit of card payments', () => {
  const card = (n: number) => authorize({ ...paid(n), amount: 30, method: 'card', token: 'tok_ok' })

  test('what a processor has not given back yet is counted, not posted', async () => {
    await submitAll(card(1), card(2))
    await payments.sql(
      `UPDATE payments.payments SET status = 'captured', doing = NULL, charge_key = 'k', refunded = 10`,
    )
    for (const id of ['pay_1', 'pay_2']) await post(id, id, 'card-capture', 'world:EUR', 'sales:EUR', 30)
    expect(await check()).toMatchObject({ balanced: false })
    await payments.sql(`INSERT INTO payments.refunds SELECT 'ref_' || id, id, 10, 'EUR', 'r', 'pending', '', 1, now(), now()
      FROM payments.payments`)
    // And nobody asks the processor for it.
    expect(await check()).toEqual({ ...right, stranded: ['ord_1', 'ord_2'] })
    await payments.sql(`UPDATE payments.refunds SET status = 'refunded' WHERE payment_id = 'pay_2'`)
    expect(await check()).toMatchObject({ balanced: false, faults: [expect.stringContaining('pay_2')] })
    await post('r2', 'pay_2', 'card-refund', 'sales:EUR', 'world:EUR', 10)
    expect(await check()).toEqual({ ...right, stranded: ['ord_1'] })
  })

  test('a payment that says it was captured, and was not', async () => {
    await submitAll(card(1))
    await payments.sql(`UPDATE payments.payments SET status = 'captured', doing = NULL`)
    expect(await check()).toMatchObject({ balanced: false })
  })

  test('a step that no task takes any more', async () => {
    await submitAll(card(1), card(2), card(3))
    expect(await check()).toEqual(right)
    await payments.sql(`UPDATE payments.tasks SET state = 'dead' WHERE key = 'ord_1'`)
    await payments.sql(`UPDATE payments.payments SET doing = 'void', charge_key = 'k' WHERE id = 'pay_2'`)
    expect(await check()).toEqual({ ...right, stranded: ['ord_1', 'ord_2'] })
  })

  test('what waits behind a step that there is not', async () => {
    await submitAll(card(1), card(2))
    await payments.sql(
      `UPDATE payments.payments SET status = 'authorized', doing = NULL, charge_key = 'k', wanted = 'void'`,
    )
    expect((await check()).stranded).toEqual(['ord_1', 'ord_2'])
    await payments.sql(
      `UPDATE payments.payments SET wanted = NULL, refunding = CASE id WHEN 'pay_1' THEN '["ref_1"]'::json ELSE refunding END`,
    )
    expect((await check()).stranded).toEqual(['ord_1'])
  })
})
