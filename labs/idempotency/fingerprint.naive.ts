/** The same request within five minutes is a retry, whatever its key says. */
import { createHash } from 'node:crypto'

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

export interface Payment {
  readonly customer: string
  /** Idempotency-Key: what this customer's client calls the intent. The same for each retry, another one for another intent. */
  readonly key: string
  /** What is asked for, as parsed from JSON: the order of its members says nothing. */
  readonly body: { readonly amount: number; readonly currency: string; readonly reference: string }
  /** When it arrived, in milliseconds. */
  readonly at: number
}

/** 201 with the payment's id; a retry gets the same id. 4xx, without an id, when nothing was paid and nothing will be. */
export interface Answer {
  readonly status: number
  readonly id?: string
}

export type Pay = (payment: Payment) => Promise<Answer>

export interface Shop {
  /** One statement, always on the same connection; one payment after the other. */
  readonly sql: Sql
}

/** Called once, on an empty database. Makes `payments (id text, customer text, amount integer, …)`, a row for each payment. */
export type Open = (shop: Shop) => Promise<Pay>

const WINDOW_MS = 5 * 60_000

const open: Open = async ({ sql }) => {
  await sql('CREATE TABLE payments (id text PRIMARY KEY, customer text, amount integer, fingerprint text, at bigint)')
  return async ({ customer, body, at }) => {
    const { amount, currency, reference } = body
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([customer, amount, currency, reference]))
      .digest('hex')
    const [seen] = await sql<{ id: string }>('SELECT id FROM payments WHERE fingerprint = $1 AND at > $2', [
      fingerprint,
      at - WINDOW_MS,
    ])
    if (seen) return { status: 201, id: seen.id }
    const id = `pay_${fingerprint.slice(0, 24)}_${at}`
    await sql('INSERT INTO payments VALUES ($1, $2, $3, $4, $5)', [id, customer, amount, fingerprint, at])
    return { status: 201, id }
  }
}

export default open
