/** What operators did, over HTTP: every redrive and discard, by whom and why. */
import { Type } from 'typebox'
import { idPattern } from '@cauce/kit/core/ids'
import { Timestamp } from '@cauce/kit/core/schemas'
import { answers } from '@cauce/kit/http/openapi'
import { cursorOf, DEFAULT_LIMIT, pageFrom, pageOf, pageQuery, textKey } from '@cauce/kit/http/pagination'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { iso, opsConfig as config, opsTags as tags, type Ops } from './ops-services.ts'

const Action = Type.Object(
  {
    id: Type.String({ pattern: idPattern('act').source }),
    at: Timestamp,
    service: Type.String({ description: 'Where it was done' }),
    subject: Type.String({ description: 'Who did it' }),
    requestId: Type.String(),
    action: Type.String({
      description: '`parked.redrive`, `parked.discard`, `dead-letter.redrive`, `dead-letter.discard`',
    }),
    target: Type.Unknown({ description: 'To what, by name' }),
    reason: Type.Union([Type.String(), Type.Null()]),
    result: Type.Unknown({ description: 'What came of it' }),
  },
  {
    examples: [
      {
        id: 'act_019ab3f0c1d27000a1b2c3d4e5f60718',
        at: '2026-01-02T03:04:05.678Z',
        service: 'orders',
        subject: 'olga',
        requestId: 'req-1',
        action: 'parked.discard',
        target: { group: 'orders', source: 'payments', key: 'ord_019ab3f0c1d27000a1b2c3d4e5f60718' },
        reason: 'sent twice by mistake',
        result: { discarded: 1 },
      },
    ],
  },
)

const isAction = textKey(idPattern('act'))

export function actionRoutes(app: HttpServer, ops: Ops): void {
  const schema = {
    tags,
    summary: 'What operators did, newest first',
    querystring: pageQuery({}),
    ...answers({ 200: pageOf(Action) }),
  }
  app.get('/v1/ops/actions', { config, schema }, async (request) => {
    const { limit = DEFAULT_LIMIT } = request.query
    const before = cursorOf(request.query, isAction)
    const found = await Promise.all(
      ops.services.map(async ({ name, actions }) =>
        (await actions.list(limit + 1, before)).map(({ at, ...rest }) => ({ ...rest, service: name, at: iso(at) })),
      ),
    )
    return pageFrom(
      found.flat().toSorted((a, b) => (a.id > b.id ? -1 : 1)),
      limit,
      ({ id }) => id,
    )
  })
}
