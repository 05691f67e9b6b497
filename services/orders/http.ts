/** Orders over HTTP: place, read, list, cancel. */
import { Type } from 'typebox'
import { days, seconds } from '@cauce/kit/core/clock'
import { idPattern } from '@cauce/kit/core/ids'
import type { Pool } from '@cauce/kit/database/pool'
import { tokenHeader, type Awaiting } from '@cauce/kit/http/consistency'
import { runCommand, sendAnswer, submitCommand, type CommandPort, type CommandSpec } from '@cauce/kit/http/commands'
import { expectedVersions, notModified } from '@cauce/kit/http/etag'
import { answers, NotModified } from '@cauce/kit/http/openapi'
import { cursorOf, DEFAULT_LIMIT, pageFrom, pageOf, pageQuery, textKey } from '@cauce/kit/http/pagination'
import { maySee, principalOf, type Principal } from '@cauce/kit/http/principal'
import { passingProblem, problem, problemsOf } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import type { ViewReader } from '@cauce/kit/projection/reader'
import { Order, orderStatuses, PlaceOrder } from './contract.ts'
import type { Cancelled, CancelOrder, CreateOrder } from './decide.ts'
import type { OrderRow } from './tables.ts'
import { findOrder, show } from './views.ts'
import { listOrders } from './views/order-list.ts'

export const orderProblems = problemsOf({
  'not-found': { status: 404, title: 'Not found' },
  'unknown-sku': { status: 422, title: 'There is no such product', example: 'There is no product GHOST' },
  'mixed-currencies': {
    status: 422,
    title: 'The products are priced in different currencies',
    example: 'One order is paid in one currency; these products cost EUR and JPY',
  },
  'total-too-large': {
    status: 422,
    title: 'The total is too large',
    example: 'The total is larger than an amount may be',
  },
  'precondition-failed': { status: 412, title: 'The resource has changed' },
  'not-cancellable': {
    status: 409,
    title: 'The order can no longer be cancelled',
    example: 'The order is completed: it can no longer be cancelled',
  },
})

export interface OrderRoutes extends Pick<CommandPort, 'queue' | 'ids' | 'tokens'> {
  readonly reads: Pool
  readonly list: ViewReader
  /** Waits for what a request's token says: in the orders, and in their list. */
  readonly caughtUp?: Awaiting
  readonly listCaughtUp?: Awaiting
  /** Waits until the price copy holds what inventory said so far. False when that takes longer than `withinMs`. */
  readonly pricesCaughtUp: (withinMs: number) => Promise<boolean>
}

const tags = ['orders']
const isOrderId = textKey(idPattern('ord'))
export const OrderId = Type.Object(
  { id: Type.String({ pattern: idPattern('ord').source, examples: ['ord_019ab3f0c1d27000a1b2c3d4e5f60718'] }) },
  { additionalProperties: false },
)

export function orderRoutes(app: HttpServer, routes: OrderRoutes): void {
  const port: CommandPort = { ...routes, problems: orderProblems }
  placeRoute(app, port, routes)
  readRoutes(app, routes)
  cancelRoute(app, port)
}

function placeRoute(app: HttpServer, port: CommandPort, { pricesCaughtUp }: OrderRoutes): void {
  const schema = {
    tags,
    summary: 'Place an order',
    description:
      'Accepted at once; payment, stock and shipping follow. Read the order, or its list, to see how it goes.',
    body: PlaceOrder,
    sends: ['Location', 'ETag'] as const,
    ...answers({ 202: Order }, orderProblems, ['unknown-sku', 'mixed-currencies', 'total-too-large']),
  }
  app.post(
    '/v1/orders',
    { config: { access: ['customer'], key: true, priority: 1 }, schema },
    async (request, reply) => {
      assertPayable(request.body)
      const data: CreateOrder = { ...request.body, customer: principalOf(request).subject }
      const spec: CommandSpec = {
        type: 'CreateOrder',
        data,
        keyTtlMs: days(1),
        answer(row) {
          const body = show(row as OrderRow)
          return { status: 202, headers: { location: `/v1/orders/${body.id}`, etag: `"${body.version}"` }, body }
        },
      }
      const answer = await submitCommand(port, request, spec)
      const unknown =
        answer.kind === 'answered' && answer.decision?.kind === 'rejected' && answer.decision.code === 'unknown-sku'
      if (!unknown) return sendAnswer(reply, answer)
      // The product may be newer than the copy: look again once the copy holds all that inventory has said by now.
      if (!(await pricesCaughtUp(seconds(2)))) {
        throw passingProblem('too-busy', 'The prices are still being copied. Send the same request again', 1)
      }
      return runCommand(port, request, reply, spec)
    },
  )
}

