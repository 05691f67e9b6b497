/**
 * The part of the platform's HTTP contract that these projects keep: wallets as they are, orders placed and read. What differs between
 * the projects is when the answer comes: 201 with the end of the order, or 202 with its beginning.
 */
import { days } from '@cauce/kit/core/clock'
import { systemIds } from '@cauce/kit/core/id-source'
import type { Pool } from '@cauce/kit/database/pool'
import { runCommand, type CommandPort } from '@cauce/kit/http/commands'
import { notModified } from '@cauce/kit/http/etag'
import { answers, NotModified } from '@cauce/kit/http/openapi'
import { principalOf } from '@cauce/kit/http/principal'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { Order, PlaceOrder } from '@cauce/orders/contract'
import type { CreateOrder } from '@cauce/orders/decide'
import { assertPayable, OrderId, orderProblems, show, visibleOrder } from '@cauce/orders/service'
import { accountRoutes, paymentProblems } from '@cauce/payments/service'
import type { OrderRow } from './way.ts'

/** The command that places an order. */
export const PLACE_ORDER = 'PlaceOrder'

export interface ShopRoutes {
  readonly queue: CommandPort['queue']
  readonly reads: Pool
  /** 201: the answer is the end of the order. 202: it has begun. */
  readonly placed: 201 | 202
}

export function shopRoutes(app: HttpServer, { queue, reads, placed }: ShopRoutes): void {
  const port = { queue, ids: systemIds }
  accountRoutes(app, { ...port, problems: paymentProblems }, { reads })
  placeRoute(app, { ...port, problems: orderProblems }, placed)
  readRoute(app, reads)
}

function placeRoute(app: HttpServer, port: CommandPort, placed: 201 | 202): void {
  const schema = {
    tags: ['orders'],
    summary: 'Place an order',
    description:
      placed === 201 ? 'Paid when it is answered, or cancelled.' : 'Accepted at once and paid soon: read it again.',
    body: PlaceOrder,
    sends: ['Location', 'ETag'] as const,
    ...answers({ [placed]: Order }, orderProblems, ['unknown-sku', 'mixed-currencies', 'total-too-large']),
  }
  app.post('/v1/orders', { config: { access: ['customer'], key: true }, schema }, (request, reply) => {
    assertPayable(request.body)
    const data: CreateOrder = { ...request.body, customer: principalOf(request).subject }
    return runCommand(port, request, reply, {
      type: PLACE_ORDER,
      data,
      keyTtlMs: days(1),
      answer(row) {
        const body = show(row as OrderRow)
        return { status: placed, headers: { location: `/v1/orders/${body.id}`, etag: `"${body.version}"` }, body }
      },
    })
  })
}

function readRoute(app: HttpServer, reads: Pool): void {
  const schema = {
    tags: ['orders'],
    summary: 'One order',
    params: OrderId,
    sends: ['ETag'] as const,
    ...answers({ 200: Order, 304: NotModified }, orderProblems, ['not-found']),
  }
  app.get('/v1/orders/:id', { config: { access: 'any' }, schema }, async (request, reply) => {
    const row = await visibleOrder(reads, principalOf(request), request.params.id)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return show(row)
  })
}
