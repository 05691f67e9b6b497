/** What an operator asks over HTTP. */
import { Type } from 'typebox'
import { systemIds } from '@cauce/kit/core/id-source'
import type { Pool } from '@cauce/kit/database/pool'
import { answers } from '@cauce/kit/http/openapi'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { Audit, runAudit } from './audit.ts'
import { actionRoutes } from './ops-actions.ts'
import { deadLetterRoutes } from './ops-dead.ts'
import { parkedRoutes } from './ops-parked.ts'
import { opsOf } from './ops-services.ts'
import { listGroups } from './views.ts'
import type { Wired } from './wire.ts'

const Groups = Type.Object({
  items: Type.Array(
    Type.Object({
      group: Type.String(),
      source: Type.String(),
      lane: Type.Integer(),
      head: Type.Integer(),
      cursor: Type.Integer(),
      lag: Type.Integer({ description: 'Messages not applied yet' }),
      oldestMs: Type.Integer({ description: 'Age of the oldest of them' }),
      parked: Type.Integer({ description: 'Messages set aside' }),
      halted: Type.Union([Type.String(), Type.Null()], { description: 'Why the lane stands still' }),
    }),
    {
      examples: [
        [
          {
            group: 'payments',
            source: 'orders',
            lane: 3,
            head: 120,
            cursor: 118,
            lag: 2,
            oldestMs: 12,
            parked: 0,
            halted: null,
          },
        ],
      ],
    },
  ),
})

export interface OpsOptions {
  readonly audits: Pool
  readonly reads: Pool
  /** What runs in this process. */
  readonly services: readonly Wired[]
}

export function opsRoutes(app: HttpServer, { audits, reads, services }: OpsOptions): void {
  const config = { access: ['operator'] as const, priority: 3 as const }
  const tags = ['operations']
  const audit = {
    tags,
    summary: 'Are the books right?',
    description: 'Checks every order, account, product and log of one moment, while everything runs.',
    ...answers({ 200: Audit }),
  }
  app.get('/v1/ops/audit', { config, schema: audit }, () => shared(() => runAudit(audits)))
  const groups = { tags, summary: 'Where each consumer group stands in each lane', ...answers({ 200: Groups }) }
  app.get('/v1/ops/groups', { config, schema: groups }, async () => ({
    items: await listGroups((statement, values) => reads.query(statement, values)),
  }))
  const ops = opsOf(services, systemIds)
  parkedRoutes(app, ops)
  deadLetterRoutes(app, ops)
  actionRoutes(app, ops)
}

let auditing: Promise<Audit> | undefined

/** An audit reads everything: callers that come while one runs share it. */
function shared(run: () => Promise<Audit>): Promise<Audit> {
  auditing ??= run().finally(() => {
    auditing = undefined
  })
  return auditing
}
