/**
 * Dead letters over HTTP: tasks that ran out of attempts, or whose decision threw when it was told their outcome. Which there
 * are and why, redrive and discard.
 */
import { Type, type Static } from 'typebox'
import { encodeCursor, type Json } from '@cauce/kit/core/codec'
import { Timestamp } from '@cauce/kit/core/schemas'
import { answers } from '@cauce/kit/http/openapi'
import { cursorOf, DEFAULT_LIMIT, pageFrom, pageOf, pageQuery } from '@cauce/kit/http/pagination'
import { problem } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { discardDead, redriveDead, type TellOfTasks } from '@cauce/kit/pipeline/dead-letters'
import type { DeadPlace, DeadTask } from '@cauce/kit/task/port'
import {
  AnyText,
  Cause,
  Count,
  Cursor,
  disclosed,
  iso,
  Name,
  NextCursor,
  opsConfig as config,
  opsProblems,
  opsTags as tags,
  Reason,
  ReasonBody,
  recordOf,
  serviceOf,
  servicesOf,
  type Ops,
  type OpsRequest,
  type OpsService,
} from './ops-services.ts'

/** Most tasks of one request. */
const MOST = 500

const DeadLetter = Type.Object(
  {
    service: Type.String(),
    id: Type.String({ description: 'Also the idempotency key that its provider saw' }),
    type: Type.String(),
    key: Type.String({ description: 'What it was about' }),
    attempts: Count,
    error: Type.String(),
    cause: Type.String({ description: 'The error without ids and numbers: the same for all that failed alike' }),
    since: Timestamp,
    data: Type.Unknown(),
    outcome: Type.Unknown({ description: 'What the effect answered last, when the decision could not take it' }),
    requestId: Type.String(),
  },
  {
    examples: [
      {
        service: 'shipping',
        id: '5e1f3a0b9c8d7e6f5a4b3c2d1e0f9a8b',
        type: 'book-shipment',
        key: 'ord_019ab3f0c1d27000a1b2c3d4e5f60718',
        attempts: 8,
        error: 'The carrier answered 401',
        cause: 'The carrier answered 401',
        since: '2026-01-02T03:04:05.678Z',
        data: { shipmentId: 'shp_019ab3f0c1d27000a1b2c3d4e5f60718' },
        outcome: { kind: 'exhausted', reason: 'The carrier answered 401' },
        requestId: 'req-1',
      },
    ],
  },
)

const Causes = Type.Object({
  items: Type.Array(
    Type.Object({
      service: Type.String(),
      type: Type.String(),
      cause: Type.String(),
      tasks: Type.Integer({ minimum: 1 }),
      oldest: Timestamp,
      example: Type.String({ description: 'The id of the one that died first' }),
    }),
    {
      examples: [
        [
          {
            service: 'shipping',
            type: 'book-shipment',
            cause: 'The carrier answered 401',
            tasks: 3,
            oldest: '2026-01-02T03:04:05.678Z',
            example: '5e1f3a0b9c8d7e6f5a4b3c2d1e0f9a8b',
          },
        ],
      ],
    },
  ),
})

const TaskId = Type.String({ ...AnyText, description: 'Of the task', examples: ['5e1f3a0b9c8d7e6f5a4b3c2d1e0f9a8b'] })
const TaskType = Type.String({ ...AnyText, description: 'What was to be done', examples: ['book-shipment'] })
const OneParams = Type.Object({ service: Name, id: TaskId }, { additionalProperties: false })
const filters = { service: Name, type: Type.Optional(TaskType), cause: Type.Optional(Cause) }
const RedriveGroup = Type.Object(
  { ...filters, cursor: Type.Optional(Cursor) },
  { additionalProperties: false, examples: [{ service: 'shipping', cause: 'The carrier answered 401' }] },
)
type RedriveGroup = Static<typeof RedriveGroup>
const DiscardGroup = Type.Object(
  { ...filters, reason: Reason, cursor: Type.Optional(Cursor) },
  { additionalProperties: false, examples: [{ service: 'shipping', type: 'book-shipment', reason: 'carrier closed' }] },
)
const Redriven = Type.Object({ redriven: Count })
const Discarded = Type.Object({ discarded: Count })
const whatDiscardIs =
  'It ends as cancelled and no decision is told: whoever waits for its outcome goes on waiting until a deadline or an operator ' +
  'acts, and what it should have done is not done. It cannot be redriven afterwards.'
