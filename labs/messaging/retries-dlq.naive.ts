/** Takes a message out of the queue and sends it, once. When that fails, the message is gone. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** What a worker has. */
export interface Post {
  /**
   * One statement, on any connection. There is the table `queue (id text PRIMARY KEY, attempts integer DEFAULT 0, error text)`,
   * which is empty; alter it, or make others, as you need.
   */
  readonly sql: Sql
  /**
   * Sends the message; throws when it cannot. Most faults are transient: the same message succeeds at its fourth attempt or
   * before. A poison message fails every time, until somebody mends what is wrong with it.
   */
  send(id: string): Promise<void>
  sleep(ms: number): Promise<void>
  /** A new one each time, from 0 up to 1. */
  random(): number
}

export interface DeadLetter {
  readonly id: string
  /** What the last attempt said. */
  readonly error: string
}

export interface Queue {
  /** Takes a message in. */
  accept(id: string): Promise<void>
  /** Works until nothing is left that is to be tried now or later. Called again when more has come. */
  work(): Promise<void>
  /** What has been given up. */
  deadLetters(): Promise<readonly DeadLetter[]>
  /** Puts a dead letter back, to be tried anew by `work`. */
  redrive(id: string): Promise<void>
}

export type Open = (post: Post) => Queue

const noRetry: Open = ({ sql, send }) => ({
  async accept(id) {
    await sql('INSERT INTO queue (id) VALUES ($1)', [id])
  },
  async work() {
    for (;;) {
      const [next] = await sql<{ id: string }>(
        'DELETE FROM queue WHERE id = (SELECT id FROM queue ORDER BY id LIMIT 1) RETURNING id',
      )
      if (!next) return
      await send(next.id).catch(() => undefined)
    }
  },
  deadLetters: async () => [],
  redrive: async () => undefined,
})

export default noRetry