/** Throws a ProblemError (422) for a card without a token, or a wallet with one. */
export function assertPayable({ payment: { method, token } }: PlaceOrder): void {
  if (method === 'card' && token === undefined)
    throw problem('invalid', '/payment/token is required with method card: which card shall pay?')
  if (method === 'wallet' && token !== undefined)
    throw problem('invalid', '/payment/token is for cards: a wallet has none. Leave it out')
}

/** The order, if it may be seen. Throws a ProblemError (404) like for one that there is not. */
export async function visibleOrder(reads: Pool, principal: Principal, id: string): Promise<OrderRow> {
  const row = await findOrder(reads, id)
  if (row && maySee(principal, row.customer)) return row
  throw problem('not-found', `There is no order ${id} that you may see`)
}

function readRoutes(app: HttpServer, { reads, list, caughtUp, listCaughtUp }: OrderRoutes): void {
  const one = {
    tags,
    summary: 'One order',
    params: OrderId,
    headers: tokenHeader,
    sends: ['ETag'] as const,
    ...answers({ 200: Order, 304: NotModified }, orderProblems, ['not-found']),
  }
  app.get('/v1/orders/:id', { config: { access: 'any' }, schema: one }, async (request, reply) => {
    await caughtUp?.(request)
    const row = await visibleOrder(reads, principalOf(request), request.params.id)
    if (notModified(request, reply, row.version)) return reply.send(undefined as never)
    return show(row)
  })

  const status = Type.Optional(Type.Enum([...orderStatuses], { description: 'Only orders of this status' }))
  const many = {
    tags,
    summary: 'Orders, newest first',
    description:
      'Your own; an operator sees everybody’s. A page may be short, or empty, before the last: there are more as long as there is a nextCursor.',
    querystring: pageQuery({ status }),
    headers: tokenHeader,
    refusals: ['not-ready'] as const,
    ...answers({ 200: pageOf(Order) }),
  }
  app.get('/v1/orders', { config: { access: 'any', priority: 3 }, schema: many }, async (request) => {
    const { limit = DEFAULT_LIMIT, status: wanted } = request.query
    const before = cursorOf(request.query, isOrderId)
    const principal = principalOf(request)
    await listCaughtUp?.(request)
    const rows = await listOrders(list, {
      ...(principal.isOperator ? {} : { customer: principal.subject }),
      ...(wanted === undefined ? {} : { status: wanted }),
      ...(before === undefined ? {} : { before }),
      limit: limit + 1,
    })
    const { items, nextCursor } = pageFrom(rows, limit, (row) => row.id)
    // The list may be behind: an order that has moved on since is not of this status.
    const right = items.filter((row) => wanted === undefined || row.status === wanted)
    return { items: right.map(show), nextCursor }
  })
}

function cancelRoute(app: HttpServer, port: CommandPort): void {
  const schema = {
    tags,
    summary: 'Cancel an order',
    description:
      'Until it is handed to the carrier. What was held and reserved is given back. Cancelling again changes nothing.',
    params: OrderId,
    sends: ['ETag', 'Cauce-Token'] as const,
    ...answers({ 200: Order, 202: Order }, orderProblems, ['not-found', 'precondition-failed', 'not-cancellable']),
  }
  app.post('/v1/orders/:id/cancel', { config: { access: 'any', priority: 0 }, schema }, (request, reply) => {
    const { subject, isOperator } = principalOf(request)
    const data: CancelOrder = {
      orderId: request.params.id,
      by: { subject, isOperator },
      ifVersions: expectedVersions(request),
    }
    return runCommand(port, request, reply, {
      type: 'CancelOrder',
      data,
      answer(decided) {
        const { row, changed } = decided as Cancelled
        return { status: changed ? 202 : 200, headers: { etag: `"${row.version}"` }, body: show(row) }
      },
    })
  })
}
