/**
 * Inventory's decisions. An order has one reservation:
 *
 *   (none) ──reserve──▶ held ──issue──▶ issued
 *     │ │                └────release──▶ released
 *     │ └──reserve, too little is there──▶ rejected
 *     └──release──▶ released, a tombstone that refuses a reservation still on its way
 *
 * 1. All lines or none: what is held is held for every line.
 * 2. The first question decides. Asked again, it is answered from what is there, in the same words.
 * 3. To issue what is not held, or to release what was issued, is a mistake of whoever asks. No answer would be true, so it
 *    throws: the message parks, for somebody to look at, and nothing has changed.
 */
import { allows, notAllowed, type IfVersions } from '@cauce/kit/core/precondition'
import { accept, on, onCommand, reject, unchanged } from '@cauce/kit/pipeline/decision'
import type { Context, Decider, Decision, Rows } from '@cauce/kit/pipeline/decision'
import type { AdjustStock, Line, PutProduct } from './contract.ts'
import {
  IssueStock,
  ProductPriced,
  ReleaseStock,
  ReserveStock,
  StockIssued,
  StockRejected,
  StockReleased,
  StockReserved,
} from './contract.ts'
import { adjustment, available, reservation, stock, type Refusal, type Reservation, type Stock } from './tables.ts'

export const reserveStock = on(ReserveStock, {
  lock: ({ orderId, lines }) => [reservation.key(orderId), ...lines.map((line) => stock.key(line.sku))],
  decide({ orderId, lines }, rows, context) {
    const seen = rows.get(reservation, orderId)
    if (seen) return answerAgain(seen)
    const wanted = merge(lines)
    const row = begun(orderId, wanted, context)
    const short = wanted.find((line) => !covers(rows.get(stock, line.sku), line.quantity))
    if (short) {
      const left = available(rows.get(stock, short.sku) ?? { onHand: 0, reserved: 0 })
      const message = `${short.quantity} of ${short.sku} were wanted, ${left} are available`
      const refusal: Refusal = { sku: short.sku, message }
      return accept({
        changes: [reservation.insert({ ...row, status: 'rejected', refusal })],
        messages: [StockRejected({ orderId, ...refusal })],
      })
    }
    const held = wanted.map(({ sku, quantity }) => move(rows, sku, { reserved: quantity }, context.now))
    return accept({ changes: [reservation.insert(row), ...held], messages: [StockReserved({ orderId })] })
  },
})

/** What was answered before, said again. A release or an issue was answered too, and there is nothing to add to it. */
function answerAgain({ orderId, status, refusal }: Reservation): Decision {
  if (status === 'held') return accept({ messages: [StockReserved({ orderId })] })
  if (refusal) return accept({ messages: [StockRejected({ orderId, ...refusal })] })
  return unchanged
}

export const releaseStock = on(ReleaseStock, {
  lock: ({ orderId }, rows) => lockWithLines(orderId, rows),
  decide({ orderId }, rows, context) {
    const seen = rows.get(reservation, orderId)
    const messages = [StockReleased({ orderId })]
    if (!seen) {
      return accept({ changes: [reservation.insert({ ...begun(orderId, [], context), status: 'released' })], messages })
    }
    if (seen.status === 'issued') throw new Error(`The goods of ${orderId} were issued: they cannot be released`)
    if (seen.status !== 'held') return accept({ messages })
    const { now } = context
    const back = seen.lines.map(({ sku, quantity }) => move(rows, sku, { reserved: -quantity }, now))
    return accept({ changes: [reservation.update({ ...seen, status: 'released', updatedAt: now }), ...back], messages })
  },
})

export const issueStock = on(IssueStock, {
  lock: ({ orderId }, rows) => lockWithLines(orderId, rows),
  decide({ orderId }, rows, { now }) {
    const seen = rows.get(reservation, orderId)
    const messages = [StockIssued({ orderId })]
    if (seen?.status === 'issued') return accept({ messages })
    if (seen?.status !== 'held') throw new Error(`Nothing is held for ${orderId}: it cannot be issued`)
    const gone = seen.lines.map(({ sku, quantity }) => move(rows, sku, { reserved: -quantity, onHand: -quantity }, now))
    return accept({ changes: [reservation.update({ ...seen, status: 'issued', updatedAt: now }), ...gone], messages })
  },
})

