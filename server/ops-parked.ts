/**
 * Parked keys over HTTP: which there are and why, their messages, redrive and discard. A message is parked when its decision
 * threw; it and all behind it of its key wait until an operator redrives them.
 */
import { Type, type Static } from 'typebox'
import type { ParkedKey, ParkedSummary } from '@cauce/kit/consumer/port'
import { encodeCursor, type Json } from '@cauce/kit/core/codec'
import { Timestamp } from '@cauce/kit/core/schemas'
import { answers } from '@cauce/kit/http/openapi'
import { cursorOf, DEFAULT_LIMIT, pageFrom, pageOf, pageQuery } from '@cauce/kit/http/pagination'
import { problem } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { discardParked, redriveKey, redriveKeys } from '@cauce/kit/pipeline/redrive'
import { inTransaction } from '@cauce/kit/pipeline/unit-of-work'
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
  recordOf,
  serviceOf,
  servicesOf,
  type Ops,
} from './ops-services.ts'

const Parked = Type.Object(
  {
    group: Type.String({ description: 'The service that could not apply it' }),
    source: Type.String({ description: 'The service that said it' }),
    key: Type.String(),
    lane: Count,
    messages: Type.Integer({ minimum: 1, description: 'The one that failed, and those that wait behind it' }),
    type: Type.String({ description: 'Of the first message' }),
    error: Type.String({ description: 'Of the first message' }),
    cause: Type.String({ description: 'The error without ids and numbers: the same for all that failed alike' }),
    since: Timestamp,
  },
  {
    examples: [
      {
        group: 'orders',
        source: 'payments',
        key: 'ord_019ab3f0c1d27000a1b2c3d4e5f60718',
        lane: 3,
        messages: 2,
        type: 'PaymentAuthorized',
        error: 'Error: Version 2 of saga fulfilment is not known here. Deploy a server that knows it, then redrive',
        cause: 'Error: Version # of saga fulfilment is not known here. Deploy a server that knows it, then redrive',
        since: '2026-01-02T03:04:05.678Z',
      },
    ],
  },
)

const Causes = Type.Object({
  items: Type.Array(
    Type.Object({
      group: Type.String(),
      cause: Type.String(),
      keys: Type.Integer({ minimum: 1 }),
      messages: Type.Integer({ minimum: 1 }),
      oldest: Timestamp,
      example: Type.Object({ source: Type.String(), key: Type.String(), error: Type.String() }),
    }),
    {
      examples: [
        [
          {
            group: 'orders',
            cause: 'Error: Version # of saga fulfilment is not known here.',
            keys: 2,
            messages: 5,
            oldest: '2026-01-02T03:04:05.678Z',
            example: {
              source: 'payments',
              key: 'ord_019ab3f0c1d27000a1b2c3d4e5f60718',
              error: 'Error: Version 2 of saga fulfilment is not known here.',
            },
          },
        ],
      ],
    },
  ),
})

const ParkedMessage = Type.Object({
  id: Type.String(),
  type: Type.String(),
  position: Type.Integer({ description: 'In its lane of the log it came from' }),
  at: Timestamp,
  data: Type.Unknown({ description: 'What it says, without what pays' }),
  error: Type.String({ description: 'What went wrong; of those behind the first, what they wait for' }),
  requestId: Type.String(),
  causeId: Type.String(),
})
const ParkedWhole = Type.Object(
  { ...Parked.properties, ...pageOf(ParkedMessage).properties },
  {
    examples: [
      {
        group: 'orders',
        source: 'payments',
        key: 'ord_019ab3f0c1d27000a1b2c3d4e5f60718',
        lane: 3,
        messages: 1,
        type: 'PaymentAuthorized',
        error: 'Error: Version 2 of saga fulfilment is not known here. Deploy a server that knows it, then redrive',
        cause: 'Error: Version # of saga fulfilment is not known here. Deploy a server that knows it, then redrive',
        since: '2026-01-02T03:04:05.678Z',
        items: [
          {
            id: '019ab3f0c2017000b1b2c3d4e5f60718',
            type: 'PaymentAuthorized',
            position: 118,
            at: '2026-01-02T03:04:05.600Z',
            data: {
              orderId: 'ord_019ab3f0c1d27000a1b2c3d4e5f60718',
              paymentId: 'pay_019ab3f0c1d27000a1b2c3d4e5f60718',
            },
            error: 'Error: Version 2 of saga fulfilment is not known here. Deploy a server that knows it, then redrive',
            requestId: 'checkout-7',
            causeId: '019ab3f0c1d27000a1b2c3d4e5f60718',
          },
        ],
        nextCursor: null,
      },
    ],
  },
)

