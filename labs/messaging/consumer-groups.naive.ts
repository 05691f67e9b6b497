/** Takes the oldest message out of the queue, whoever asks. Two services that share a queue share its messages, too. */

export interface Message {
  readonly position: number
  /** The order it is about. */
  readonly key: string
}

/** What a consumer has. There are two of each group at a time, each in a process of its own. */
export interface Consumer {
  /** `billing` or `shipping`. Each of the two has to apply every message, once. */
  readonly group: string
  /**
   * One statement, always on the same connection: BEGIN and COMMIT are statements too. The tables: `messages (position integer
   * PRIMARY KEY, key text)`; and, to be used or not, `cursors (consumer_group text PRIMARY KEY, position integer)`, with a row
   * for each group that says 0, and `applied (consumer_group text, position integer, PRIMARY KEY (consumer_group, position))`,
   * which is empty.
   */
  sql<Row extends object>(statement: string, values?: readonly unknown[]): Promise<Row[]>
  /** Applies a message for the group, within the transaction that is open. The process may be killed before it. */
  apply(message: Message): Promise<void>
}

/** Applies what it may, and returns when it finds nothing more. It is called again. */
export type Consume = (consumer: Consumer) => Promise<void>

const takeOldest = `
  DELETE FROM messages WHERE position =
    (SELECT position FROM messages ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING position, key`

const oneQueue: Consume = async ({ sql, apply }) => {
  for (;;) {
    await sql('BEGIN')
    const [message] = await sql<Message>(takeOldest)
    if (message) await apply(message)
    await sql('COMMIT')
    if (!message) return
  }
}

export default oneQueue
