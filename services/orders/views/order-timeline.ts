/** What was said about each order, in whatever log: one row per message, made from the retained logs. */
import { idPattern } from '@cauce/kit/core/ids'
import { instantText, jsonText } from '@cauce/kit/database/values'
import { projection } from '@cauce/kit/projection/definition'
import type { ViewReader } from '@cauce/kit/projection/reader'
import type { OrderStatus } from '../contract.ts'

const isOrder = idPattern('ord')

export const orderTimeline = projection({
  name: 'order-timeline',
  version: 1,
  sources: ['orders', 'payments', 'inventory', 'shipping'],
  tables: [
    {
      name: 'order_timeline',
      columns: `order_id text NOT NULL, service text NOT NULL, lane int NOT NULL, position int8 NOT NULL, at timestamptz NOT NULL,
        type text NOT NULL, data json NOT NULL, message_id text NOT NULL, cause_id text NOT NULL, request_id text NOT NULL,
        PRIMARY KEY (order_id, service, lane, position)`,
    },
  ],
  statements: {
    add: ({ order_timeline }) => `
      INSERT INTO ${order_timeline} (order_id, service, lane, position, at, type, data, message_id, cause_id, request_id)
      SELECT m.order_id, m.service, m.lane, m.position, m.at, m.type, m.data::json, m.message_id, m.cause_id, m.request_id
      FROM unnest($1::text[], $2::text[], $3::int[], $4::int8[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[],
                  $10::text[]) AS m(order_id, service, lane, position, at, type, data, message_id, cause_id, request_id)`,
  },
  async apply(messages, run) {
    // An order's life has the order's id as key; other messages (a price, say) are about no order.
    const about = messages.filter(({ key }) => isOrder.test(key))
    if (about.length === 0) return
    await run('add', [
      about.map(({ key }) => key),
      about.map(({ source }) => source),
      about.map(({ lane }) => lane),
      about.map(({ position }) => position),
      about.map(({ at }) => instantText(at)),
      about.map(({ type }) => type),
      about.map(({ data }) => jsonText(data)),
      about.map(({ id }) => id),
      about.map(({ causeId }) => causeId),
      about.map(({ requestId }) => requestId),
    ])
  },
})

/** A message about an order. */
export interface TimelineMessage {
  readonly service: string
  readonly lane: number
  readonly position: number
  readonly at: number
  readonly type: string
  readonly data: object
  readonly id: string
  readonly causeId: string
  readonly requestId: string
}

/** More messages than an order should ever have. */
const MOST = 1000

export function timelineOf(timeline: ViewReader, orderId: string): Promise<TimelineMessage[]> {
  return timeline.query<TimelineMessage>(
    'of_order',
    ({ order_timeline }) => `
      SELECT service, lane, position, at, type, data, message_id AS id, cause_id AS "causeId", request_id AS "requestId"
      FROM ${order_timeline} WHERE order_id = $1 ORDER BY service, lane, position LIMIT ${MOST}`,
    [orderId],
  )
}

/** The status that an order took when it said this. */
const statusAfter: Readonly<Record<string, OrderStatus>> = {
  OrderCreated: 'placed',
  AuthorizePayment: 'authorizing',
  ReserveStock: 'reserving',
  DispatchShipment: 'shipping',
  CapturePayment: 'settling',
  IssueStock: 'settling',
  VoidPayment: 'compensating',
  ReleaseStock: 'compensating',
  OrderCompleted: 'completed',
  OrderCancelled: 'cancelled',
}

/** The statuses an order took, each with the message that tells of it. `messages` are the orders' own, in order. */
export function statusesOf<M extends Pick<TimelineMessage, 'type'>>(
  messages: readonly M[],
): { readonly status: OrderStatus; readonly message: M }[] {
  const taken: { readonly status: OrderStatus; readonly message: M }[] = []
  for (const message of messages) {
    const status = statusAfter[message.type]
    // Asked again, or asked two things at once: the same status still.
    if (status && taken.at(-1)?.status !== status) taken.push({ status, message })
  }
  return taken
}
