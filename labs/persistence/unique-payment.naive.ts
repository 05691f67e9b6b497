/** Looks whether the payment is there, then writes it. Between the two somebody else may have written the same one. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

export interface Payment {
  /** Whoever asks again, because the answer got lost, asks with the same id. */
  readonly paymentId: string
  readonly customer: string
  /** In cents. */
  readonly amount: number
}

export interface Database {
  /** One statement, on any connection. An error of PostgreSQL is thrown with its `code`: '23505' for a duplicate key. */
  readonly sql: Sql
  /** Several statements on one connection, between BEGIN and COMMIT. What throws is rolled back. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/** Records a payment, and says whether it was new. Many call it at the same time, some with the same payment. */
export type RecordPayment = (payment: Payment, database: Database) => Promise<'recorded' | 'duplicate'>

/**
 * Called once, on an empty database. Makes the table `payments (payment_id text, customer text, amount integer)` — whatever
 * else it has must have defaults — and gives the function that records a payment.
 */
export type Open = (sql: Sql) => Promise<RecordPayment>

const open: Open = async (sql) => {
  await sql('CREATE TABLE payments (payment_id text NOT NULL, customer text NOT NULL, amount integer NOT NULL)')
  return async ({ paymentId, customer, amount }, database) => {
    const found = await database.sql('SELECT 1 FROM payments WHERE payment_id = $1', [paymentId])
    if (found.length > 0) return 'duplicate'
    await database.sql('INSERT INTO payments VALUES ($1, $2, $3)', [paymentId, customer, amount])
    return 'recorded'
  }
}

export default open
