/** Takes the oldest message that nobody else has, and applies it. Two consumers can hold two messages of one key at a time. */

export interface Message {
  readonly position: number
  /** What it is about: messages of one key have to be applied in the order of their numbers, 1, 2, 3 … */
  readonly key: string
  readonly number: number
}

/** What a consumer has. There are several at a time, each in a process of its own. */
export interface Consumer {
  /**
   * One statement, always on the same connection: BEGIN and COMMIT are statements too. The table is
   * `messages (position integer PRIMARY KEY, key text, number integer, state text DEFAULT 'waiting')`, in the order of
   * `position`. A message that you give up for now gets the state `parked`; it is put back to `waiting` when what was wrong
   * with it is mended. All other states are yours.
   */
  sql<Row extends object>(statement: string, values?: readonly unknown[]): Promise<Row[]>
  /**
   * Applies a message, within the transaction that is open. Throws, and has done nothing, when the message cannot be applied.
   * The process may be killed before it.
   */
  apply(message: Message): Promise<void>
}

/** Applies what it may, and returns when it finds nothing more. It is called again. */
export type Consume = (consumer: Consumer) => Promise<void>

const oldestFree = `
  SELECT position, key, number FROM messages WHERE state = 'waiting'
  ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED`

const competingConsumers: Consume = async ({ sql, apply }) => {
  for (;;) {
    await sql('BEGIN')
    const [message] = await sql<Message>(oldestFree)
    if (message) {
      const state = await apply(message).then(
        () => 'done',
        () => 'parked',
      )
      await sql('UPDATE messages SET state = $2 WHERE position = $1', [message.position, state])
    }
    await sql('COMMIT')
    if (!message) return
  }
}

export default competingConsumers
