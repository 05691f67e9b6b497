/**
 * I3 and the books, over arbitrary, repeated and reordered inputs. After each input the whole stock is counted again from the
 * reservations and adjustments; the harness itself refuses rows that violate a declared check.
 */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { NewMessage } from '@cauce/kit/log/message'
import { command, given, type Given } from '@cauce/kit/pipeline/given'
import { IssueStock, ReleaseStock, ReserveStock, type Line } from './contract.ts'
import { commands, messages, type AdjustStockCommand, type PutProductCommand } from './decide.ts'
import { adjustment, available, reservation, stock, tables, type Reservation } from './tables.ts'

const inventory = { tables, commands, messages }

const skus = ['A', 'B', 'C']
const orders = ['ord_1', 'ord_2', 'ord_3']

type Asked = NewMessage | ReturnType<typeof command>

const sku = fc.constantFrom(...skus)
const orderId = fc.constantFrom(...orders)
const lines = fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 6 }) }), { minLength: 1, maxLength: 3 })
const price = fc.record({ amount: fc.integer({ min: 1, max: 9 }), currency: fc.constant('EUR' as const) })

const input: fc.Arbitrary<Asked> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ orderId, lines }).map(ReserveStock) },
  { weight: 3, arbitrary: fc.record({ orderId }).map(ReleaseStock) },
  { weight: 3, arbitrary: fc.record({ orderId }).map(IssueStock) },
  {
    weight: 3,
    arbitrary: fc
      .record({ sku, delta: fc.integer({ min: -8, max: 12 }), reason: fc.constant('count') })
      .map((data) => command<AdjustStockCommand>('AdjustStock', data)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ sku, name: fc.constantFrom('x', 'y'), price, ifVersions: fc.constant(undefined) })
      .map((data) => command<PutProductCommand>('PutProduct', data)),
  },
)

/** Each input up to three times, in any order. */
const inputs = fc.array(input, { minLength: 1, maxLength: 25 }).chain((once) => {
  const copies = once.flatMap((one) => [one, one, one])
  return fc.shuffledSubarray(copies, { minLength: once.length })
})

/** A shop with a few of each: enough for some orders, too few for all. */
const shop = skus
  .flatMap((each) => [
    command<PutProductCommand>('PutProduct', {
      sku: each,
      name: each,
      price: { amount: 1, currency: 'EUR' },
      ifVersions: undefined,
    }),
    command<AdjustStockCommand>('AdjustStock', { sku: each, delta: 8, reason: 'first' }),
  ])
  .reduce(step, given(inventory))

/** One input; one that is a bug of its sender (it throws) leaves everything as it was, as the pipeline does. */
function step(world: Given, asked: Asked): Given & { readonly messages?: readonly NewMessage[] } {
  try {
    return world.when(asked)
  } catch (error) {
    if (!/Nothing is held|were issued/.test((error as Error).message)) throw error
    return world
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)

function linesOf(world: Given, status: Reservation['status'], of: string): number {
  const found = world.rows(reservation).filter((row) => row.status === status)
  return sum(found.flatMap((row) => row.lines.filter((line) => line.sku === of).map((line) => line.quantity)))
}

function assertBalanced(world: Given): void {
  for (const row of world.rows(stock)) {
    const adjusted = world.rows(adjustment).filter((each) => each.sku === row.sku)
    expect(0 <= row.reserved && row.reserved <= row.onHand).toBe(true)
    expect(row.reserved).toBe(linesOf(world, 'held', row.sku))
    expect(row.onHand).toBe(sum(adjusted.map((each) => each.delta)) - linesOf(world, 'issued', row.sku))
  }
}

/** What may follow each status. */
const next: Record<Reservation['status'], readonly Reservation['status'][]> = {
  held: ['held', 'released', 'issued'],
  released: ['released'],
  issued: ['issued'],
  rejected: ['rejected'],
}

const total = (wanted: readonly Line[], of: string): number =>
  sum(wanted.filter((line) => line.sku === of).map((line) => line.quantity))

describe('any inputs, repeated and reordered', () => {
  test.prop([inputs])('the books balance after each, and no end is undone', (asked) => {
    let world = shop
    for (const each of asked) {
      const after = step(world, each)
      assertBalanced(after)
      for (const { orderId: id, status, lines: before } of world.rows(reservation)) {
        expect(next[status]).toContain(after.row(reservation, id)?.status)
        expect(after.row(reservation, id)?.lines).toEqual(before)
      }
      world = after
    }
  })

  test.prop([inputs, orderId, lines])('all lines or none, and exactly when all are available', (asked, id, wanted) => {
    const world = asked.reduce(step, shop)
    const seen = world.row(reservation, id)
    const after = step(world, ReserveStock({ orderId: id, lines: wanted }))
    const rose = skus.map((each) => after.row(stock, each)!.reserved - world.row(stock, each)!.reserved)
    const fits = skus.every((each) => total(wanted, each) <= available(world.row(stock, each)!))
    expect(rose).toEqual(skus.map((each) => (!seen && fits ? total(wanted, each) : 0)))
    if (!seen) expect(after.row(reservation, id)?.status).toBe(fits ? 'held' : 'rejected')
  })

  test.prop([inputs, input])('the same question again changes nothing and has the same answer', (asked, question) => {
    const first = step(asked.reduce(step, shop), question)
    if ('kind' in question && question.type === 'AdjustStock') return
    const again = step(first, question)
    for (const table of [reservation, stock, adjustment])
      expect(again.rows(table as typeof stock)).toEqual(first.rows(table as typeof stock))
    if (!('kind' in question)) expect(again.messages).toEqual(first.messages)
  })

  test.prop([inputs, inputs, lines])(
    'a release before the reservation refuses it for ever',
    (before, after, wanted) => {
      const id = 'ord_early'
      const released = step(before.reduce(step, shop), ReleaseStock({ orderId: id }))
      const world = step(after.reduce(step, released), ReserveStock({ orderId: id, lines: wanted }))
      expect(world.row(reservation, id)).toMatchObject({ status: 'released', lines: [] })
    },
  )
})