const howMany = 'At most 500 at a time: while `nextCursor` is not null, send it to go on.'

export function deadLetterRoutes(app: HttpServer, ops: Ops): void {
  listRoutes(app, ops)
  showRoute(app, ops)
  redriveRoutes(app, ops)
  discardRoutes(app, ops)
}

const noneDead = ({ service, id }: Static<typeof OneParams>) =>
  problem('not-found', `There is no dead letter ${id} in ${service}. It may have been redriven or discarded`)

function shown(service: string, { attempt, since, data, ...task }: DeadTask): Static<typeof DeadLetter> {
  return { service, ...task, data: disclosed(data), attempts: attempt, since: iso(since) }
}

/** Of a series of acts, also when it began. */
type Place = readonly [since: number, id: string, until: number | null]
const isPlace = (value: Json): value is Place =>
  Array.isArray(value) &&
  value.length === 3 &&
  isMs(value[0]) &&
  typeof value[1] === 'string' &&
  (value[2] === null || isMs(value[2]))
const isMs = (value: unknown): value is number =>
  Number.isSafeInteger(value) && 0 <= Number(value) && Number(value) < 1e14

function placeOf(query: { readonly cursor?: string }): { after?: DeadPlace; until?: number } {
  const place = cursorOf(query, isPlace)
  if (!place) return {}
  const [since, id, until] = place
  return { after: { since, id }, ...(until === null ? {} : { until }) }
}

function listRoutes(app: HttpServer, ops: Ops): void {
  const list = {
    tags,
    summary: 'Dead letters',
    description: 'Tasks that were given up, those first that died first.',
    querystring: pageQuery({ ...filters, service: Type.Optional(Name) }),
    ...answers({ 200: pageOf(DeadLetter) }, opsProblems),
  }
  app.get('/v1/ops/dead-letters', { config, schema: list }, async (request) => {
    const { limit = DEFAULT_LIMIT, service, type, cause } = request.query
    const { after } = placeOf(request.query)
    const found = await Promise.all(
      servicesOf(ops, service).map(async ({ name, queue }) =>
        (await queue.dead(limit + 1, { type, cause, after })).map((task) => ({ name, task })),
      ),
    )
    const inOrder = found.flat().toSorted((a, b) => a.task.since - b.task.since || (a.task.id < b.task.id ? -1 : 1))
    const { items, nextCursor } = pageFrom(inOrder, limit, ({ task }) => [task.since, task.id, null])
    return { items: items.map(({ name, task }) => shown(name, task)), nextCursor }
  })

  const causes = { tags, summary: 'Why tasks died', description: 'Most tasks first.', ...answers({ 200: Causes }) }
  app.get('/v1/ops/dead-letters/causes', { config, schema: causes }, async () => {
    const found = await Promise.all(
      ops.services.map(async ({ name, queue }) =>
        (await queue.deadCauses()).map(({ oldest, ...rest }) => ({ service: name, ...rest, oldest: iso(oldest) })),
      ),
    )
    return { items: found.flat().toSorted((a, b) => b.tasks - a.tasks) }
  })
}

function showRoute(app: HttpServer, ops: Ops): void {
  const schema = { tags, summary: 'One dead letter', params: OneParams, ...answers({ 200: DeadLetter }, opsProblems) }
  app.get('/v1/ops/dead-letters/:service/:id', { config, schema }, async (request) => {
    const { service, id } = request.params
    const task = await serviceOf(ops, service).queue.findDead(id)
    if (!task) throw noneDead(request.params)
    return shown(service, task)
  })
}

/** Acts on the next dead letters of a filter: those that were dead when the first request of a series came. */
async function actOnMany(
  { queue }: OpsService,
  { type, cause, cursor }: Pick<RedriveGroup, 'type' | 'cause' | 'cursor'>,
  act: (ids: readonly string[], tell: TellOfTasks) => Promise<readonly string[]>,
  tell: TellOfTasks,
): Promise<{ count: number; nextCursor: string | null }> {
  const place = placeOf(cursor === undefined ? {} : { cursor })
  let { until } = place
  const found = await queue.dead(MOST + 1, { type, cause, after: place.after })
  const now = found.slice(0, MOST).filter(({ since }) => since <= (until ?? since))
  if (now.length === 0) return { count: 0, nextCursor: null }
  const changed = await act(
    now.map(({ id }) => id),
    async (work, ids) => {
      // What is redriven now may die again: it is not of this series.
      until ??= await work.begun
      await tell(work, ids)
    },
  )
  const last = now.at(-1)
  const more = found.length > MOST && now.length === MOST && last !== undefined
  return { count: changed.length, nextCursor: more ? encodeCursor([last.since, last.id, until ?? null]) : null }
}

