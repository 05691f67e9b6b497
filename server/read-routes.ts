/** Routes over the read side: the stream and the timeline of an order where orders runs, and the views for operators everywhere. */
import { seconds } from '@cauce/kit/core/clock'
import type { HttpServer } from '@cauce/kit/http/server-types'
import type { OpenStreams } from '@cauce/kit/http/streams'
import { postgresTaskQueue } from '@cauce/kit/task/postgres'
import { orderStreamRoute } from '@cauce/orders/service'
import type { Tokens } from './consistency.ts'
import { viewRoutes } from './ops-views.ts'
import type { ReadSide } from './read-side.ts'
import { timelineRoute } from './timeline.ts'
import type { Wired } from './wire.ts'

/** How long a start waits for views that were never built: on a new database they are there at once. */
const READY_WITHIN_MS = seconds(2)

export async function readRoutes(
  app: HttpServer,
  services: readonly Wired[],
  readSide: ReadSide | undefined,
  tokens: Tokens,
  open: OpenStreams,
): Promise<void> {
  viewRoutes(app, services[0]!.readPool, () => readSide?.wake(undefined))
  const orders = services.find(({ name }) => name === 'orders')
  if (!orders || !readSide) return
  const { readPool: reads } = orders
  const { watcher, timeline } = readSide
  orderStreamRoute(app, { reads, watcher, open, caughtUp: tokens.ofService('orders').caughtUp })
  const queues = services.map(({ name, readPool }) => ({ name, queue: postgresTaskQueue(readPool, name) }))
  timelineRoute(app, { reads, timeline, queues, caughtUp: tokens.ofView(timeline) })
  await readSide.ready(READY_WITHIN_MS)
}
