/**
 * The acknowledgement as a part of the effect: the pipeline locks the message by its token, decides, saves the balance and
 * ends the message in one transaction. There is no moment between the two at which one could die.
 */
import { systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { createPool } from '@cauce/kit/database/pool'
import { integer, table, text } from '@cauce/kit/database/table'
import { accept, onTask } from '@cauce/kit/pipeline/decision'
import { outcomeSource } from '@cauce/kit/pipeline/outcomes'
import { Pipeline } from '@cauce/kit/pipeline/pipeline'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import { done } from '@cauce/kit/task/outcome'
import type { Task } from '@cauce/kit/task/port'
import type { Message, Worker } from './delivery.naive.ts'
import { MESSAGE, SCHEMA } from './queue.ts'
import { withSteps, type Step } from '../harness/steps.ts'

/** What the variants of this repository get besides. */
export interface InsideWorker extends Worker {
  readonly url: string
  readonly step: Step
  /** The message as the queue gave it. */
  readonly task: Task
}

const accounts = table('accounts', { key: 'id', columns: { id: text, balance: integer } })

const credited = onTask<{ amount: number }>(MESSAGE, {
  lock: () => [accounts.key('ana')],
  decide({ data: { amount } }, rows) {
    const ana = rows.get(accounts, 'ana')!
    return accept({ changes: [accounts.update({ ...ana, balance: ana.balance + amount })] })
  },
})

const source = outcomeSource({ effects: new Map(), random: systemRandom })
let pipeline: Pipeline | undefined

export async function ackInTransaction(_message: Message, worker: InsideWorker): Promise<void> {
  pipeline ??= startPipeline(worker)
  await pipeline.run(source, [{ task: worker.task, outcome: done() }])
}

function startPipeline({ url, step }: InsideWorker): Pipeline {
  const pool = createPool({ url, purpose: 'pipeline', size: 2 })
  const tables = [accounts]
  const transactions = postgresTransactions({ pool, schema: SCHEMA, tables, lanes: 1, timers: systemTimers })
  return new Pipeline({
    transactions: withSteps(transactions, step),
    tables,
    handler: () => credited,
    timers: systemTimers,
    random: systemRandom,
  })
}
