/** Acknowledges, then applies: at most once. A worker that dies between the two has lost the message. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

export interface Message {
  readonly id: string
  /** In cents, to be added to the balance. */
  readonly amount: number
}

/** What a worker has. It may be killed before each statement, before the acknowledgement, and after it. */
export interface Worker {
  /** The broker forgets the message. Without it the message is delivered again when the lease ends: to this worker or another. */
  ack(): Promise<void>
  /**
   * One statement on any connection. The tables: `accounts (id text PRIMARY KEY, balance bigint)`, with the one row `ana`; and,
   * to be used or not, `processed (message_id text PRIMARY KEY)`, which is empty.
   */
  readonly sql: Sql
  /** Several statements on one connection, between BEGIN and COMMIT. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/** Called with each delivery of a message: the balance must grow by its amount, once, and the broker must forget it. */
export type Deliver = (message: Message, worker: Worker) => Promise<void>

const atMostOnce: Deliver = async ({ amount }, { ack, sql }) => {
  await ack()
  await sql(`UPDATE accounts SET balance = balance + $1 WHERE id = 'ana'`, [amount])
}

export default atMostOnce
