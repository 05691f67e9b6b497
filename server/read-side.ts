/**
 * The read side of orders: its two views with whatever keeps them up to date, and the watcher behind the streams. It lives where
 * orders runs; the timeline reads all logs, so only the composition root can say whose.
 */
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { Signal } from '@cauce/kit/core/signal'
import { createPool } from '@cauce/kit/database/pool'
import { postgresLogReader } from '@cauce/kit/log/postgres'
import type { RecentMessages } from '@cauce/kit/log/recent'
import type { Projection } from '@cauce/kit/projection/definition'
import { viewReader, type ViewReader } from '@cauce/kit/projection/reader'
import { runProjection, type ProjectionObserver } from '@cauce/kit/projection/runner'
import type { Logger } from '@cauce/kit/telemetry/logger'
import { orderList, orderTimeline, watchOrders, type OrderWatcher } from '@cauce/orders/service'
import type { Closers } from './closers.ts'
import type { ServiceName } from './config.ts'
import type { Wired } from './wire.ts'

export interface ReadSide {
  readonly list: ViewReader
  readonly timeline: ViewReader
  readonly watcher: OrderWatcher
  /** A log has grown; undefined: any may have, or somebody wants a rebuild. */
  wake(source: ServiceName | undefined): void
  /** Resolves when both views can be read, or after `withinMs`. */
  ready(withinMs: number): Promise<void>
}

const LOOK_AGAIN_MS = 20

export interface ReadSideOptions {
  readonly url: () => string
  readonly logger: Logger
  readonly orders: Wired
  readonly recent: RecentMessages
  readonly opened: Closers
}

export function startReadSide({ url, logger, orders, recent, opened }: ReadSideOptions): ReadSide {
  const onError = (err: Error) => logger.warn({ err }, 'An idle database connection died')
  // One transaction for each view at a time, and the looks around them.
  const pool = createPool({ url, purpose: 'pipeline', size: 4, onError })
  opened.push(() => pool.close())
  const stopping = new AbortController()
  const views = [orderList, orderTimeline].map((definition) => {
    const wake = new Signal(systemTimers)
    const readers = definition.sources.map((source) => recent.reader(postgresLogReader(pool, source)))
    const about = { pool, schema: orders.name, definition, readers, wake, observer: observerOf(definition, logger) }
    const world = { clock: systemClock, timers: systemTimers, random: systemRandom }
    const running = runProjection({ ...about, ...world }, stopping.signal)
    const reader = viewReader({ pool: orders.readPool, schema: orders.name, definition, clock: systemClock })
    return { definition, wake, running, reader }
  })
  const watcher = watchOrders(orders.readPool, systemTimers, (err) => {
    logger.warn({ event: 'streams.away', err }, 'Orders cannot be looked at for those who watch them')
  })
  opened.push(async () => {
    stopping.abort()
    watcher.close()
    await Promise.all(views.map(({ running }) => running))
  })
  const [list, timeline] = views
  return {
    list: list!.reader,
    timeline: timeline!.reader,
    watcher,
    wake(source) {
      if (source === undefined || source === orders.name) watcher.wake()
      for (const { definition, wake } of views) {
        if (source === undefined || definition.sources.includes(source)) wake.notify()
      }
    },
    async ready(withinMs) {
      const untilMs = systemClock.monotonic() + withinMs
      const built = async () => (await Promise.all(views.map(({ reader }) => reader.isBuilt()))).every(Boolean)
      while (!(await built()) && systemClock.monotonic() < untilMs) await systemTimers.sleep(LOOK_AGAIN_MS)
    },
  }
}

function observerOf({ name }: Projection, logger: Logger): ProjectionObserver {
  let away = false
  const stopped = new Set<string>()
  return {
    onApplied(group) {
      away = false
      for (const lane of stopped) if (lane.startsWith(`${group} `)) stopped.delete(lane)
    },
    onSwitched: (group) =>
      logger.info({ event: 'view.switched', view: name, group }, 'A view is read from a new build'),
    onForked: (group, { source, lane, reason }) =>
      logger.error({ event: 'view.forked', view: name, group, source, lane, reason }, 'Log forked: the lane halts'),
    onStopped(group, lane, err, retryInMs) {
      // One line when it begins: it backs off and would say the same again and again.
      if (stopped.has(`${group} ${lane}`)) return
      stopped.add(`${group} ${lane}`)
      logger.error(
        { event: 'view.stopped', view: name, group, lane, retryInMs, err },
        'A view stands still in one lane',
      )
    },
    onError(err) {
      if (!away) logger.error({ event: 'view.away', view: name, err }, 'A view backs off and tries again')
      away = true
    },
  }
}
