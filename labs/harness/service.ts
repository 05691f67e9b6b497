/** One of the product's services, or one of a lab's own, on a database of the lab: the same wiring as the server's. */
import { fileURLToPath } from 'node:url'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import { systemRandom } from '@cauce/kit/core/prng'
import { migrate } from '@cauce/kit/database/migrate'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { ensureLanes, postgresLogReader } from '@cauce/kit/log/postgres'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import {
  startService,
  type RunningService,
  type ServiceDefinition,
  type ServiceObserver,
} from '@cauce/kit/pipeline/service'
import type { Effect } from '@cauce/kit/task/outcome'
import { postgresTaskQueue } from '@cauce/kit/task/postgres'
import { silentLogger } from '@cauce/kit/telemetry/logger'
import type { Stage } from './stage.ts'

export interface LabServiceOptions {
  readonly url: string
  readonly definition: ServiceDefinition
  /** Where its migrations are; none for a service that has only the kit's tables. */
  readonly migrations?: URL
  readonly effects?: readonly Effect[]
  /** Names of the services whose logs it reads; their schemas are there. */
  readonly reads?: readonly string[]
  readonly observer?: ServiceObserver
  readonly leaseMs?: number
}

export interface LabService {
  readonly running: RunningService
  /** For the transaction. */
  readonly pipelinePool: Pool
  /** For views. */
  readonly readPool: Pool
}

const LANES = 8
const kit = fileURLToPath(new URL('../../kit/database/migrations', import.meta.url))

/** Migrates, wires and starts it; it is stopped with the variant. Signals wake it at once only where the caller passes them on. */
export async function startLabService(
  { timers, closing }: Pick<Stage, 'timers' | 'closing'>,
  { url, definition, migrations, effects = [], reads = [], observer, leaseMs }: LabServiceOptions,
): Promise<LabService> {
  const { name: schema, tables } = definition
  const own = migrations ? [{ name: schema, directory: fileURLToPath(migrations) }] : []
  await migrate({ url, schema, sets: [{ name: 'kit', directory: kit }, ...own], logger: silentLogger() })
  const pipelinePool = createPool({ url, purpose: 'pipeline', size: 6 })
  const readPool = createPool({ url, purpose: 'read', size: 4 })
  closing(() => Promise.all([pipelinePool.close(), readPool.close()]))
  const groups = postgresGroups(pipelinePool, schema)
  await Promise.all([ensureLanes(readPool, schema, LANES), groups.ensure(schema, [...reads], LANES)])
  const running = startService({
    definition,
    storage: {
      transactions: postgresTransactions({ pool: pipelinePool, schema, tables, lanes: LANES, timers }),
      groups,
      queue: postgresTaskQueue(pipelinePool, schema),
    },
    readers: reads.map((source) => postgresLogReader(pipelinePool, source)),
    effects,
    timers,
    random: systemRandom,
    ...(observer ? { observer } : {}),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  })
  closing(() => running.stop())
  return { running, pipelinePool, readPool }
}