const Key = Type.String({
  ...AnyText,
  description: 'What the messages are about',
  examples: ['ord_019ab3f0c1d27000a1b2c3d4e5f60718'],
})
const KeyParams = Type.Object({ group: Name, source: Name, key: Key }, { additionalProperties: false })
type KeyParams = Static<typeof KeyParams>

const Applied = Type.Object(
  {
    applied: Count,
    error: Type.Union([Type.String(), Type.Null()], { description: 'Of the one that failed again' }),
  },
  { examples: [{ applied: 2, error: null }] },
)

const RedriveGroup = Type.Object(
  { group: Name, cause: Type.Optional(Cause), cursor: Type.Optional(Cursor) },
  { additionalProperties: false, examples: [{ group: 'orders' }] },
)
const Discard = Type.Object(
  {
    reason: Reason,
    ids: Type.Optional(Type.Array(AnyText, { minItems: 1, maxItems: 1000, description: 'All when absent' })),
  },
  { additionalProperties: false, examples: [{ reason: 'sent twice by mistake' }] },
)

export function parkedRoutes(app: HttpServer, ops: Ops): void {
  listRoutes(app, ops)
  showRoute(app, ops)
  redriveRoute(app, ops)
  redriveGroupRoute(app, ops)
  discardRoute(app, ops)
}

const noneParked = ({ group, source, key }: KeyParams) =>
  problem('not-found', `Nothing of ${key} from ${source} is parked in ${group}`)

const shown = (group: string, { since, ...rest }: ParkedSummary) => ({ group, ...rest, since: iso(since) })

type Place = readonly [group: string, source: string, key: string]
const isPlace = (value: Json): value is Place =>
  Array.isArray(value) && value.length === 3 && value.every((part) => typeof part === 'string')
const isPosition = (value: Json): value is number => Number.isSafeInteger(value)

function listRoutes(app: HttpServer, ops: Ops): void {
  const list = {
    tags,
    summary: 'Parked keys',
    description: 'Messages that could not be applied, and what waits behind them, by group, source and key.',
    querystring: pageQuery({ group: Type.Optional(Name), cause: Type.Optional(Cause) }),
    ...answers({ 200: pageOf(Parked) }, opsProblems),
  }
  app.get('/v1/ops/parked', { config, schema: list }, async (request) => {
    const { limit = DEFAULT_LIMIT, group, cause } = request.query
    const services = servicesOf(ops, group)
    const [from, source, key] = cursorOf(request.query, isPlace) ?? ['', '', '']
    const rows: ReturnType<typeof shown>[] = []
    for (const { name, groups } of services.filter((service) => service.name >= from)) {
      if (rows.length > limit) break
      const after = name === from ? { source, key } : undefined
      const found = await groups.parked(name, limit + 1 - rows.length, { cause, after })
      rows.push(...found.map((parked) => shown(name, parked)))
    }
    return pageFrom(rows, limit, (row) => [row.group, row.source, row.key])
  })

  const causes = { tags, summary: 'Why keys are parked', description: 'Most keys first.', ...answers({ 200: Causes }) }
  app.get('/v1/ops/parked/causes', { config, schema: causes }, async () => {
    const found = await Promise.all(
      ops.services.map(async ({ name, groups }) =>
        (await groups.parkedCauses(name)).map(({ oldest, ...rest }) => ({ group: name, ...rest, oldest: iso(oldest) })),
      ),
    )
    return { items: found.flat().toSorted((a, b) => b.keys - a.keys) }
  })
}

