/** Adds the amount with each delivery. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

export interface Message {
  readonly id: string
  readonly account: string
  /** In cents, to be added to the balance. */
  readonly amount: number
}

/**
 * What a worker has. Tables: `accounts (id, balance)`, where each message has an account of its own; and `processed (message_id)`,
 * which is empty and whose ids are unique.
 */
export interface Worker {
  /** One statement, on any connection. The process may be killed before it. */
  readonly sql: Sql
  /** Several statements on one connection, between BEGIN and COMMIT. What throws is rolled back. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
}

/**
 * Called with each delivery: by several processes, also with the same message at the same time. When it returns the message is
 * acknowledged; what it throws is not, and is delivered again.
 */
export type Handle = (message: Message, worker: Worker) => Promise<void>

const handle: Handle = async ({ account, amount }, { sql }) => {
  await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, account])
}

export default handle
