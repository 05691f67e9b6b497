/**
 * The kit's task queue as a broker: a producer publishes a message, which is a task; a consumer receives it under a lease and
 * acknowledges or refuses it, with the token of its claim. What nobody answers for comes back when the lease ends.
 */
import { systemTimers } from '@cauce/kit/core/clock'
import { createPool } from '@cauce/kit/database/pool'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import { inTransaction } from '@cauce/kit/pipeline/unit-of-work'
import type { Settlement, Task, TaskHold, TaskQueue } from '@cauce/kit/task/port'
import { postgresTaskQueue } from '@cauce/kit/task/postgres'

/** Where the kit's tables are, and those of the lab. */
export const SCHEMA = 'shop'
/** The type of the tasks that are messages. */
export const MESSAGE = 'message'

/** As long as a poll may be late. */
const SHORTEST_WAIT_MS = 5

export interface NewMessage {
  readonly id: string
  readonly data: object
}

export interface MessageQueue {
  readonly tasks: TaskQueue
  publish(messages: readonly NewMessage[]): Promise<void>
  /** Claims one message that is due, and waits for one while there are any. Undefined when all of them have ended. */
  receive(leaseMs: number): Promise<Task | undefined>
  /** False when the claim is no longer current: somebody else has the message, or has ended it. */
  acknowledge(hold: TaskHold): Promise<boolean>
  /** It comes back after `afterMs`. False as for `acknowledge`. */
  refuse(hold: TaskHold, reason: string, afterMs: number): Promise<boolean>
  close(): Promise<void>
}

/** Makes the kit's tables in a database that is empty. */
export async function createQueue(url: string): Promise<void> {
  const { prepareSchema } = await import('./prepare.ts')
  await prepareSchema(url, SCHEMA)
}

export function openQueue(url: string): MessageQueue {
  const pool = createPool({ url, purpose: 'pipeline', size: 2 })
  const transactions = postgresTransactions({ pool, schema: SCHEMA, tables: [], lanes: 1, timers: systemTimers })
  const tasks = postgresTaskQueue(pool, SCHEMA)
  const settle = ({ id, token }: TaskHold, settlement: (now: number) => Settlement) =>
    inTransaction(transactions, async (work) => {
      const now = await work.begun
      const held = await work.tasks.lock([{ id, token }])
      if (held.length === 0) return false
      await work.tasks.settle([settlement(now)])
      return true
    })
  return {
    tasks,
    publish: (messages) =>
      inTransaction(transactions, async (work) => {
        const at = await work.begun
        const origin = { type: MESSAGE, requestId: 'lab', causeId: 'lab', at }
        const enqueued = messages.map(({ id, data }) => ({ ...origin, id, key: id, data }))
        await work.tasks.apply({ enqueued, scheduled: [], unscheduled: [] })
      }),
    async receive(leaseMs) {
      for (;;) {
        const [task] = await tasks.claim([MESSAGE], 1, leaseMs)
        if (task) return task
        const dueInMs = await tasks.nextDueInMs([MESSAGE])
        if (dueInMs === undefined) return undefined
        await systemTimers.sleep(Math.max(dueInMs, SHORTEST_WAIT_MS))
      }
    },
    acknowledge: ({ id, token }) =>
      settle({ id, token }, () => ({ id, token, state: 'done', outcome: { kind: 'done' }, error: null })),
    refuse: ({ id, token }, error, afterMs) =>
      settle({ id, token }, (now) => ({ id, token, state: 'open', dueAt: now + afterMs, error, refund: false })),
    close: () => pool.close(),
  }
}