function showRoute(app: HttpServer, ops: Ops): void {
  const schema = {
    tags,
    summary: 'One parked key, with its messages in order',
    params: KeyParams,
    querystring: pageQuery({}),
    ...answers({ 200: ParkedWhole }, opsProblems),
  }
  app.get('/v1/ops/parked/:group/:source/:key', { config, schema }, async (request) => {
    const { group, ...key } = request.params
    const { groups } = serviceOf(ops, group)
    const { limit = DEFAULT_LIMIT } = request.query
    const after = cursorOf(request.query, isPosition) ?? 0
    const [summary, messages] = await Promise.all([
      groups.parkedKey(group, key),
      groups.parkedMessages(group, key, after, limit + 1),
    ])
    if (!summary) throw noneParked(request.params)
    const { items, nextCursor } = pageFrom(messages, limit, ({ position }) => position)
    const told = items.map(({ id, type, position, at, data, error, requestId, causeId }) => {
      return { id, type, position, at: iso(at), data: disclosed(data), error, requestId, causeId }
    })
    return { ...shown(group, summary), items: told, nextCursor }
  })
}

function redriveRoute(app: HttpServer, ops: Ops): void {
  const schema = {
    tags,
    summary: 'Apply the parked messages of a key again',
    description: 'In order, until one fails again: that one and those behind it stay parked, with the error of now.',
    params: KeyParams,
    ...answers({ 200: Applied }, opsProblems),
  }
  app.post('/v1/ops/parked/:group/:source/:key/redrive', { config, schema }, async (request) => {
    const { group, ...key } = request.params
    const { running, groups } = serviceOf(ops, group)
    if (!(await groups.parkedKey(group, key))) throw noneParked(request.params)
    const { transactions } = running.storage
    const { applied, error = null } = await redriveKey(running.pipeline, transactions, group, key)
    const result = { applied, error }
    const record = recordOf(ops, request, { action: 'parked.redrive', target: request.params, result })
    await inTransaction(transactions, (work) => work.actions.record(record))
    return result
  })
}

function redriveGroupRoute(app: HttpServer, ops: Ops): void {
  const schema = {
    tags,
    summary: 'Apply the parked messages of many keys again',
    description:
      'All keys of a group, or those of one cause, as many as can soon be done: while `nextCursor` is not null, send it ' +
      'to go on. Each key is tried once; `failed` counts those that failed again.',
    body: RedriveGroup,
    ...answers(
      { 200: Type.Object({ keys: Count, applied: Count, failed: Count, nextCursor: NextCursor }) },
      opsProblems,
    ),
  }
  app.post('/v1/ops/parked/redrive', { config, schema }, async (request) => {
    const { group, cause } = request.body
    const { running, groups } = serviceOf(ops, group)
    const [, source, key] = cursorOf(request.body, isPlace) ?? []
    const after = source === undefined || key === undefined ? undefined : { source, key }
    const { transactions } = running.storage
    const { next, ...counts } = await redriveKeys(
      { pipeline: running.pipeline, transactions, groups, group },
      { cause, after },
    )
    const target = { group, ...(cause === undefined ? {} : { cause }) }
    const record = recordOf(ops, request, { action: 'parked.redrive', target, result: counts })
    if (counts.keys > 0) await inTransaction(transactions, (work) => work.actions.record(record))
    return { ...counts, nextCursor: next ? placeCursor(group, next) : null }
  })
}

const placeCursor = (group: string, { source, key }: ParkedKey): string => encodeCursor([group, source, key])

function discardRoute(app: HttpServer, ops: Ops): void {
  const schema = {
    tags,
    summary: 'Remove parked messages without applying them',
    description:
      'For ever: what they said does not happen here. Those left of the key stay parked, in order; redrive them. ' +
      'With the last one the key flows again.',
    params: KeyParams,
    body: Discard,
    ...answers({ 200: Type.Object({ discarded: Count }) }, opsProblems),
  }
  app.post('/v1/ops/parked/:group/:source/:key/discard', { config, schema }, async (request) => {
    const { group, ...key } = request.params
    const { reason, ids } = request.body
    const { transactions } = serviceOf(ops, group).running.storage
    const discarded = await discardParked(transactions, group, key, ids, (work, count) => {
      const act = { action: 'parked.discard', target: request.params, reason, result: { discarded: count } }
      return work.actions.record(recordOf(ops, request, act))
    })
    if (discarded === 0) throw noneParked(request.params)
    return { discarded }
  })
}
