/** Marks a message as taken, works, marks it as done. A worker that dies has taken it for ever. */

export type Sql = <Row extends object>(statement: string, values?: readonly unknown[]) => Promise<Row[]>

/** What a worker has. The process may be killed, or stopped for a while and continued, while it works. */
export interface Desk {
  /**
   * One statement on any connection. The queue is the table `tasks`, with a row for each message: `id text`, `state` (`open`, then
   * `done`), `due_at timestamptz` (in the past), `attempt` and `token` (bigint, 0 at first), to be used as you like. What comes of
   * the work goes into `results (id text PRIMARY KEY, result text)`.
   */
  readonly sql: Sql
  /** Several statements on one connection, between BEGIN and COMMIT. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** Does the work of a message, which may take longer than `leaseMs`. Gives the result. */
  work(id: string): Promise<string>
  /** How long a worker that says nothing may be taken for alive. */
  readonly leaseMs: number
  /** Calls `task` every `ms` milliseconds, until what it gives back is called. */
  every(ms: number, task: () => Promise<unknown>): () => void
  /** A short pause, for when there is nothing to take. */
  pause(): Promise<void>
  /** Aborted when the worker is to end: it finishes what it has in hand, and returns. */
  readonly signal: AbortSignal
}

/**
 * A worker: takes messages, one at a time, and writes down what comes of them. Several run at once. A message of a worker that
 * died, or hangs, goes to another one; that of a worker that is only slow does not; and who comes too late changes nothing.
 */
export type RunWorker = (desk: Desk) => Promise<void>

const noTimeout: RunWorker = async ({ sql, work, pause, signal }) => {
  while (!signal.aborted) {
    const [message] = await sql<{ id: string }>(
      `UPDATE tasks SET attempt = 1 WHERE id = (
         SELECT id FROM tasks WHERE state = 'open' AND attempt = 0 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
    )
    if (!message) {
      await pause()
      continue
    }
    const result = await work(message.id)
    await sql(`INSERT INTO results VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET result = excluded.result`, [
      message.id,
      result,
    ])
    await sql(`UPDATE tasks SET state = 'done' WHERE id = $1`, [message.id])
  }
}

export default noTimeout
