/**
 * Jobs that were given up, in an operator's hands: `npx cauce dead-letters list`, `show`, `redrive`, `discard`. The paths and the
 * answers are the platform's; the queue is called `shop`.
 */
import { Type, type Static } from 'typebox'
import { encodeCursor, type Json } from '@cauce/kit/core/codec'
import { prefixed } from '@cauce/kit/core/ids'
import { systemIds } from '@cauce/kit/core/id-source'
import { Timestamp } from '@cauce/kit/core/schemas'
import { answers } from '@cauce/kit/http/openapi'
import { cursorOf, DEFAULT_LIMIT, pageFrom, pageOf, pageQuery } from '@cauce/kit/http/pagination'
import { principalOf } from '@cauce/kit/http/principal'
import { problem, problemsOf } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { discardDead, redriveDead, type TellOfTasks } from '@cauce/kit/pipeline/dead-letters'
import type { Transactions } from '@cauce/kit/pipeline/unit-of-work'
import type { DeadPlace, DeadTask, TaskQueue } from '@cauce/kit/task/port'
import { SHOP } from '../common/tables.ts'

const DeadLetter = Type.Object({
  service: Type.String(),
  id: Type.String({ description: 'Also the key that the card processor saw' }),
  type: Type.String(),
  key: Type.String({ description: 'The order' }),
  attempts: Type.Integer(),
  error: Type.String(),
  cause: Type.String({ description: 'The error without ids and numbers' }),
  since: Timestamp,
  data: Type.Unknown(),
  outcome: Type.Unknown(),
  requestId: Type.String(),
})
const Causes = Type.Object({
  items: Type.Array(
    Type.Object({
      service: Type.String(),
      type: Type.String(),
      cause: Type.String(),
      tasks: Type.Integer(),
      oldest: Timestamp,
      example: Type.String({ description: 'The id of one of them' }),
    }),
  ),
})
const Text = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000]+$' })
const Service = Type.Literal(SHOP)
const One = Type.Object({ service: Service, id: Text }, { additionalProperties: false })
const filters = { type: Type.Optional(Text), cause: Type.Optional(Text) }
const Many = Type.Object(
  { service: Service, ...filters, cursor: Type.Optional(Type.String({ maxLength: 500 })) },
  { additionalProperties: false },
)
const NextCursor = Type.Union([Type.String(), Type.Null()])
const Reason = Type.Object({ reason: Text }, { additionalProperties: false })
const Redriven = Type.Object({ redriven: Type.Integer() })
const problems = problemsOf({ 'not-found': { status: 404, title: 'Not found' } })
const MOST = 500

export interface DeadLetterRoutes {
  readonly queue: TaskQueue
  readonly transactions: Transactions
  /** There is something to do again. */
  readonly wake: () => void
}

const config = { access: ['operator'], priority: 3 } as const
const tags = ['operations']

export function deadLetterRoutes(app: HttpServer, routes: DeadLetterRoutes): void {
  listRoutes(app, routes)
  redriveRoutes(app, routes)
  discardRoutes(app, routes)
}

function listRoutes(app: HttpServer, { queue }: DeadLetterRoutes): void {
  const querystring = pageQuery({ service: Type.Optional(Service), ...filters })
  const list = { tags, summary: 'Jobs that were given up', querystring, ...answers({ 200: pageOf(DeadLetter) }) }
  app.get('/v1/ops/dead-letters', { config, schema: list }, async ({ query }) => {
    const { limit = DEFAULT_LIMIT, type, cause } = query
    const found = await queue.dead(limit + 1, { type, cause, after: placeOf(query) })
    const { items, nextCursor } = pageFrom(found, limit, ({ since, id }) => [since, id])
    return { items: items.map(shown), nextCursor }
  })
  const causes = { tags, summary: 'Why they were', ...answers({ 200: Causes }) }
  app.get('/v1/ops/dead-letters/causes', { config, schema: causes }, async () => ({
    items: (await queue.deadCauses()).map(({ oldest, ...rest }) => ({ service: SHOP, ...rest, oldest: iso(oldest) })),
  }))
  const one = { tags, summary: 'One of them', params: One, ...answers({ 200: DeadLetter }, problems) }
  app.get('/v1/ops/dead-letters/:service/:id', { config, schema: one }, async ({ params: { id } }) => {
    const task = await queue.findDead(id)
    if (!task) throw noneDead(id)
    return shown(task)
  })
}