export interface PutProductCommand extends PutProduct {
  readonly sku: string
  /** The versions that If-Match allows; undefined when the caller did not say. */
  readonly ifVersions: IfVersions
}

/** The same name and price again change nothing, so a repeat needs no key. */
export const putProduct = onCommand<PutProductCommand>('PutProduct', {
  lock: ({ sku }) => [stock.key(sku)],
  decide({ sku, name, price, ifVersions }, rows, { now }) {
    const before = rows.get(stock, sku)
    if (!allows(ifVersions, before?.version))
      return reject('precondition-failed', notAllowed('product', before?.version))
    if (before?.name === name && before.priceAmount === price.amount && before.priceCurrency === price.currency) {
      return accept({ reply: before })
    }
    const priced = { name, priceAmount: price.amount, priceCurrency: price.currency, updatedAt: now }
    const row: Stock = before
      ? { ...before, ...priced, version: before.version + 1 }
      : { sku, ...priced, onHand: 0, reserved: 0, version: 1, createdAt: now }
    return accept({
      changes: [before ? stock.update(row) : stock.insert(row)],
      messages: [ProductPriced({ sku, name, amount: price.amount, currency: price.currency })],
      reply: row,
    })
  },
})

export interface AdjustStockCommand extends AdjustStock {
  readonly sku: string
  readonly ifVersions?: IfVersions
}

export const adjustStock = onCommand<AdjustStockCommand>('AdjustStock', {
  lock: ({ sku }) => [stock.key(sku)],
  decide({ sku, delta, reason, ifVersions }, rows, { now, inputId, requestId }) {
    const before = rows.get(stock, sku)
    if (!before) return reject('not-found', `There is no product ${sku}`)
    if (!allows(ifVersions, before.version)) return reject('precondition-failed', notAllowed('product', before.version))
    const onHand = before.onHand + delta
    if (onHand < before.reserved) {
      return reject(
        'stock-reserved',
        `${before.onHand} are on hand and ${before.reserved} reserved: ${delta} leaves too few`,
      )
    }
    if (!Number.isSafeInteger(onHand))
      return reject('stock-too-large', `${before.onHand} and ${delta} more are too many to count`)
    const row: Stock = { ...before, onHand, version: before.version + 1, updatedAt: now }
    return accept({
      changes: [stock.update(row), adjustment.insert({ id: inputId, sku, delta, reason, requestId, at: now })],
      reply: row,
    })
  },
})

const begun = (orderId: string, lines: readonly Line[], { now, requestId }: Context): Reservation => {
  return { orderId, lines, status: 'held', refusal: null, requestId, createdAt: now, updatedAt: now }
}

function lockWithLines(orderId: string, rows: Rows) {
  const lines = rows.get(reservation, orderId)?.lines ?? []
  return [reservation.key(orderId), ...lines.map((line) => stock.key(line.sku))]
}

/** One line per SKU: an order may name one twice. */
function merge(lines: readonly Line[]): Line[] {
  const quantities = new Map<string, number>()
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }))
}

const covers = (row: Stock | undefined, quantity: number): boolean => row !== undefined && available(row) >= quantity

function move(rows: Rows, sku: string, by: { reserved?: number; onHand?: number }, now: number) {
  const row = rows.get(stock, sku)
  if (!row) throw new Error(`There is no stock row for ${sku}`)
  const moved = { reserved: row.reserved + (by.reserved ?? 0), onHand: row.onHand + (by.onHand ?? 0) }
  return stock.update({ ...row, ...moved, version: row.version + 1, updatedAt: now })
}

export const commands: readonly Decider[] = [putProduct, adjustStock]
export const messages: readonly Decider[] = [reserveStock, releaseStock, issueStock]
