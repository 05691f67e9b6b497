import { describe, expect, test } from 'vitest'
import { command, given } from '@cauce/kit/pipeline/given'
import {
  IssueStock,
  ProductPriced,
  ReleaseStock,
  ReserveStock,
  StockIssued,
  StockRejected,
  StockReleased,
  StockReserved,
  type Line,
} from './contract.ts'
import { commands, messages, type AdjustStockCommand, type PutProductCommand } from './decide.ts'
import { adjustment, reservation, stock, tables, type Stock } from './tables.ts'

const inventory = { tables, commands, messages }

const orderId = 'ord_1'

const product = (sku: string, onHand: number, reserved = 0): Stock => {
  const named = { name: sku.toLowerCase(), priceAmount: 1999, priceCurrency: 'EUR' }
  return { sku, ...named, onHand, reserved, version: 1, createdAt: 1, updatedAt: 1 }
}
const stockOf = (sku: string, onHand: number, reserved = 0) => stock.insert(product(sku, onHand, reserved))
const reserve = (...lines: Line[]) => ReserveStock({ orderId, lines })
const lamps = (quantity: number): Line => ({ sku: 'LAMP', quantity })

const shop = given(inventory, stockOf('LAMP', 5), stockOf('DESK', 1))
const held = shop.when(reserve(lamps(2), { sku: 'DESK', quantity: 1 })).then(StockReserved({ orderId }))

describe('reserve', () => {
  test('holds every line', () => {
    expect(held.row(stock, 'LAMP')).toMatchObject({ onHand: 5, reserved: 2, version: 2 })
    expect(held.row(stock, 'DESK')).toMatchObject({ onHand: 1, reserved: 1, version: 2 })
    expect(held.row(reservation, orderId)).toMatchObject({ status: 'held', refusal: null, requestId: 'req-1' })
  })

  test('what is on hand to the last unit, and not one more', () => {
    shop.when(reserve(lamps(5))).then(StockReserved)
    shop.when(reserve(lamps(6))).then(StockRejected)
  })

  test('all lines or none: the first that is short is named, and nothing is held', () => {
    const message = '2 of DESK were wanted, 1 are available'
    const rejected = shop
      .when(reserve(lamps(1), { sku: 'DESK', quantity: 2 }))
      .then(StockRejected({ orderId, sku: 'DESK', message }))
    expect(rejected.rows(stock)).toEqual(shop.rows(stock))
    expect(rejected.row(reservation, orderId)).toMatchObject({ status: 'rejected', refusal: { sku: 'DESK', message } })
  })

  test('a product nobody knows is short', () => {
    const message = '1 of SOFA were wanted, 0 are available'
    shop.when(reserve({ sku: 'SOFA', quantity: 1 })).then(StockRejected({ orderId, sku: 'SOFA', message }))
  })

  test('one SKU on two lines counts as their sum', () => {
    shop.when(reserve(lamps(3), lamps(3))).then(StockRejected)
    const both = shop.when(reserve(lamps(3), lamps(2))).then(StockReserved)
    expect(both.row(reservation, orderId)?.lines).toEqual([lamps(5)])
    expect(both.row(stock, 'LAMP')).toMatchObject({ reserved: 5, version: 2 })
  })

  test('what is held for others is not available', () => {
    given(inventory, stockOf('LAMP', 5, 4))
      .when(reserve(lamps(2)))
      .then(StockRejected)
  })
})

describe('asked again', () => {
  test('a reservation is answered again and not made again', () => {
    const again = held.when(reserve(lamps(1))).then(StockReserved({ orderId }))
    expect(again.changes).toEqual([])
  })

  test('a refusal is said again in the same words, also when there is stock by now', () => {
    const rejected = shop.when(reserve(lamps(6)))
    const [said] = rejected.messages
    const restocked = rejected
      .when(command<AdjustStockCommand>('AdjustStock', { sku: 'LAMP', delta: 10, reason: 'delivery' }))
      .then()
    expect(restocked.when(reserve(lamps(6))).then(said!).changes).toEqual([])
  })

  test('a release and an issue are answered again', () => {
    const released = held.when(ReleaseStock({ orderId })).then(StockReleased({ orderId }))
    expect(released.when(ReleaseStock({ orderId })).then(StockReleased({ orderId })).changes).toEqual([])
    const issued = held.when(IssueStock({ orderId })).then(StockIssued({ orderId }))
    expect(issued.when(IssueStock({ orderId })).then(StockIssued({ orderId })).changes).toEqual([])
  })

  test('after its end a reservation is not made again', () => {
    held
      .when(ReleaseStock({ orderId }))
      .when(reserve(lamps(1)))
      .thenUnchanged()
    held
      .when(IssueStock({ orderId }))
      .when(reserve(lamps(1)))
      .thenUnchanged()
  })
})

