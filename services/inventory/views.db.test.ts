import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { integerBetween, pick, seeded } from '@cauce/kit/core/prng'
import { command } from '@cauce/kit/pipeline/given'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { IssueStock, ReleaseStock, ReserveStock, StockReserved, type Line } from './contract.ts'
import type { AdjustStockCommand, PutProductCommand } from './decide.ts'
import { inventory, migrations } from './service.ts'
import { audit, findProduct, listProducts, show } from './views.ts'

const put = (sku: string) => {
  const price = { amount: 1999, currency: 'EUR' } as const
  return command<PutProductCommand>('PutProduct', { sku, name: sku.toLowerCase(), price, ifVersions: undefined })
}
const adjust = (sku: string, delta: number) =>
  command<AdjustStockCommand>('AdjustStock', { sku, delta, reason: 'count' })
const reserve = (n: number | string, ...lines: Line[]) => ReserveStock({ orderId: `ord_${n}`, lines })
const order = (n: number | string) => ({ orderId: `ord_${n}` })
const lamps = (quantity: number): Line => ({ sku: 'LAMP', quantity })

let database: ServiceDatabase
beforeAll(async () => {
  database = await openService(inventory, migrations)
})
afterAll(() => database.close())
beforeEach(() => database.sql('TRUNCATE inventory.stock, inventory.reservations, inventory.adjustments'))

const submitAll = async (...inputs: readonly Parameters<ServiceDatabase['submit']>[0][]) => {
  for (const input of inputs) await database.submit(input)
}
const check = () => audit(database.reads.query)
const right = { balanced: true, negative: 0 }

describe('reads', () => {
  test('a product', async () => {
    await submitAll(put('LAMP'), adjust('LAMP', 5), reserve(1, lamps(2)))
    expect(show((await findProduct(database.reads, 'LAMP'))!)).toEqual({
      sku: 'LAMP',
      name: 'lamp',
      price: { amount: 1999, currency: 'EUR' },
      onHand: 5,
      reserved: 2,
      available: 3,
      version: 3,
    })
    expect(await findProduct(database.reads, 'lamp')).toBeUndefined()
  })

  test('products in pages by SKU, none twice and none left out when more come', async () => {
    const skus = ['A-1', 'B.2', 'a', 'b_3', '0', 'Z']
    await submitAll(...skus.map(put))
    const seen: string[] = []
    for (let after = ''; ;) {
      const page = await listProducts(database.reads, after, 2)
      if (page.length === 0) break
      seen.push(...page.map(({ sku }) => sku))
      after = seen.at(-1)!
    }
    expect(new Set(seen)).toEqual(new Set(skus))
    expect(seen).toHaveLength(skus.length)
  })
})

