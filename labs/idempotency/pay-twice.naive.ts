/** Charges with each request. A client that asks again, because the answer got lost, is charged again. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** `POST /v1/pay`, with the customer its token names. */
export interface PayRequest {
  readonly customer: string
  /** The header Idempotency-Key: new for each intent of this customer, the same for its retries. */
  readonly key: string | undefined
  /** In cents. */
  readonly amount: number
  readonly reference: string
}

export interface PayAnswer {
  /** 201 when it is paid. 4xx when nothing is paid under this request; 409 or 503 for “ask again later”. */
  readonly status: number
  readonly body: { readonly id?: string; readonly [name: string]: unknown }
}

export interface Shop {
  /** One statement, on any connection. */
  readonly sql: Sql
  /** Several statements on one connection, between BEGIN and COMMIT. What throws is rolled back. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /**
   * Has the card processor, another company, charge the customer's card. Under one `key` it charges once, however often it is
   * asked, and gives the same charge; without a key it charges each time. The process may be killed before it answers.
   */
  charge(order: { readonly amount: number; readonly reference: string }, key?: string): Promise<{ readonly id: string }>
}

/** Handles one request. The answer has the payment's `id`: all answers to one intent have the same. */
export type Pay = (request: PayRequest) => Promise<PayAnswer>

/**
 * Called by each of the two servers when it starts, the first on an empty database: makes what tables it needs (CREATE TABLE IF
 * NOT EXISTS), and gives the handler.
 */
export type Open = (shop: Shop) => Promise<Pay>

const open: Open = async ({ sql, charge }) => {
  await sql('CREATE TABLE IF NOT EXISTS payments (id text PRIMARY KEY, customer text, amount integer, reference text)')
  return async ({ customer, amount, reference }) => {
    const { id } = await charge({ amount, reference })
    await sql('INSERT INTO payments VALUES ($1, $2, $3, $4)', [id, customer, amount, reference])
    return { status: 201, body: { id, amount } }
  }
}

export default open
