/** A service of a lab on the kit's pipeline, in a process that can be killed between any two of its writes. */
import { systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import { createPool } from '@cauce/kit/database/pool'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import { startService, type RunningService, type ServiceDefinition } from '@cauce/kit/pipeline/service'
import type { Effect } from '@cauce/kit/task/outcome'
import { postgresTaskQueue } from '@cauce/kit/task/postgres'
import { withSteps, type Step } from '../harness/steps.ts'

export interface SmallServiceOptions {
  readonly url: string
  /** Its name is a schema that has the kit's tables (queue.ts) and its own. It reads no other log. */
  readonly definition: ServiceDefinition
  readonly effects: readonly Effect[]
  readonly leaseMs: number
  /** Where it can be killed; nowhere when absent. */
  readonly step?: Step
}

const LANES = 1

export function startSmallService(options: SmallServiceOptions): RunningService {
  const { url, definition, effects, leaseMs, step } = options
  const { name: schema, tables } = definition
  const pool = createPool({ url, purpose: 'pipeline', size: 4 })
  const transactions = postgresTransactions({ pool, schema, tables, lanes: LANES, timers: systemTimers })
  return startService({
    definition,
    storage: {
      transactions: step ? withSteps(transactions, step) : transactions,
      groups: postgresGroups(pool, schema),
      queue: postgresTaskQueue(pool, schema),
    },
    readers: [],
    effects,
    timers: systemTimers,
    random: systemRandom,
    leaseMs,
  })
}
