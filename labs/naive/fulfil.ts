/** What happens to an order once it is paid: a parcel, the money, a mail. Called by the event, on nobody's behalf. */
import type { Pool } from 'pg'
import type { Transporter } from 'nodemailer'
import { post } from './post.ts'
import type { OrderRow } from './schema.ts'

export interface Fulfilment {
  readonly db: Pool
  readonly sandboxUrl: string
  readonly mail: Transporter
}

export async function fulfil({ db, sandboxUrl, mail }: Fulfilment, id: number): Promise<void> {
  const { rows } = await db.query<OrderRow>('SELECT * FROM naive.orders WHERE id = $1', [id])
  const order = rows[0]!
  const { reference, customer, lines, ship_to: shipTo, charge, total } = order
  const parcel = { shipmentId: `naive-${id}`, orderId: reference, shipTo, lines }
  const { status } = await post(`${sandboxUrl}/shipments`, parcel, () => `ship-${id}`)
  if (status !== 201) return giveBack(db, sandboxUrl, order)
  if (charge !== null) await post(`${sandboxUrl}/charges/${charge}/capture`, { amount: total }, () => `capture-${id}`)
  await db.query(`UPDATE naive.orders SET status = 'completed' WHERE id = $1`, [id])
  // Mistake 8: the mail comes last and is part of nothing. Killed before it, nobody will ever send it.
  await mail.sendMail({
    from: 'orders@naive.example',
    to: `${customer}@customers.example`,
    subject: `Your order ${reference}`,
    text: `Your order ${reference} is on its way.`,
  })
}

/** The parcel cannot be delivered. Of several charges only the one that is known is given back. */
async function giveBack(db: Pool, sandboxUrl: string, order: OrderRow): Promise<void> {
  const { id, customer, lines, charge, total } = order
  if (charge === null) {
    await db.query('UPDATE naive.wallets SET balance = balance + $2 WHERE customer = $1', [customer, total])
  } else {
    await post(`${sandboxUrl}/charges/${charge}/void`, {}, () => `void-${id}`)
  }
  for (const { sku, quantity } of lines) {
    await db.query('UPDATE naive.products SET stock = stock + $2 WHERE sku = $1', [sku, quantity])
  }
  await db.query(`UPDATE naive.orders SET status = 'cancelled' WHERE id = $1`, [id])
}
