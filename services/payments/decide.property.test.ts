/**
 * Payments against whatever may come: inputs of a few customers and orders, repeated, reordered, contradictory. After each one
 * the books are right, and the payment's story is the one its answers told.
 */
import { command, given, type Given, type Outcome } from '@cauce/kit/pipeline/given'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CapturePayment, VoidPayment } from './contract.ts'
import { account, payment, posting, type Payment } from './tables.ts'
import { authorize, exactLedgerOf, payments, shownBy } from './testing.ts'

type Input = Parameters<Given['when']>[0]

const customer = fc.constantFrom('alice', 'bob', 'carol')
const currency = fc.constantFrom('EUR', 'EUR', 'EUR', 'USD')
const order = fc.constantFrom('1', '2', '3', '4').map((n) => ({ orderId: `ord_${n}`, paymentId: `pay_${n}` }))
const amount = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 100 }) },
  { weight: 1, arbitrary: fc.constant(Number.MAX_SAFE_INTEGER) },
)

const authorization = fc
  .record({ order, customer, currency, amount })
  .map(({ order, ...asked }) => authorize({ ...order, ...asked }))
const input: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ id: customer, currency }).map((data) => command('OpenAccount', data)),
  fc
    .record({ account: customer, amount, currency, reference: fc.constant('r') })
    .map((data) => command('Deposit', data)),
  { weight: 3, arbitrary: authorization },
  { weight: 2, arbitrary: order.map(CapturePayment) },
  { weight: 2, arbitrary: order.map(VoidPayment) },
)
/** Wallets that have something, so that most payments get somewhere. */
const funded: Input[] = ['alice', 'bob'].flatMap((id) => [
  command('OpenAccount', { id, currency: 'EUR' }),
  command('Deposit', { account: id, amount: 150, currency: 'EUR', reference: 'r' }),
])
const inputs = fc.array(input, { maxLength: 40 }).map((rest) => [...funded, ...rest])

type Check = (before: Given, after: Outcome, asked: Input) => void

/** The state after an input; the same state when its decision threw. */
function step(state: Given, asked: Input, check: Check = () => undefined): Given {
  let after: Outcome
  try {
    after = state.when(asked)
  } catch (error) {
    expect(mayThrow(state, asked, error as Error), `${JSON.stringify(asked)}: ${String(error)}`).toBe(true)
    return state
  }
  check(state, after, asked)
  return after
}

/** Only a capture of what is not held, and a refund into a wallet that was filled to the brim meanwhile. */
function mayThrow(state: Given, { type, data }: Input, error: Error): boolean {
  const paid = state.row(payment, (data as { paymentId?: string }).paymentId ?? '')
  if (type === 'CapturePayment') return !['authorized', 'captured', 'refunded'].includes(paid?.status ?? '')
  return type === 'VoidPayment' && paid?.status === 'captured' && error instanceof RangeError
}

function run(list: readonly Input[], check?: Check): Given {
  return list.reduce((state, asked) => step(state, asked, check), given(payments))
}

test('the inputs lead to every status a wallet payment can have', () => {
  const reached = fc.sample(inputs, { numRuns: 50, seed: 1 }).flatMap((list) =>
    run(list)
      .rows(payment)
      .map(({ status }) => status),
  )
  expect([...new Set(reached)].toSorted()).toEqual(['authorized', 'captured', 'declined', 'refunded', 'voided'])
})

test('money is conserved, every row is the sum of its postings, nothing is negative (I1)', () => {
  fc.assert(
    fc.property(inputs, (list) => {
      run(list, (_, after) => {
        const sums = exactLedgerOf(after)
        expect(total(Object.values(sums))).toBe(0n)
        const customers = Object.entries(sums).filter(([name]) => /^(wallet|held):/.test(name))
        expect(Object.fromEntries(customers)).toEqual(shownBy(after))
        for (const [name, sum] of Object.entries(sums)) if (!name.startsWith('world:')) expect(sum).toBeGreaterThan(0n)
        const entered = after.rows(posting).filter(({ kind }) => kind === 'deposit')
        const world = Object.entries(sums).filter(([name]) => name.startsWith('world:'))
        expect(total(world.map(([, sum]) => -sum))).toBe(total(entered.map(({ amount }) => BigInt(amount))))
        for (const { debit, credit, currency } of after.rows(posting)) {
          for (const name of [debit, credit]) expect(currencyOf(after, name)).toBe(currency)
        }
      })
    }),
  )
})

const total = (amounts: readonly bigint[]): bigint => amounts.reduce((sum, amount) => sum + amount, 0n)

const currencyOf = (state: Given, name: string): string | undefined => {
  const [place, of = ''] = name.split(':')
  return place === 'world' || place === 'sales' ? of : state.row(account, of)?.currency
}

/** What a payment's postings must be, whatever led to its status. */
const kindsOf: Record<Payment['status'], string[]> = {
  pending: [],
  declined: [],
  authorized: ['hold'],
  captured: ['hold', 'capture'],
  refunded: ['hold', 'capture', 'refund'],
  voided: ['hold', 'release'],
  uncollected: [],
}

test('a payment moves its amount once per step, and only forwards', () => {
  const next: Record<string, string[]> = {
    none: ['authorized', 'declined', 'voided'],
    authorized: ['captured', 'voided'],
    captured: ['refunded'],
  }
  fc.assert(
    fc.property(inputs, (list) => {
      run(list, (before, after) => {
        for (const row of after.rows(payment)) {
          const moved = after.rows(posting).filter(({ subject }) => subject === row.id)
          expect(moved.map(({ kind }) => kind)).toEqual(row.customer === null ? [] : kindsOf[row.status])
          expect(moved.every((entry) => entry.amount === row.amount)).toBe(true)
          expect(row.refunded).toBe(row.status === 'refunded' ? row.amount : 0)
          const was = before.row(payment, row.id)
          if (was?.status !== row.status) expect(next[was?.status ?? 'none']).toContain(row.status)
        }
      })
    }),
  )
})

test('a message that comes twice says the same twice, and moves nothing the second time', () => {
  fc.assert(
    fc.property(inputs, (list) => {
      run(list, (_, after, asked) => {
        if ('kind' in asked) return
        const again = after.when(asked)
        expect(again.changes).toEqual([])
        expect(again.messages).toEqual(after.messages)
      })
    }),
  )
})

test('whatever is asked after a void is refused: the money is back', () => {
  fc.assert(
    fc.property(inputs, order, fc.array(input, { maxLength: 10 }), (list, paid, later) => {
      const state = run([...list.filter(({ type }) => type !== 'CapturePayment'), VoidPayment(paid)])
      const voided = state.row(payment, paid.paymentId)?.status
      expect(['voided', 'declined']).toContain(voided)
      const after = later.reduce((at, asked) => step(at, asked), state)
      expect(after.row(payment, paid.paymentId)?.status).toBe(voided)
    }),
  )
})
