/**
 * Starting and stopping a server, in order: database → migrations → sandbox → services → HTTP; and back. What one step opened
 * is closed when a later one fails.
 */
import type { AddressInfo } from 'node:net'
import { systemClock, systemTimers, minutes, seconds } from '@cauce/kit/core/clock'
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
import { caughtUp } from '@cauce/kit/pipeline/catch-up'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { providerPolicy } from '@cauce/kit/policy/call'
import type { Logger } from '@cauce/kit/telemetry/logger'
import { createMetrics, type Metrics } from '@cauce/kit/telemetry/metrics'
import { ensureSandbox } from '@cauce/sandbox/launch'
import { inventoryRoutes } from '@cauce/inventory/service'
import { orderRoutes } from '@cauce/orders/service'
import { paymentRoutes } from '@cauce/payments/service'
import { carrierLimits, effects as shippingEffects, httpCarrier, type Carrier } from '@cauce/shipping/service'
import type { Config, ServiceName } from './config.ts'
import { openDatabase } from './database.ts'
import { observe } from './observe.ts'
import { opsRoutes } from './ops.ts'
import { version } from './version.ts'
import { listGroups } from './views.ts'
import { migrations, reads, wire, type Wired } from './wire.ts'

export interface RunningServer {
  readonly url: string
  /** For people: where the database is. */
  readonly database: string
  readonly durable: boolean
  readonly sandboxUrl: string | undefined
  /** Not ready, finish what is in hand, close. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly config: Config
  readonly logger: Logger
}

export async function startServer({ config, logger }: StartOptions): Promise<RunningServer> {
  const opened: (() => Promise<unknown>)[] = []
  const closeAll = async () => {
    for (const close of opened.toReversed())
      await close().catch((err: unknown) => logger.error({ err }, 'While closing'))
    opened.length = 0
  }
  try {
    return await start(config, logger, opened, closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function start(
  config: Config,
  logger: Logger,
  opened: (() => Promise<unknown>)[],
  closeAll: () => Promise<void>,
): Promise<RunningServer> {
  const database = await openDatabase(config, logger, systemTimers)
  opened.push(() => database.close())
  for (const problem of database.durability.problems)
    logger.error({ problem }, 'The database may lose acknowledged writes')
  for (const warning of database.durability.warnings) logger.warn({ warning }, 'The database could be set better')
  await migrateAll(database.url(), migrations(), logger)

  const sandboxUrl = await sandboxFor(config, logger, opened)
  const metrics = createMetrics()
  const services = await startServices(config, logger, metrics, database.url, sandboxUrl, opened)

  const audits = createPool({ url: database.url, purpose: 'audit', size: 2 })
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
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  return {
    url,
    database: database.described,
    durable: database.durability.ok,
    sandboxUrl,
    stop: closeAll,
  }
}

async function sandboxFor(
  config: Config,
  logger: Logger,
  opened: (() => Promise<unknown>)[],
): Promise<string | undefined> {
  if (config.sandboxUrl !== undefined || !config.services.includes('shipping')) return config.sandboxUrl
  const { dataDirectory } = config
  const sandbox = await ensureSandbox({ dataDirectory, timers: systemTimers, clock: systemClock, logger })
  opened.push(() => sandbox.stop())
  return sandbox.url
}

async function startServices(
  config: Config,
  logger: Logger,
  metrics: Metrics,
  url: () => string,
  sandboxUrl: string | undefined,
  opened: (() => Promise<unknown>)[],
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
  })
  services = wired
  const stopping = new AbortController()
  const swept = sweepKeys(wired, stopping.signal)
  opened.push(async () => {
    stopping.abort()
    await swept
    await Promise.all(wired.map(({ running }) => running.stop()))
    await Promise.all(wired.flatMap(({ pipelinePool, readPool }) => [pipelinePool.close(), readPool.close()]))
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

/** How long a shutdown may take before the process ends anyway. */
export const STOP_WITHIN_MS = seconds(25)
