/** The kit's pipeline on a lab's database. */
import { systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { Pipeline } from '@cauce/kit/pipeline/pipeline'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import { router, type ServiceDefinition } from '@cauce/kit/pipeline/service'
import type { Transactions } from '@cauce/kit/pipeline/unit-of-work'
import { withSteps, type Step } from '../harness/steps.ts'

export const LANES = 8

export interface Service {
  readonly pool: Pool
  readonly transactions: Transactions
  readonly pipeline: Pipeline
}

/** A service's pipeline; with `step`, one that can be killed before each write. */
export function openPipeline(url: string, definition: ServiceDefinition, step?: Step): Service {
  const { name: schema, tables } = definition
  const pool = createPool({ url, purpose: 'pipeline', size: 3 })
  const plain = postgresTransactions({ pool, schema, tables, lanes: LANES, timers: systemTimers })
  const transactions = step ? withSteps(plain, step) : plain
  const handler = router(definition)
  return {
    pool,
    transactions,
    pipeline: new Pipeline({ transactions, tables, handler, timers: systemTimers, random: systemRandom }),
  }
}