describe('audit', () => {
  test('of nothing', async () => {
    expect(await check()).toEqual(right)
  })

  test('of every status a reservation can have, and of one SKU on two lines', async () => {
    await submitAll(put('LAMP'), put('DESK'), adjust('LAMP', 100), adjust('LAMP', -10), adjust('DESK', 3))
    await submitAll(reserve('held', lamps(1), lamps(2)), reserve('issued', lamps(4), { sku: 'DESK', quantity: 1 }))
    await submitAll(reserve('released', lamps(8)), reserve('rejected', lamps(999)), ReleaseStock(order('early')))
    await submitAll(IssueStock(order('issued')), ReleaseStock(order('released')))
    expect(await check()).toEqual(right)
    expect(await findProduct(database.reads, 'LAMP')).toMatchObject({ onHand: 86, reserved: 3 })
  })

  test('while a hot SKU is fought for: exactly what is there is reserved, and the books stay right', async () => {
    await submitAll(put('LAMP'), put('DESK'), adjust('LAMP', 100), adjust('DESK', 1_000))
    const lines = (n: number): Line[] =>
      n % 2 === 0 ? [lamps(1), { sku: 'DESK', quantity: 1 }] : [{ sku: 'DESK', quantity: 2 }, lamps(1)]
    const asked = Array.from({ length: 300 }, (_, n) => database.submit(reserve(n, ...lines(n))))
    const running = Array.from({ length: 5 }, check)
    const held = (await Promise.all(asked)).flatMap((decision, n) => {
      return decision.kind === 'accepted' && decision.messages[0]?.type === StockReserved.type ? [n] : []
    })
    expect(held).toHaveLength(100)
    await Promise.all(held.map((n) => database.submit(n % 3 === 0 ? IssueStock(order(n)) : ReleaseStock(order(n)))))
    for (const books of await Promise.all([...running, check()])) expect(books).toEqual(right)
    const issued = held.filter((n) => n % 3 === 0).length
    expect(await findProduct(database.reads, 'LAMP')).toMatchObject({ onHand: 100 - issued, reserved: 0 })
  })

  test('after inputs in any order, many to a transaction, the senders’ bugs among them', async () => {
    const random = seeded(7)
    const skus = ['A', 'B', 'C']
    await submitAll(...skus.map(put), ...skus.map((sku) => adjust(sku, 40)))
    const any = () => {
      const n = integerBetween(random, 1, 60)
      const lines = skus
        .slice(integerBetween(random, 0, 2))
        .map((sku) => ({ sku, quantity: integerBetween(random, 1, 5) }))
      const sku = pick(random, skus)
      return pick(random, [
        reserve(n, ...lines),
        reserve(n, ...lines),
        ReleaseStock(order(n)),
        IssueStock(order(n)),
        adjust(sku, 1),
      ])
    }
    const ended = await Promise.allSettled(Array.from({ length: 600 }, () => database.submit(any())))
    const bugs = ended.filter((each) => each.status === 'rejected')
    expect(bugs.length).toBeGreaterThan(0)
    for (const { reason } of bugs) expect((reason as Error).message).toMatch(/Nothing is held|were issued/)
    expect(await check()).toEqual(right)
  })
})

/** Each is a thing that no decision does, done by hand: the audit must see it. */
describe('audit finds', () => {
  beforeEach(async () => {
    await submitAll(put('LAMP'), adjust('LAMP', 10), reserve(1, lamps(2)), reserve(2, lamps(3)), IssueStock(order(2)))
  })

  test('nothing, as long as nothing is wrong', async () => {
    expect(await check()).toEqual(right)
  })

  test.each([
    ['a count that no adjustment explains', 'UPDATE inventory.stock SET on_hand = on_hand + 1'],
    ['a reserved count without a reservation', 'UPDATE inventory.stock SET reserved = reserved + 1'],
    [
      'a reservation that the count does not know',
      `UPDATE inventory.reservations SET status = 'held' WHERE order_id = 'ord_2'`,
    ],
    ['a reservation that is gone', `DELETE FROM inventory.reservations WHERE order_id = 'ord_1'`],
    ['an adjustment that is gone', 'DELETE FROM inventory.adjustments'],
    ['a product that is gone', 'DELETE FROM inventory.stock'],
    [
      'a line that is altered',
      `UPDATE inventory.reservations SET lines = '[{"sku":"DESK","quantity":2}]' WHERE order_id = 'ord_1'`,
    ],
  ])('%s', async (_, statement) => {
    await database.sql(statement)
    expect(await check()).toEqual({ balanced: false, negative: 0 })
  })

  test.each([
    ['more reserved than there is', 'reserved = 8'],
    ['a negative stock', 'on_hand = -1, reserved = -2'],
  ])('%s', async (_, change) => {
    await database.sql(
      `ALTER TABLE inventory.stock DROP CONSTRAINT stock_reservable; UPDATE inventory.stock SET ${change}`,
    )
    expect(await check()).toEqual({ balanced: false, negative: 1 })
    await database.sql(`DELETE FROM inventory.stock;
      ALTER TABLE inventory.stock ADD CONSTRAINT stock_reservable CHECK (0 <= reserved AND reserved <= on_hand)`)
  })
})