function redriveRoutes(app: HttpServer, ops: Ops): void {
  const again =
    'Each has fresh attempts and keeps its id, which is its provider’s key: what has happened does not happen twice.'
  const one = {
    tags,
    summary: 'Let a dead task run again',
    description: again.replace('Each', 'It'),
    params: OneParams,
    ...answers({ 200: Redriven }, opsProblems),
  }
  app.post('/v1/ops/dead-letters/:service/:id/redrive', { config, schema: one }, async (request) => {
    const { service, id } = request.params
    const { running } = serviceOf(ops, service)
    const tell = telling(ops, request, 'dead-letter.redrive', request.params, (redriven) => ({ redriven }))
    const { length } = await redriveDead(running.storage.transactions, [id], tell)
    if (length === 0) throw noneDead(request.params)
    running.taskWake.notify()
    return { redriven: length }
  })

  const many = {
    tags,
    summary: 'Let many dead tasks run again',
    description: `All of a service, or those of a type or cause. ${again} ${howMany}`,
    body: RedriveGroup,
    ...answers({ 200: Type.Object({ redriven: Count, nextCursor: NextCursor }) }, opsProblems),
  }
  app.post('/v1/ops/dead-letters/redrive', { config, schema: many }, async (request) => {
    const site = serviceOf(ops, request.body.service)
    const { transactions } = site.running.storage
    const tell = telling(ops, request, 'dead-letter.redrive', targetOf(request.body), (redriven) => ({ redriven }))
    const act = (ids: readonly string[], told: TellOfTasks) => redriveDead(transactions, ids, told)
    const { count, nextCursor } = await actOnMany(site, request.body, act, tell)
    site.running.taskWake.notify()
    return { redriven: count, nextCursor }
  })
}

function discardRoutes(app: HttpServer, ops: Ops): void {
  const result = (discarded: number) => ({ discarded })
  const one = {
    tags,
    summary: 'Give a dead task up for good',
    description: whatDiscardIs,
    params: OneParams,
    body: ReasonBody,
    ...answers({ 200: Discarded }, opsProblems),
  }
  app.post('/v1/ops/dead-letters/:service/:id/discard', { config, schema: one }, async (request) => {
    const { service, id } = request.params
    const { reason } = request.body
    const { transactions } = serviceOf(ops, service).running.storage
    const tell = telling(ops, request, 'dead-letter.discard', request.params, result, reason)
    const { length } = await discardDead(transactions, [id], reason, tell)
    if (length === 0) throw noneDead(request.params)
    return { discarded: length }
  })

  const many = {
    tags,
    summary: 'Give many dead tasks up for good',
    description: `All of a service, or those of a type or cause. ${whatDiscardIs} ${howMany}`,
    body: DiscardGroup,
    ...answers({ 200: Type.Object({ discarded: Count, nextCursor: NextCursor }) }, opsProblems),
  }
  app.post('/v1/ops/dead-letters/discard', { config, schema: many }, async (request) => {
    const { reason } = request.body
    const site = serviceOf(ops, request.body.service)
    const { transactions } = site.running.storage
    const tell = telling(ops, request, 'dead-letter.discard', targetOf(request.body), result, reason)
    const act = (ids: readonly string[], told: TellOfTasks) => discardDead(transactions, ids, reason, told)
    const { count, nextCursor } = await actOnMany(site, request.body, act, tell)
    return { discarded: count, nextCursor }
  })
}

function targetOf({ service, type, cause }: RedriveGroup): Record<string, string> {
  return { service, ...(type === undefined ? {} : { type }), ...(cause === undefined ? {} : { cause }) }
}

/** Records the act in its own transaction. */
function telling(
  ops: Ops,
  request: OpsRequest,
  action: string,
  target: Readonly<Record<string, string>>,
  result: (count: number) => object,
  reason?: string,
): TellOfTasks {
  return (work, ids) => {
    const act = { action, target, result: result(ids.length), ...(reason === undefined ? {} : { reason }) }
    return work.actions.record(recordOf(ops, request, act))
  }
}
