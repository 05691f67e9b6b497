/**
 * Who is there and who listens to whom: the only place that knows all services. Participants know nobody; whose log each reads
 * is said here and nowhere else.
 */
import { fileURLToPath } from 'node:url'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import type { SchemaMigrations } from '@cauce/kit/database/migrate'
import { postgresKeyJanitor } from '@cauce/kit/idempotency/postgres'
import type { KeyJanitor } from '@cauce/kit/idempotency/port'
import { ensureLanes, postgresLogReader } from '@cauce/kit/log/postgres'
import type { RecentMessages } from '@cauce/kit/log/recent'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import {
  startService,
  type RunningService,
  type ServiceDefinition,
  type ServiceObserver,
} from '@cauce/kit/pipeline/service'
import type { Effect } from '@cauce/kit/task/outcome'
import { postgresTaskQueue } from '@cauce/kit/task/postgres'
import * as inventory from '@cauce/inventory/service'
import * as orders from '@cauce/orders/service'
import * as payments from '@cauce/payments/service'
import * as shipping from '@cauce/shipping/service'
import type { Closers } from './closers.ts'
import type { ServiceName } from './config.ts'

export const definitions: Readonly<Record<ServiceName, ServiceDefinition>> = {
  orders: orders.orders,
  payments: payments.payments,
  inventory: inventory.inventory,
  shipping: shipping.shipping,
}

/** Whose logs each service reads. */
export const reads: Readonly<Record<ServiceName, readonly ServiceName[]>> = {
  orders: ['payments', 'inventory', 'shipping'],
  payments: ['orders'],
  inventory: ['orders'],
  shipping: ['orders'],
}

const directories: Readonly<Record<ServiceName, URL>> = {
  orders: orders.migrations,
  payments: payments.migrations,
  inventory: inventory.migrations,
  shipping: shipping.migrations,
}

const kitMigrations = new URL('../kit/database/migrations/', import.meta.url)

/** Every service's schema: services of other processes share the database, and their logs are read. */
export function migrations(): SchemaMigrations[] {
  return Object.entries(directories).map(([schema, directory]) => ({
    schema,
    sets: [
      { name: 'kit', directory: fileURLToPath(kitMigrations) },
      { name: schema, directory: fileURLToPath(directory) },
    ],
  }))
}

/** Connections of one service: one per transaction that can be in flight at once, and some for readers. */
const POOL_SIZE = { pipeline: 8, read: 6 }

export interface Wired {
  readonly name: ServiceName
  readonly running: RunningService
  readonly pipelinePool: Pool
  readonly readPool: Pool
  readonly janitor: KeyJanitor
}

export interface WireOptions {
  readonly url: () => string
  readonly lanes: number
  readonly leaseMs: number
  readonly names: readonly ServiceName[]
  readonly effects: Readonly<Partial<Record<ServiceName, readonly Effect[]>>>
  readonly observer: (name: ServiceName) => ServiceObserver
  /** What the services of this process have written lately. */
  readonly recent: RecentMessages
  /** Told when a service's log has grown or tasks were enqueued in it. */
  readonly onAppend: (name: ServiceName) => void
  readonly onPoolError: (error: Error) => void
  /** Where each service says how to close it, also when another one does not start. */
  readonly opened: Closers
}

export function wire(options: WireOptions): Promise<Wired[]> {
  return Promise.all(options.names.map((name) => wireOne(name, options)))
}

async function wireOne(name: ServiceName, options: WireOptions): Promise<Wired> {
  const { url, lanes, onPoolError, opened } = options
  const pipelinePool = createPool({ url, purpose: 'pipeline', size: POOL_SIZE.pipeline, onError: onPoolError })
  const readPool = createPool({ url, purpose: 'read', size: POOL_SIZE.read, onError: onPoolError })
  opened.push(() => Promise.all([pipelinePool.close(), readPool.close()]))
  const definition = definitions[name]
  const groups = postgresGroups(pipelinePool, name)
  await Promise.all([ensureLanes(readPool, name, lanes), groups.ensure(name, reads[name], lanes)])
  const running = startService({
    definition,
    storage: {
      transactions: postgresTransactions({
        pool: pipelinePool,
        schema: name,
        tables: definition.tables,
        lanes,
        timers: systemTimers,
      }),
      groups,
      queue: postgresTaskQueue(pipelinePool, name),
    },
    readers: reads[name].map((source) => options.recent.reader(postgresLogReader(pipelinePool, source))),
    effects: options.effects[name] ?? [],
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    leaseMs: options.leaseMs,
    observer: options.observer(name),
    onAppend({ messages, heads }) {
      options.recent.add(name, messages, heads, lanes)
      options.onAppend(name)
    },
  })
  opened.push(() => running.stop())
  return { name, running, pipelinePool, readPool, janitor: postgresKeyJanitor(pipelinePool, name) }
}
