/**
 * The timeline of an order: every hop through the services, from the request that placed it to where it stands. Composed here,
 * because no service knows what the others keep: what was said comes from the view, rows and tasks are read as they are now.
 *
 * In causal order: nothing comes before what caused it, whatever the clocks said; else by time.
 */
import { Type, type Static } from 'typebox'
import { Timestamp } from '@cauce/kit/core/schemas'
import type { Pool } from '@cauce/kit/database/pool'
import type { Statement } from '@cauce/kit/database/session'
import { tokenHeader, type Awaiting } from '@cauce/kit/http/consistency'
import { answers } from '@cauce/kit/http/openapi'
import { maySee, principalOf } from '@cauce/kit/http/principal'
import { problem } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import type { ViewReader } from '@cauce/kit/projection/reader'
import type { StoredTask, TaskQueue } from '@cauce/kit/task/port'
import { findOrder, statusesOf, timelineOf, type TimelineMessage } from '@cauce/orders/service'
import { disclosed } from './ops-services.ts'

const kinds = ['request', 'row', 'message', 'task', 'state'] as const

export const TimelineItem = Type.Object({
  at: Timestamp,
  service: Type.String(),
  kind: Type.Enum([...kinds], {
    description:
      'request: what placed it · row: a row as it is now · message: what was said in a log · task: an effect or a timer · state: a status it took',
  }),
  name: Type.String(),
  detail: Type.Record(Type.String(), Type.Unknown()),
  attempt: Type.Union([Type.Integer(), Type.Null()], { description: 'Of a task: attempts begun' }),
})
export type TimelineItem = Static<typeof TimelineItem>

const Timeline = Type.Object(
  { items: Type.Array(TimelineItem) },
  {
    $id: 'Timeline',
    examples: [
      {
        items: [
          {
            at: '2026-01-02T03:04:05.678Z',
            service: 'orders',
            kind: 'request',
            name: 'POST /v1/orders',
            detail: { requestId: 'checkout-7', customer: 'alice' },
            attempt: null,
          },
          {
            at: '2026-01-02T03:04:05.691Z',
            service: 'payments',
            kind: 'task',
            name: 'authorize-card',
            detail: { taskId: '5e1f3a0b9c8d7e6f5a4b3c2d1e0f9a8b', state: 'done', nextAttemptAt: null, lastError: null },
            attempt: 2,
          },
        ],
      },
    ],
  },
)

export interface TimelineRoute {
  /** Orders', for rows of all services. */
  readonly reads: Pool
  readonly timeline: ViewReader
  /** The services whose tasks can be looked at here. */
  readonly queues: readonly { readonly name: string; readonly queue: TaskQueue }[]
  readonly caughtUp: Awaiting
}

/** More tasks than an order should ever have. */
const MOST_TASKS = 100

const id = Type.String({ pattern: '^ord_[0-9a-f]{32}$', examples: ['ord_019ab3f0c1d27000a1b2c3d4e5f60718'] })

export function timelineRoute(app: HttpServer, { reads, timeline, queues, caughtUp }: TimelineRoute): void {
  const schema = {
    tags: ['orders'],
    summary: 'What happened to one order',
    description: 'Every hop: the request, rows, messages, tasks with their attempts, and the statuses it took.',
    params: Type.Object({ id }, { additionalProperties: false }),
    headers: tokenHeader,
    refusals: ['not-ready'] as const,
    ...answers({ 200: Timeline }),
    problems: [{ code: 'not-found', status: 404, title: 'Not found' }],
  }
  app.get('/v1/orders/:id/timeline', { config: { access: 'any' }, schema }, async (request) => {
    const order = await findOrder(reads, request.params.id)
    if (!order || !maySee(principalOf(request), order.customer)) {
      throw problem('not-found', `There is no order ${request.params.id} that you may see`)
    }
    await caughtUp(request)
    const keys = [order.id, order.paymentId, ...(order.shipmentId === null ? [] : [order.shipmentId])]
    const [messages, rows, ...tasks] = await Promise.all([
      timelineOf(timeline, order.id),
      reads.query<RowState>(rowsOf, [order.id, order.paymentId]),
      ...queues.map(async ({ name, queue }) => ({ name, tasks: await queue.findByKey(keys, MOST_TASKS) })),
    ])
    const asked = { at: order.placedAt, requestId: order.requestId, customer: order.customer }
    return { items: compose({ asked, messages, rows, tasks }) }
  })
}

interface RowState {
  readonly service: string
  readonly name: string
  readonly at: number
  readonly detail: Record<string, unknown>
}

