/** Does what the message asks for, then acknowledges it. Killed between the two, it is asked again, and does it again. */

/** A deposit, and the receipt for it. */
export interface Message {
  readonly id: string
  /** Each message has an account of its own. */
  readonly account: string
  /** In cents. */
  readonly amount: number
}

/**
 * What a worker has. The process may be killed before each statement, before each mail, and after it.
 *
 * Tables: `inbox (id, account, amount)` is the broker: a message stands in it, and is delivered again and again, until somebody
 * deletes it, which is the acknowledgement. `accounts (id, balance)`. For whatever you need: `processed (id)` and
 * `outbox (id, text)`, whose ids are unique, and which are empty.
 */
export interface Worker {
  /** One statement, always on the same connection, which is the message's own. */
  sql<Row extends object>(statement: string, values?: readonly unknown[]): Promise<Row[]>
  /**
   * Has the post office send a mail. It is another company's: no transaction of ours reaches it. Of mails with the same `key` it
   * sends one, however often it is asked; without a key it sends each. The text names the account.
   */
  send(text: string, key?: string): Promise<void>
}

/**
 * Called with each delivery of a message. Its account must have been credited once, and one receipt sent, whenever the process
 * dies. `start`, when there is one, is called by the worker that takes over after a death, before its first message.
 */
export type Handle = ((message: Message, worker: Worker) => Promise<void>) & {
  readonly start?: (worker: Worker) => Promise<void>
}

const handle: Handle = async ({ id, account, amount }, { sql, send }) => {
  await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, account])
  await send(`${amount} cents have arrived in ${account}`)
  await sql('DELETE FROM inbox WHERE id = $1', [id])
}

export default handle
