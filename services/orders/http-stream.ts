/**
 * An order as server-sent events: `order`, with the version as id. It begins with the order as it is, unless the reader says in
 * Last-Event-ID that this is what it has, and ends when the order has. A reader that comes again with the last version gets
 * 204, which tells an EventSource to stop.
 */
import { Type, type Static } from 'typebox'
import type { Timers } from '@cauce/kit/core/clock'
import type { Pool } from '@cauce/kit/database/pool'
import { tokenHeader, type Awaiting } from '@cauce/kit/http/consistency'
import { answers } from '@cauce/kit/http/openapi'
import { principalOf } from '@cauce/kit/http/principal'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { EVENT_STREAM, streaming, type OpenStreams } from '@cauce/kit/http/streams'
import { Watcher } from '@cauce/kit/http/watcher'
import { Order } from './contract.ts'
import { OrderId, orderProblems, visibleOrder } from './http.ts'
import type { OrderRow } from './tables.ts'
import { findLaterVersions, show } from './views.ts'

export type OrderWatcher = Watcher<OrderRow>

/** One for a process: it looks for all streams together. Woken when orders' log has grown. */
export function watchOrders(reads: Pool, timers: Timers, onError: (error: Error) => void): OrderWatcher {
  return new Watcher({ look: (known) => findLaterVersions(reads, known), timers, onError })
}

export interface StreamRoutes {
  readonly reads: Pool
  readonly watcher: OrderWatcher
  readonly open: OpenStreams
  readonly caughtUp?: Awaiting
}

const [example] = (Order as { examples?: readonly Static<typeof Order>[] }).examples ?? []

const hasEnded = ({ status }: Pick<OrderRow, 'status'>): boolean => status === 'completed' || status === 'cancelled'

const lastEvent = Type.Object({
  ...tokenHeader.properties,
  'last-event-id': Type.Optional(
    Type.String({ pattern: '^\\d{1,15}$', description: 'The version that the reader has', examples: ['3'] }),
  ),
})

/** A text, but what a reader takes from it are orders. */
const Events = Type.Unsafe<never>(
  Type.String({
    description: 'Events named `order`; comments in between keep the connection',
    contentMediaType: EVENT_STREAM,
    contentSchema: Order,
    examples: [`id: ${example?.version}\nevent: order\ndata: ${JSON.stringify(example)}\n\n`],
  }),
)

export function orderStreamRoute(app: HttpServer, { reads, watcher, open, caughtUp }: StreamRoutes): void {
  const schema = {
    tags: ['orders'],
    summary: 'One order, and its changes as they happen',
    description:
      'Server-sent events named `order`, each with the order as data and its version as id. Ends with the order; a reader that has its last version gets 204.',
    params: OrderId,
    headers: lastEvent,
    produces: [EVENT_STREAM],
    refusals: ['rate-limited'] as const,
    ...answers({ 200: Events, 204: Type.Null({ description: 'There is nothing to come' }) }, orderProblems, [
      'not-found',
    ]),
  }
  const config = { access: 'any', produces: EVENT_STREAM } as const
  app.get('/v1/orders/:id/stream', { ...streaming, config, schema }, async (request, reply) => {
    await caughtUp?.(request)
    const row = await visibleOrder(reads, principalOf(request), request.params.id)
    const { 'last-event-id': known } = request.headers
    const has = known === undefined ? undefined : Number(known)
    if (has === row.version && hasEnded(row)) return reply.code(204).send(null)
    let stop = () => {}
    const stream = open.open(request, reply, () => stop())
    const tell = (order: OrderRow) => {
      stream.send({ event: 'order', id: String(order.version), data: show(order) })
      if (hasEnded(order)) stream.end()
    }
    if (has !== row.version) tell(row)
    if (!hasEnded(row)) stop = watcher.watch(row, tell)
    return undefined
  })
}