function redriveRoutes(app: HttpServer, { queue, transactions, wake }: DeadLetterRoutes): void {
  const redrive = async (request: Asking, ids: readonly string[]) => {
    const redriven = await redriveDead(transactions, ids, telling(request, 'dead-letter.redrive', null))
    wake()
    return { redriven: redriven.length }
  }
  const one = {
    tags,
    summary: 'Try it again, under the same key',
    params: One,
    ...answers({ 200: Redriven }, problems),
  }
  app.post('/v1/ops/dead-letters/:service/:id/redrive', { config, schema: one }, async (request) => {
    const { id } = request.params
    const answer = await redrive(request, [id])
    if (answer.redriven === 0) throw noneDead(id)
    return answer
  })
  const Answer = Type.Object({ redriven: Type.Integer(), nextCursor: NextCursor })
  const many = { tags, summary: 'Try all of them again, or those of a cause', body: Many, ...answers({ 200: Answer }) }
  app.post('/v1/ops/dead-letters/redrive', { config, schema: many }, async (request) => {
    const { ids, nextCursor } = await nextOf(queue, request.body)
    return { ...(await redrive(request, ids)), nextCursor }
  })
}

function discardRoutes(app: HttpServer, { queue, transactions }: DeadLetterRoutes): void {
  const Discarded = Type.Object({ discarded: Type.Integer() })
  const discard = async (request: Asking, ids: readonly string[], reason: string) => {
    const gone = await discardDead(transactions, ids, reason, telling(request, 'dead-letter.discard', reason))
    return { discarded: gone.length }
  }
  const one = {
    tags,
    summary: 'Give it up for good',
    params: One,
    body: Reason,
    ...answers({ 200: Discarded }, problems),
  }
  app.post('/v1/ops/dead-letters/:service/:id/discard', { config, schema: one }, async (request) => {
    const { id } = request.params
    const answer = await discard(request, [id], request.body.reason)
    if (answer.discarded === 0) throw noneDead(id)
    return answer
  })
  const Answer = Type.Object({ discarded: Type.Integer(), nextCursor: NextCursor })
  const many = {
    tags,
    summary: 'Give all of them up, or those of a cause',
    body: Type.Object({ ...Many.properties, reason: Text }, { additionalProperties: false }),
    ...answers({ 200: Answer }),
  }
  app.post('/v1/ops/dead-letters/discard', { config, schema: many }, async (request) => {
    const { ids, nextCursor } = await nextOf(queue, request.body)
    return { ...(await discard(request, ids, request.body.reason)), nextCursor }
  })
}

/** Where a list or a series of acts goes on: after a death of this time and id. */
function placeOf(query: { readonly cursor?: string }): DeadPlace | undefined {
  const place = cursorOf(query, isPlace)
  return place && { since: place[0], id: place[1] }
}
const isPlace = (value: Json): value is [since: number, id: string] =>
  Array.isArray(value) && value.length === 2 && Number.isSafeInteger(value[0]) && typeof value[1] === 'string'

/** The next ones to act on, and where those after them begin. */
async function nextOf(queue: TaskQueue, { type, cause, cursor }: Static<typeof Many>) {
  const found = await queue.dead(MOST, { type, cause, after: placeOf(cursor === undefined ? {} : { cursor }) })
  const last = found.length === MOST ? found.at(-1) : undefined
  return { ids: found.map(({ id }) => id), nextCursor: last ? encodeCursor([last.since, last.id]) : null }
}

type Asking = Parameters<typeof principalOf>[0]

/** Who did it, written in the transaction that does it. */
function telling(request: Asking, action: string, reason: string | null): TellOfTasks {
  const { subject } = principalOf(request)
  const about = { id: prefixed('act', systemIds.draw()), subject, requestId: request.id, action, reason }
  return (work, ids) => work.actions.record({ ...about, target: { service: SHOP }, result: { tasks: ids } })
}

const iso = (ms: number): string => new Date(ms).toISOString()

const noneDead = (id: string) => problem('not-found', `There is no dead letter ${id}`)

function shown({ attempt, since, data, ...task }: DeadTask): Static<typeof DeadLetter> {
  const { token, ...rest } = data as Record<string, unknown>
  const hidden = token === undefined ? rest : { ...rest, token: '…' }
  return { service: SHOP, ...task, data: hidden, attempts: attempt, since: iso(since) }
}
