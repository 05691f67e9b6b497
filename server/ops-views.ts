/** Views over HTTP: which there are, how far they are, and building one anew. Whoever runs it does that; it is only asked here. */
import { Type, type Static } from 'typebox'
import { Timestamp } from '@cauce/kit/core/schemas'
import type { Pool } from '@cauce/kit/database/pool'
import type { Query } from '@cauce/kit/database/snapshot'
import type { Statement } from '@cauce/kit/database/session'
import { answers } from '@cauce/kit/http/openapi'
import { problem, problemsOf } from '@cauce/kit/http/problem'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { registryOf } from '@cauce/kit/projection/registry'
import { isBuilding, type Generation } from '@cauce/kit/projection/steps'
import { serviceNames, type ServiceName } from './config.ts'
import { Count } from './ops-services.ts'
import { listGroups, type GroupLane } from './views.ts'

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

const View = Type.Object(
  {
    name: Type.String(),
    service: Type.String({ description: 'Whose schema it stands in' }),
    state: Type.Enum(['active', 'building', 'stopped'], {
      description: 'active: read · building: there is none to read yet · stopped: read, and some lanes stand still',
    }),
    generation: orNull(Type.Integer({ description: 'The one that is read' })),
    since: orNull(Timestamp),
    lag: Type.Integer({ minimum: 0, description: 'Messages not applied yet' }),
    oldestMs: Type.Integer({ minimum: 0, description: 'Age of the oldest of them' }),
    error: orNull(Type.String({ description: 'Why lanes stand still' })),
    building: orNull(
      Type.Object({
        generation: Type.Integer(),
        phase: Type.Enum(['asked', 'seeding', 'tailing']),
        done: Type.Integer({ minimum: 0, description: 'Rows copied, or messages applied' }),
        total: Count,
        error: orNull(Type.String()),
      }),
    ),
  },
  {
    $id: 'View',
    examples: [
      {
        name: 'order-list',
        service: 'orders',
        state: 'active',
        generation: 2,
        since: '2026-01-02T03:04:05.678Z',
        lag: 0,
        oldestMs: 0,
        error: null,
        building: null,
      },
    ],
  },
)
export type View = Static<typeof View>

const problems = problemsOf({
  'not-found': { status: 404, title: 'Not found' },
})

export function viewRoutes(app: HttpServer, reads: Pool, rebuildAsked: () => void): void {
  const config = { access: ['operator'] as const, priority: 3 as const }
  const tags = ['operations']
  const query: Query = (statement, values) => reads.query(statement, values)
  const many = {
    tags,
    summary: 'The views: tables that are only read, and how far they are',
    ...answers({ 200: Type.Object({ items: Type.Array(View) }) }),
  }
  app.get('/v1/ops/views', { config, schema: many }, async () => ({ items: await listViews(query) }))

  const rebuild = {
    tags,
    summary: 'Build a view anew',
    description:
      'Beside the one that is read, which is read until the new one is as far. Asking again while it is built changes nothing.',
    params: Type.Object(
      { name: Type.String({ pattern: '^[a-z][a-z-]{0,40}$', examples: ['order-list'] }) },
      { additionalProperties: false },
    ),
    ...answers({ 202: View }, problems, ['not-found']),
  }
  app.post('/v1/ops/views/:name/rebuild', { config, schema: rebuild }, async (request, reply) => {
    const { name } = request.params
    const before = (await listViews(query)).find((view) => view.name === name)
    if (!before) throw problem('not-found', `There is no view ${name}. GET /v1/ops/views lists them`)
    await registryOf(reads, before.service).askRebuild(name)
    rebuildAsked()
    const after = (await listViews(query)).find((view) => view.name === name)
    return reply.code(202).send(after ?? before)
  })
}

const generations: Statement = {
  name: 'server.view_generations',
  text: serviceNames
    .map(
      (service) => `SELECT '${service}' AS service, name, generation, state, done, total, since, rebuild, error
        FROM ${service}.views WHERE state <> 'retired'`,
    )
    .join(' UNION ALL '),
}

type Row = Pick<Generation, 'name' | 'generation' | 'state' | 'done' | 'total' | 'since' | 'rebuild' | 'error'> & {
  readonly service: ServiceName
}

export async function listViews(query: Query): Promise<View[]> {
  const rows = await query<Row>(generations, [])
  const lanes = await listGroups(query)
  const names = [...new Set(rows.map(({ service, name }) => `${service}/${name}`))].toSorted()
  return names.map((each) =>
    viewOf(
      rows.filter(({ service, name }) => `${service}/${name}` === each),
      lanes,
    ),
  )
}

function viewOf(rows: readonly Row[], lanes: readonly GroupLane[]): View {
  const { name, service } = rows[0]!
  const active = rows.find(({ state }) => state === 'active')
  const building = rows.find(isBuilding)
  const mine = active ? lanesOf(active, lanes) : []
  return {
    name,
    service,
    state: !active ? 'building' : active.error === null ? 'active' : 'stopped',
    generation: active?.generation ?? null,
    since: active ? new Date(active.since).toISOString() : null,
    lag: mine.reduce((sum, { lag }) => sum + lag, 0),
    oldestMs: Math.max(0, ...mine.map(({ oldestMs }) => oldestMs)),
    error: active?.error ?? null,
    building: building ? progressOf(building, lanes) : asked(active),
  }
}

const lanesOf = ({ name, generation }: Row, lanes: readonly GroupLane[]): GroupLane[] =>
  lanes.filter(({ group }) => group === `${name}@${generation}`)

function asked(active: Row | undefined): View['building'] {
  if (!active?.rebuild) return null
  return { generation: active.generation + 1, phase: 'asked', done: 0, total: 0, error: null }
}

function progressOf(row: Row, lanes: readonly GroupLane[]): View['building'] {
  const { generation, done, total, error } = row
  if (row.state === 'seeding') return { generation, phase: 'seeding', done, total: Math.max(done, total), error }
  const mine = lanesOf(row, lanes)
  const sum = (of: (lane: GroupLane) => number) => mine.reduce((so, lane) => so + of(lane), 0)
  return { generation, phase: 'tailing', done: sum(({ cursor }) => cursor), total: sum(({ head }) => head), error }
}
