/**
 * What a server does once its database and its sandbox are there: migrate, start the services, listen. Loaded by start.ts while
 * those two start, because loading it takes about as long.
 */
import type { AddressInfo } from 'node:net'
import { minutes, systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemIds } from '@cauce/kit/core/id-source'
import { isUnavailable } from '@cauce/kit/database/errors'
import { migrateAll } from '@cauce/kit/database/migrate'
import { startNotifier } from '@cauce/kit/database/notify'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { createAuthenticator } from '@cauce/kit/http/auth'
import { loadDevKey } from '@cauce/kit/http/dev-key'
import { createDrain, drainAndClose } from '@cauce/kit/http/drain'
import { createHttpServer } from '@cauce/kit/http/server'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { caughtUp } from '@cauce/kit/pipeline/catch-up'
import { providerPolicy } from '@cauce/kit/policy/call'
import type { Logger } from '@cauce/kit/telemetry/logger'
import { createMetrics, type Metrics } from '@cauce/kit/telemetry/metrics'
import { inventoryRoutes } from '@cauce/inventory/service'
import { orderRoutes } from '@cauce/orders/service'
import { paymentRoutes } from '@cauce/payments/service'
import { carrierLimits, effects as shippingEffects, httpCarrier, type Carrier } from '@cauce/shipping/service'
import type { Closers } from './closers.ts'
import type { Config, ServiceName } from './config.ts'
import { observe } from './observe.ts'
import { opsRoutes } from './ops.ts'
import { version } from './version.ts'
import { listGroups } from './views.ts'
import { migrations, reads, wire, type Wired } from './wire.ts'

export interface ServeOptions {
  readonly config: Config
  readonly logger: Logger
  readonly databaseUrl: () => string
  readonly sandboxUrl: string | undefined
  /** Where what is opened says how to close it. */
  readonly opened: Closers
}

/** Gives the URL it listens at. */
export async function serve({ config, logger, databaseUrl, sandboxUrl, opened }: ServeOptions): Promise<string> {
  await migrateAll(databaseUrl(), migrations(), logger)
  const metrics = createMetrics()
  const services = await startServices(config, logger, metrics, databaseUrl, sandboxUrl, opened)
  const audits = createPool({ url: databaseUrl, purpose: 'audit', size: 2 })
  opened.push(() => audits.close())
  const drain = createDrain()
  const key = await loadDevKey(config.dataDirectory)
  const first = services[0]!
  const app = await createHttpServer({
    logger,
    metrics,
    version,
    authenticator: createAuthenticator({ keys: [key.publicJwk] }),
    checks: { database: () => first.readPool.query({ name: 'ping', text: 'SELECT 1' }, []) },
    drain,
    isUnavailable,
  })
  addRoutes(app, services, audits)
  watch(metrics, services)
  await app.listen({ host: config.host, port: config.port })
  opened.push(() => drainAndClose(app, drain))
  const { address, family, port } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

async function startServices(
  config: Config,
  logger: Logger,
  metrics: Metrics,
  url: () => string,
  sandboxUrl: string | undefined,
  opened: Closers,
): Promise<Wired[]> {
  let services: readonly Wired[] = []
  // A log that grew wakes its readers, in this process and in others.
  const wake = (source: ServiceName) => {
    for (const { name, running } of services) if (reads[name].includes(source)) running.consumerWake.notify()
  }
  const notifier = startNotifier({
    url,
    timers: systemTimers,
    onWake(topic) {
      if (topic !== undefined) wake(topic as ServiceName)
      else for (const { running } of services) running.consumerWake.notify()
    },
  })
  opened.push(() => notifier.close())
  const carrier = sandboxUrl === undefined ? undefined : guardedCarrier(sandboxUrl, metrics)
  const wired = await wire({
    url,
    lanes: config.lanes,
    names: config.services,
    effects: carrier ? { shipping: shippingEffects(carrier) } : {},
    observer: (name) => observe({ name, logger, metrics }),
    onAppend(name) {
      wake(name)
      notifier.notify(name)
    },
    onPoolError: (err) => logger.warn({ err }, 'An idle database connection died'),
    opened,
  })
  services = wired
  const stopping = new AbortController()
  const swept = sweepKeys(wired, stopping.signal)
  opened.push(async () => {
    stopping.abort()
    await swept
  })
  return wired
}

function guardedCarrier(url: string, metrics: Metrics): Carrier {
  const policy = providerPolicy({
    name: 'carrier',
    ...carrierLimits,
    onState: (state) => metrics.breaker('carrier', state),
  })
  return httpCarrier({ url, policy })
}

/** Removes expired idempotency keys, a few at a time. */
async function sweepKeys(services: readonly Wired[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await systemTimers.sleep(minutes(1), signal)
    for (const { janitor } of services) {
      let removed = 1000
      while (removed === 1000 && !signal.aborted) removed = await janitor.removeExpired(1000).catch(() => 0)
    }
  }
}

function addRoutes(app: HttpServer, services: readonly Wired[], audits: Pool): void {
  for (const { name, running, readPool } of services) {
    const routes = { queue: running.commands, ids: systemIds, reads: readPool }
    if (name === 'payments') paymentRoutes(app, routes)
    if (name === 'inventory') inventoryRoutes(app, routes)
    if (name === 'orders') {
      const reader = postgresLogReader(readPool, 'inventory')
      const options = { groups: running.storage.groups, group: name, reader, clock: systemClock, timers: systemTimers }
      orderRoutes(app, { ...routes, pricesCaughtUp: (withinMs) => caughtUp(options, withinMs) })
    }
  }
  opsRoutes(app, { audits, reads: services[0]!.readPool })
}

function watch(metrics: Metrics, services: readonly Wired[]): void {
  const { readPool } = services[0]!
  const mine = new Set<string>(services.map(({ name }) => name))
  metrics.watchLag(async () => {
    const lanes = await listGroups((statement, values) => readPool.query(statement, values))
    return lanes.filter(({ group }) => mine.has(group))
  })
  for (const { name, running, pipelinePool, readPool: pool } of services) {
    metrics.watchTasks(async () =>
      (await running.storage.queue.stats()).map(({ type, state, count }) => ({
        service: name,
        queue: type,
        state,
        count,
      })),
    )
    metrics.watchPools(async () => [usageOf(`${name} pipeline`, pipelinePool), usageOf(`${name} read`, pool)])
  }
}

function usageOf(name: string, pool: Pool) {
  const { total, idle, waiting } = pool.usage()
  return { pool: name, used: total - idle, idle, waiting }
}