describe('release', () => {
  test('gives back what is held', () => {
    const released = held.when(ReleaseStock({ orderId }), { now: 7 }).then(StockReleased({ orderId }))
    expect(released.row(stock, 'LAMP')).toMatchObject({ onHand: 5, reserved: 0 })
    expect(released.row(reservation, orderId)).toMatchObject({ status: 'released', updatedAt: 7 })
  })

  test('before the reservation, refuses it later', () => {
    const early = shop.when(ReleaseStock({ orderId })).then(StockReleased({ orderId }))
    const late = early.when(reserve(lamps(1))).thenUnchanged()
    expect(late.row(stock, 'LAMP')).toMatchObject({ reserved: 0 })
  })

  test('of a refused reservation has nothing to give back', () => {
    const released = shop
      .when(reserve(lamps(6)))
      .when(ReleaseStock({ orderId }))
      .then(StockReleased({ orderId }))
    expect(released.changes).toEqual([])
  })
})

describe('issue', () => {
  test('what was held leaves the shelf', () => {
    const issued = held.when(IssueStock({ orderId })).then(StockIssued({ orderId }))
    expect(issued.row(stock, 'LAMP')).toMatchObject({ onHand: 3, reserved: 0, version: 3 })
    expect(issued.row(stock, 'DESK')).toMatchObject({ onHand: 0, reserved: 0 })
  })

  test('of what is not held, and a release of what is gone, are bugs of whoever asks', () => {
    expect(() => shop.when(IssueStock({ orderId }))).toThrow('Nothing is held for ord_1')
    expect(() => held.when(ReleaseStock({ orderId })).when(IssueStock({ orderId }))).toThrow('Nothing is held')
    expect(() => held.when(IssueStock({ orderId })).when(ReleaseStock({ orderId }))).toThrow('were issued')
  })
})

describe('products', () => {
  const put = (changes: Partial<PutProductCommand> = {}) => {
    const sofa = {
      sku: 'SOFA',
      name: 'Sofa',
      price: { amount: 50_000, currency: 'EUR' },
      ifVersions: undefined,
    } as const
    return command<PutProductCommand>('PutProduct', { ...sofa, ...changes })
  }
  const priced = (amount: number) => ProductPriced({ sku: 'SOFA', name: 'Sofa', amount, currency: 'EUR' })
  const sofa = shop.when(put()).then(priced(50_000))

  test('a new one has no stock', () => {
    expect(sofa.reply).toEqual(sofa.row(stock, 'SOFA'))
    expect(sofa.reply).toMatchObject({ onHand: 0, reserved: 0, version: 1, priceAmount: 50_000 })
  })

  test('a new price is told; its stock stays', () => {
    const cheaper = { name: 'lamp', price: { amount: 1, currency: 'EUR' } } as const
    const changed = held.when(put({ sku: 'LAMP', ...cheaper })).then(ProductPriced)
    expect(changed.row(stock, 'LAMP')).toMatchObject({
      priceAmount: 1,
      onHand: 5,
      reserved: 2,
      version: 3,
      createdAt: 1,
    })
  })

  test('the same again changes nothing and answers the product', () => {
    expect(sofa.when(put()).thenUnchanged().reply).toEqual(sofa.reply)
  })

  test('If-Match', () => {
    const price = { amount: 1, currency: 'EUR' } as const
    sofa.when(put({ price, ifVersions: [3, 1] })).then(priced(1))
    sofa.when(put({ price, ifVersions: [2] })).thenRejected('precondition-failed', /is at version 1/)
    sofa.when(put({ ifVersions: [] })).thenRejected('precondition-failed')
    shop.when(put({ ifVersions: [1] })).thenRejected('precondition-failed', /does not exist/)
  })
})

describe('adjust', () => {
  const adjust = (delta: number, sku = 'LAMP') =>
    command<AdjustStockCommand>('AdjustStock', { sku, delta, reason: 'count' })

  test('adds and takes, and keeps each as a row', () => {
    const adjusted = held.when(adjust(3), { id: 'a', now: 9 }).then().when(adjust(-6), { id: 'b', now: 10 }).then()
    expect(adjusted.reply).toMatchObject({ onHand: 2, reserved: 2, version: 4, updatedAt: 10 })
    const [first, second] = adjusted.rows(adjustment)
    expect(first).toEqual({ id: 'a', sku: 'LAMP', delta: 3, reason: 'count', requestId: 'req-2', at: 9 })
    expect(second).toMatchObject({ id: 'b', delta: -6 })
  })

  test('never below what is reserved, nor beyond what can be counted', () => {
    held.when(adjust(-3)).then()
    held.when(adjust(-4)).thenRejected('stock-reserved', /5 are on hand and 2 reserved: -4 leaves too few/)
    shop.when(adjust(-6)).thenRejected('stock-reserved')
    given(inventory, stockOf('LAMP', Number.MAX_SAFE_INTEGER)).when(adjust(1)).thenRejected('stock-too-large')
  })

  test('needs a product', () => {
    shop.when(adjust(1, 'SOFA')).thenRejected('not-found')
  })
})
