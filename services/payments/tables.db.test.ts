import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareWithSchema } from '@cauce/kit/database/table-schema'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import {
  account,
  payment,
  posting,
  refund,
  tables,
  type Account,
  type Payment,
  type Posting,
  type Refund,
} from './tables.ts'
import { migrations, payments as definition } from './service.ts'
import { idle } from './payment-row.ts'
import { walletOf } from './testing.ts'

let payments: ServiceDatabase
beforeAll(async () => {
  payments = await openService(definition, migrations)
})
afterAll(() => payments.close())

test('the migrated schema is what the tables declare', async () => {
  expect(await compareWithSchema(payments.reads, 'payments', tables)).toEqual([])
})

const paid: Payment = {
  id: 'pay_1',
  orderId: 'ord_1',
  customer: 'alice',
  amount: 5,
  currency: 'EUR',
  method: 'wallet',
  reference: 'ord_1',
  status: 'captured',
  refunded: 2,
  code: null,
  message: null,
  token: null,
  ...idle,
  requestId: 'r',
  version: 1,
  createdAt: 1,
  updatedAt: 1,
}
const tombstone: Payment = {
  ...paid,
  customer: null,
  currency: null,
  method: null,
  amount: 0,
  refunded: 0,
  status: 'voided',
}
const byCard: Payment = { ...paid, refunded: 0, method: 'card', token: 'tok_ok', status: 'pending', doing: 'authorize' }
const declined: Payment = {
  ...paid,
  refunded: 0,
  status: 'declined',
  code: 'insufficient-funds',
  message: 'Too little',
}
const refunding: Refund = {
  id: 'ref_1',
  paymentId: 'pay_1',
  amount: 2,
  currency: 'EUR',
  reason: 'broken',
  status: 'pending',
  requestId: 'r',
  version: 1,
  createdAt: 1,
  updatedAt: 1,
}
const entry: Posting = {
  id: 'pay_1.hold',
  subject: 'pay_1',
  kind: 'hold',
  debit: 'wallet:alice',
  credit: 'held:alice',
  amount: 5,
  currency: 'EUR',
  reference: 'ord_1',
  requestId: 'r',
  at: 1,
}
const alice = walletOf('alice')

/** Inserts the row and takes it back. Gives the name of the constraint that refused it. */
async function refusedBy(
  table: typeof payment | typeof refund | typeof account | typeof posting,
  row: object,
): Promise<string | undefined> {
  const values = Object.entries(row).map(([name, value]) => {
    const kind = (table.columns as Record<string, { kind: string }>)[name]?.kind
    if (value === null) return 'NULL'
    if (kind === 'json') return `'${JSON.stringify(value)}'`
    return kind === 'instant' ? `to_timestamp(${String(value)})` : `'${String(value)}'`
  })
  const names = Object.keys(row).map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
  try {
    await payments.sql('BEGIN')
    await payments.sql(`INSERT INTO payments.${table.name} (${names.join(', ')}) VALUES (${values.join(', ')})`)
    return undefined
  } catch (error) {
    return (error as { constraint?: string }).constraint ?? String(error)
  } finally {
    await payments.sql('ROLLBACK')
  }
}

describe('PostgreSQL checks what the tables declare', () => {
  const payments: [Partial<Payment>, Payment, string?][] = [
    [{}, paid],
    [{}, tombstone],
    [{}, declined],
    [{ amount: 0, refunded: 0 }, paid, 'asked'],
    [{ currency: null }, paid, 'asked'],
    [{ method: null }, paid, 'asked'],
    [{ status: 'authorized' }, tombstone, 'asked'],
    [{ amount: 1 }, tombstone, 'asked'],
    [{ status: 'declined' }, paid, 'declined'],
    [{ code: 'payment-declined', message: 'No' }, paid, 'declined'],
    [{ message: null }, declined, 'declined'],
    [{ refunded: 6 }, paid, 'refundable'],
    [{ refunded: -1 }, paid, 'refundable'],
    [{}, byCard],
    [{ status: 'uncollected' }, byCard],
    [{ token: null }, byCard, 'card'],
    [{ status: 'pending', doing: null }, byCard, 'card'],
    [{ doing: 'capture' }, paid, 'card'],
    [{ token: 'tok_ok' }, paid, 'card'],
    [{ status: 'uncollected' }, paid, 'card'],
  ]
  const refunds: [Partial<Refund>, Refund, string?][] = [
    [{}, refunding],
    [{ amount: 0 }, refunding, 'positive'],
    [{ status: 'lost' as never }, refunding, 'known'],
  ]
  const accounts: [Partial<Account>, Account, string?][] = [
    [{}, alice],
    [{ balance: -1 }, alice, 'funded'],
    [{ held: -1 }, alice, 'funded'],
  ]
  const postings: [Partial<Posting>, Posting, string?][] = [
    [{}, entry],
    [{ amount: 0 }, entry, 'moves'],
    [{ amount: -5 }, entry, 'moves'],
    [{ credit: 'wallet:alice' }, entry, 'moves'],
  ]
  const cases = [
    ...payments.map(([change, row, check]) => ({ table: payment, row: { ...row, ...change }, change, check })),
    ...refunds.map(([change, row, check]) => ({ table: refund, row: { ...row, ...change }, change, check })),
    ...accounts.map(([change, row, check]) => ({ table: account, row: { ...row, ...change }, change, check })),
    ...postings.map(([change, row, check]) => ({ table: posting, row: { ...row, ...change }, change, check })),
  ]

  test.each(cases)('$table.name with $change: $check', async ({ table, row, check }) => {
    const violated = Object.entries(table.checks).filter(([, holds]) => !holds(row as never))
    expect(violated.map(([name]) => name)).toEqual(check ? [check] : [])
    expect(await refusedBy(table, row)).toBe(check && `${table.name}_${check}`)
  })
})

describe('postings', () => {
  beforeAll(() =>
    payments.sql(`INSERT INTO payments.postings (id, subject, kind, debit, credit, amount, currency, reference, request_id, at)
      VALUES ('pay_9.hold', 'pay_9', 'hold', 'wallet:a', 'held:a', 5, 'EUR', '', '', now())`),
  )

  test.each(['UPDATE payments.postings SET amount = 6', 'DELETE FROM payments.postings', 'TRUNCATE payments.postings'])(
    '%s is refused',
    async (statement) => {
      await expect(payments.sql(statement)).rejects.toMatchObject({
        code: '23001',
        message: expect.stringContaining('immutable'),
      })
    },
  )

  test('nothing is held twice', async () => {
    expect(await refusedBy(posting, { ...entry, id: 'pay_9.hold', subject: 'pay_9', requestId: 'another' })).toBe(
      'postings_pkey',
    )
  })
})