const rowsOf: Statement = {
  name: 'server.timeline.rows',
  text: `
    SELECT 'payments' AS service, 'payment' AS name, updated_at AS at, json_build_object('id', id, 'status', status,
      'amount', amount, 'currency', currency, 'refunded', refunded, 'version', version) AS detail
    FROM payments.payments WHERE id = $2
    UNION ALL
    SELECT 'inventory', 'reservation', updated_at, json_build_object('id', order_id, 'status', status, 'lines', lines)
    FROM inventory.reservations WHERE order_id = $1
    UNION ALL
    SELECT 'shipping', 'shipment', updated_at, json_build_object('id', id, 'status', status, 'tracking', tracking, 'version', version)
    FROM shipping.shipments WHERE order_id = $1`,
}

export interface Found {
  readonly asked: { readonly at: number; readonly requestId: string; readonly customer: string }
  readonly messages: readonly TimelineMessage[]
  readonly rows: readonly RowState[]
  readonly tasks: readonly { readonly name: string; readonly tasks: readonly StoredTask[] }[]
}

interface Placed {
  readonly item: TimelineItem
  /** By which it is sorted: when, how many causes stand before it, and where in its log it stands. */
  readonly at: number
  readonly depth: number
  readonly position: number
}

/** Everything that was found, in order. Pure. */
export function compose({ asked, messages, rows, tasks }: Found): TimelineItem[] {
  const { at, requestId, customer } = asked
  const request = itemOf(at, 'orders', 'request', 'POST /v1/orders', { requestId, customer })
  const order = causalOrder(messages)
  const placed = (item: TimelineItem, message: TimelineMessage): Placed => ({
    item,
    ...order.get(message)!,
    position: message.position,
  })
  const said = messages.map((message) => placed(messageItem(message), message))
  const own = messages.filter(({ service }) => service === 'orders').toSorted(inLog)
  const taken = statusesOf(own).map(({ status, message }) =>
    placed(itemOf(message.at, 'orders', 'state', status, { message: message.id }), message),
  )
  // What one decision did has one time: its rows, what it said, its tasks and the status it led to stand together.
  const depths = new Map<string, number>()
  for (const { item, depth } of said) {
    const moment = momentOf(item)
    depths.set(moment, Math.min(depths.get(moment) ?? Infinity, depth))
  }
  const later = [
    ...rows.map((row) => itemOf(row.at, row.service, 'row', row.name, row.detail)),
    ...tasks.flatMap(({ name, tasks: mine }) => mine.map((task) => taskItem(name, task))),
  ].map((item): Placed => ({
    item,
    at: Date.parse(item.at),
    depth: depths.get(momentOf(item)) ?? Infinity,
    position: 0,
  }))
  return [{ item: request, at: -Infinity, depth: 0, position: 0 }, ...said, ...taken, ...later]
    .toSorted(
      (a, b) =>
        a.at - b.at ||
        finite(a.depth) - finite(b.depth) ||
        kinds.indexOf(a.item.kind) - kinds.indexOf(b.item.kind) ||
        a.position - b.position,
    )
    .map(({ item }) => item)
}

const momentOf = ({ service, at }: TimelineItem): string => `${service} ${at}`

/** Infinity less Infinity is no number. */
const finite = (depth: number): number => Math.min(depth, Number.MAX_SAFE_INTEGER)

const inLog = (a: TimelineMessage, b: TimelineMessage): number => a.position - b.position

/** When each message can have been said at the earliest, and how many causes stand before it. */
function causalOrder(messages: readonly TimelineMessage[]): Map<TimelineMessage, { at: number; depth: number }> {
  // A message's id is unique in its log; what it causes names both.
  const byInput = new Map(messages.map((message) => [`${message.service}:${message.id}`, message]))
  const order = new Map<TimelineMessage, { at: number; depth: number }>()
  const place = (message: TimelineMessage, seen: number): { at: number; depth: number } => {
    const known = order.get(message)
    if (known) return known
    const cause = byInput.get(message.causeId)
    const before = cause && seen < messages.length ? place(cause, seen + 1) : { at: 0, depth: 0 }
    const here = { at: Math.max(message.at, before.at), depth: before.depth + 1 }
    order.set(message, here)
    return here
  }
  for (const message of messages) place(message, 0)
  return order
}

function messageItem({ at, service, type, data, id: messageId, causeId, requestId }: TimelineMessage): TimelineItem {
  return itemOf(at, service, 'message', type, { ...disclosed(data), messageId, causeId, requestId })
}

function taskItem(service: string, task: StoredTask): TimelineItem {
  const { id: taskId, type, state, attempt, dueAt, error, createdAt, data } = task
  const nextAttemptAt = state === 'open' ? new Date(dueAt).toISOString() : null
  const detail = { ...disclosed(data), taskId, state, nextAttemptAt, lastError: error }
  return { ...itemOf(createdAt, service, 'task', type, detail), attempt }
}

function itemOf(
  at: number,
  service: string,
  kind: TimelineItem['kind'],
  name: string,
  detail: Record<string, unknown>,
): TimelineItem {
  return { at: new Date(at).toISOString(), service, kind, name, detail, attempt: null }
}
