/** `POST /orders`, the way it is written on a Friday afternoon: one step after the other, and each of them works. */
import type { EventEmitter } from 'node:events'
import type { Pool } from 'pg'
import { systemIds } from '@cauce/kit/core/id-source'
import { post } from './post.ts'
import type { NewOrder, Product } from './schema.ts'

export interface Shop {
  readonly db: Pool
  readonly sandboxUrl: string
  /** `paid`, with the id of an order. */
  readonly events: EventEmitter
}

export interface Answer {
  readonly status: number
  readonly body: { readonly id?: number; readonly code?: string }
}

const refused = (status: number, code: string): Answer => ({ status, body: { code } })

/** Whatever throws in here is a 500, and what was done before stays done. */
export async function placeOrder(shop: Shop, order: NewOrder): Promise<Answer> {
  const { db, events } = shop
  const { reference, customer, lines, payment, shipTo } = order

  // Mistake 2: nobody looks at the Idempotency-Key. Who asks again, because the answer got lost, orders again.
  const products = await productsOf(db, lines)
  if (products.some(({ stock, quantity }) => stock < quantity)) return refused(409, 'out-of-stock')
  const total = products.reduce((sum, { price, quantity }) => sum + price * quantity, 0)

  // Mistake 3: no transaction around the steps. Killed between two of them, the order stays in the middle.
  const inserted = await db.query<{ id: number }>(
    `INSERT INTO naive.orders (reference, customer, lines, ship_to, method, total, status)
     VALUES ($1, $2, $3, $4, $5, $6, 'new') RETURNING id`,
    [reference, customer, JSON.stringify(lines), shipTo, payment.method, total],
  )
  const id = inserted.rows[0]!.id
  const refusal = payment.method === 'wallet' ? await payFromWallet(shop, customer, total) : undefined
  const charge = payment.method === 'card' ? await chargeCard(shop, reference, total, payment.token) : undefined
  if (refusal !== undefined || charge?.declined === true) {
    await db.query(`UPDATE naive.orders SET status = 'cancelled' WHERE id = $1`, [id])
    return refusal ?? refused(402, 'payment-declined')
  }

  // Mistake 4: checked above, written here, from what was read then: two customers get the same last piece.
  for (const { sku, stock, quantity } of products) {
    await db.query('UPDATE naive.products SET stock = $2 WHERE sku = $1', [sku, stock - quantity])
  }
  await db.query(`UPDATE naive.orders SET status = 'paid', charge = $2 WHERE id = $1`, [id, charge?.key ?? null])

  // Mistake 5: the event is told after the write, to a queue in memory. A crash forgets it, and the parcel is never sent.
  events.emit('paid', id)
  return { status: 201, body: { id } }
}

async function productsOf(db: Pool, lines: NewOrder['lines']) {
  const found: (Product & { quantity: number })[] = []
  for (const { sku, quantity } of lines) {
    const { rows } = await db.query<Product>('SELECT * FROM naive.products WHERE sku = $1', [sku])
    found.push({ ...rows[0]!, quantity })
  }
  return found
}

async function payFromWallet({ db }: Shop, customer: string, total: number): Promise<Answer | undefined> {
  const { rows } = await db.query<{ balance: number }>('SELECT balance FROM naive.wallets WHERE customer = $1', [
    customer,
  ])
  const balance = rows[0]?.balance ?? 0
  if (balance < total) return refused(402, 'insufficient-funds')
  // Mistake 6: read, subtract, write back. Of two payments at the same time one is forgotten.
  await db.query('UPDATE naive.wallets SET balance = $2 WHERE customer = $1', [customer, balance - total])
  return undefined
}

async function chargeCard({ sandboxUrl }: Shop, reference: string, amount: number, token: string) {
  const body = { paymentId: reference, amount, currency: 'EUR', token }
  // Mistake 7: every try has a key of its own, so the processor takes a retry after a lost answer for another charge.
  const { status, key } = await post(`${sandboxUrl}/charges`, body, () => systemIds.draw())
  return { key, declined: status !== 201 }
}
