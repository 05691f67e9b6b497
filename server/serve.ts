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
import { openStreams, type OpenStreams } from '@cauce/kit/http/streams'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import { RecentMessages } from '@cauce/kit/log/recent'
import { caughtUp } from '@cauce/kit/pipeline/catch-up'
import type { Logger } from '@cauce/kit/telemetry/logger'
import { createMetrics, type Metrics } from '@cauce/kit/telemetry/metrics'
import { inventoryRoutes } from '@cauce/inventory/service'
import { orderRoutes } from '@cauce/orders/service'
import { paymentRoutes } from '@cauce/payments/service'
import type { Closers } from './closers.ts'
import type { Config, ServiceName } from './config.ts'
import { tokensOver, type Tokens } from './consistency.ts'
import { labRoutes } from './labs.ts'
import { labProgram } from './labs-program.ts'
import { LabRuns } from './labs-runs.ts'
import { observe } from './observe.ts'
import { opsRoutes } from './ops.ts'
import { effectsOf, subscribe } from './outside.ts'
import { readRoutes } from './read-routes.ts'
import { startReadSide, type ReadSide } from './read-side.ts'
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
  const { services, readSide } = await startServices(config, logger, metrics, databaseUrl, sandboxUrl, opened)
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
  const secrets = config.webhookSecrets.length > 0 ? config.webhookSecrets : [key.secretFor('card webhooks')]
  const tokens = tokensOver(first.readPool)
  addRoutes(app, services, audits, secrets, drain.signal, tokens, readSide)
  const open = await openStreams(app, systemTimers)
  await readRoutes(app, services, readSide, tokens, open)
  if (config.labs) addLabs(app, open, config, drain.signal)
  watch(metrics, services)
  await app.listen({ host: config.host, port: config.port })
  opened.push(() => drainAndClose(app, drain))
  const { address, family, port } = app.server.address() as AddressInfo
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  const [secret = ''] = secrets
  if (sandboxUrl !== undefined && config.services.includes('payments'))
    subscribe({ sandboxUrl, url, secret, logger, opened })
  return url
}

async function startServices(
  config: Config,
  logger: Logger,
  metrics: Metrics,
  url: () => string,
  sandboxUrl: string | undefined,
  opened: Closers,
): Promise<{ services: readonly Wired[]; readSide: ReadSide | undefined }> {
  let services: readonly Wired[] = []
  let readSide: ReadSide | undefined
  // A log that grew wakes its readers, in this process and in others.
  const wake = (source: ServiceName) => {
    for (const { name, running } of services) if (reads[name].includes(source)) running.consumerWake.notify()
    readSide?.wake(source)
  }
  const notifier = startNotifier({
    url,
    timers: systemTimers,
    onWake(topic) {
      if (topic !== undefined) return wake(topic as ServiceName)
      for (const { running } of services) running.consumerWake.notify()
      readSide?.wake(undefined)
    },
  })
  opened.push(() => notifier.close())
  const recent = new RecentMessages()
  const wired = await wire({
    recent,
    url,
    lanes: config.lanes,
    leaseMs: config.leaseMs,
    names: config.services,
    effects: effectsOf({ config, sandboxUrl, metrics, opened }),
    observer: (name) => observe({ name, logger, metrics }),
    onAppend(name) {
      wake(name)
      notifier.notify(name)
    },
    onPoolError: (err) => logger.warn({ err }, 'An idle database connection died'),
    opened,
  })
  services = wired
  const orders = wired.find(({ name }) => name === 'orders')
  if (orders) readSide = startReadSide({ url, logger, orders, recent, opened })
  const stopping = new AbortController()
  const swept = sweepKeys(wired, stopping.signal)
  opened.push(async () => {
    stopping.abort()
    await swept
  })
  return { services, readSide }
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

function addRoutes(
  app: HttpServer,
  services: readonly Wired[],
  audits: Pool,
  secrets: readonly string[],
  draining: AbortSignal,
  tokens: Tokens,
  readSide: ReadSide | undefined,
): void {
  for (const { name, running, readPool } of services) {
    const routes = { queue: running.commands, ids: systemIds, reads: readPool, ...tokens.ofService(name) }
    if (name === 'payments')
      paymentRoutes(app, { ...routes, timers: systemTimers, webhookSecrets: () => secrets, draining })
    if (name === 'inventory') inventoryRoutes(app, routes)
    if (name === 'orders' && readSide) {
      const { list } = readSide
      const reader = postgresLogReader(readPool, 'inventory')
      const options = { groups: running.storage.groups, group: name, reader, clock: systemClock, timers: systemTimers }
      const pricesCaughtUp = (withinMs: number) => caughtUp(options, withinMs)
      orderRoutes(app, { ...routes, list, listCaughtUp: tokens.ofView(list), pricesCaughtUp })
    }
  }
  opsRoutes(app, { audits, reads: services[0]!.readPool, services })
}

/** A lab ends as soon as the server begins to: nobody waits for it. */
function addLabs(app: HttpServer, open: OpenStreams, { dataDirectory }: Config, draining: AbortSignal): void {
  const program = labProgram({ dataDirectory, timers: systemTimers })
  const runs = new LabRuns({ program, ids: systemIds, clock: systemClock, timers: systemTimers })
  draining.addEventListener('abort', () => runs.close(), { once: true })
  labRoutes(app, { program, runs, open })
}

function watch(metrics: Metrics, services: readonly Wired[]): void {
  const { readPool } = services[0]!
  const mine = new Set<string>(services.map(({ name }) => name))
  metrics.watchLag(async () => {
    const lanes = await listGroups((statement, values) => readPool.query(statement, values))
    return lanes.filter(({ service }) => mine.has(service))
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
