/** Payments over a PostgreSQL of its own, for tests: its pipeline, its pools, and SQL for what nobody may do. */
import { fileURLToPath } from 'node:url'
import { systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { systemIds } from '@cauce/kit/core/id-source'
import { migrate } from '@cauce/kit/database/migrate'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { withTemplate } from '@cauce/kit/database/testing'
import { ensureLanes } from '@cauce/kit/log/postgres'
import { CommandQueue } from '@cauce/kit/pipeline/commands'
import type { Decision } from '@cauce/kit/pipeline/decision'
import { Pipeline } from '@cauce/kit/pipeline/pipeline'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import { router } from '@cauce/kit/pipeline/service'
import { silentLogger } from '@cauce/kit/telemetry/logger'
import { migrations, payments } from './service.ts'

const LANES = 4

export interface PaymentsInput {
  readonly type: string
  readonly data: unknown
}

export interface PaymentsDatabase {
  readonly url: string
  readonly queue: CommandQueue
  readonly reads: Pool
  /**
   * Decides a command, or a message as if it were one, in a transaction shared with whatever else is submitted meanwhile. Calls
   * take turns on three queues, which compete for the rows as three processes would.
   */
  submit(input: PaymentsInput): Promise<Decision>
  /** An administrator's statement. */
  sql(text: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

export async function openPayments(): Promise<PaymentsDatabase> {
  const database = await withTemplate('payments 1', async (url) => {
    const kit = { name: 'kit', directory: fileURLToPath(new URL('../../kit/database/migrations', import.meta.url)) }
    const own = { name: 'payments', directory: fileURLToPath(migrations) }
    await migrate({ url, schema: 'payments', sets: [kit, own], logger: silentLogger() })
  })
  const { url } = database
  const pool = createPool({ url, purpose: 'pipeline', size: 4 })
  const reads = createPool({ url, purpose: 'audit', size: 2 })
  const administrator = await reads.acquire()
  await ensureLanes(reads, 'payments', LANES)
  const { tables, commands, messages } = payments
  const transactions = postgresTransactions({ pool, schema: 'payments', tables, lanes: LANES, timers: systemTimers })
  const handler = router({ ...payments, commands: [...commands, ...messages] })
  const startQueue = () =>
    new CommandQueue(new Pipeline({ transactions, tables, handler, timers: systemTimers, random: systemRandom }))
  const queues = [startQueue(), startQueue(), startQueue()] as const
  let turn = 0
  return {
    url,
    queue: queues[0],
    reads,
    async submit({ type, data }) {
      const render = () => ({ status: 200, headers: {}, body: '' })
      const answer = await queues[turn++ % queues.length]!.submit({
        id: systemIds.draw(),
        type,
        data,
        requestId: 'req-test',
        render,
      })
      if (answer.kind !== 'answered' || !answer.decision) throw new Error(`${type} was not decided`)
      return answer.decision
    },
    sql: async (text) => (await administrator.query(text)).rows as Record<string, unknown>[],
    async close() {
      administrator.release()
      await Promise.all([pool.close(), reads.close()])
      await database.drop()
    },
  }
}
