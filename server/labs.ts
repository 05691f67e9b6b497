/**
 * Labs over HTTP: which there are, a run of one, what it tells while it goes on. For operators, and not in production: a run takes
 * a processor and half a gigabyte of memory for a while.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Type } from 'typebox'
import type { StoredReply } from '@cauce/kit/idempotency/port'
import { commandKey } from '@cauce/kit/http/keys'
import { answers } from '@cauce/kit/http/openapi'
import { cursorOf, DEFAULT_LIMIT, pageFrom, pageQuery } from '@cauce/kit/http/pagination'
import { passingProblem, problem, problemsOf } from '@cauce/kit/http/problem'
import { sendAnswer } from '@cauce/kit/http/commands'
import type { HttpServer } from '@cauce/kit/http/server-types'
import { EVENT_STREAM, streaming, type OpenStreams, type Stream } from '@cauce/kit/http/streams'
import { refusalOf, type RunCommand } from '@cauce/labs/contract'
import type { LabProgram } from './labs-program.ts'
import type { LabRun, LabRuns } from './labs-runs.ts'
import {
  EVENT_EXAMPLE,
  isLabId,
  Lab,
  LabEvent,
  LabId,
  LabList,
  Run,
  RunId,
  RunLab,
  type Phase,
} from './labs-schemas.ts'
import { opsConfig as config } from './ops-services.ts'

export interface LabRoutes {
  readonly program: LabProgram
  readonly runs: LabRuns
  readonly open: OpenStreams
}

const tags = ['labs']
const problems = problemsOf({
  'not-found': { status: 404, title: 'Not found' },
  'lab-running': {
    status: 409,
    title: 'Another lab runs',
    example:
      'run_019ab3f0c1d27000a1b2c3d4e5f60718 of the lab transfer runs, and there is one at a time. Wait until its stream ends, or cancel it',
  },
})

export function labRoutes(app: HttpServer, routes: LabRoutes): void {
  const catalogue = askedOnce(routes.program)
  listRoutes(app, catalogue)
  runRoute(app, routes, catalogue)
  followRoutes(app, routes)
  cancelRoute(app, routes)
}

interface Catalogue {
  readonly phases: readonly Phase[]
  readonly labs: readonly Lab[]
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** Asked with the first request; it stays the same while this server lives. */
function askedOnce(program: LabProgram): () => Promise<Catalogue> {
  let asked: Promise<Catalogue> | undefined
  return () => {
    asked ??= program.list().then(
      ({ phases, labs }) => ({ phases, labs: labs.map((lab) => ({ ...lab, ...pagesOf(lab.id) })) }),
      (error: unknown) => {
        asked = undefined
        throw error
      },
    )
    return asked
  }
}

function pagesOf(id: string): Pick<Lab, 'page'> {
  const page = { en: `docs/labs/${id}.md`, es: `docs/labs/${id}.es.md` }
  return Object.values(page).every((file) => existsSync(join(root, file))) ? { page } : {}
}

function labOf({ labs }: Catalogue, id: string): Lab {
  const found = labs.find((lab) => lab.id === id)
  if (found) return found
  throw problem('not-found', `There is no lab ${id}. There are: ${labs.map((lab) => lab.id).join(', ')}`)
}

function listRoutes(app: HttpServer, catalogue: () => Promise<Catalogue>): void {
  const many = {
    tags,
    summary: 'The labs, in the order in which they are learned',
    description:
      'A lab provokes a failure on real servers of its own, runs each fix on the same workload, and measures.',
    querystring: pageQuery({}),
    ...answers({ 200: LabList }),
  }
  app.get('/v1/labs', { config, schema: many }, async (request) => {
    const { limit = DEFAULT_LIMIT } = request.query
    const after = cursorOf(request.query, isLabId)
    const { phases, labs } = await catalogue()
    const from = after === undefined ? 0 : labs.findIndex(({ id }) => id === after) + 1
    if (after !== undefined && from === 0)
      throw problem('malformed', 'The cursor is not one of this list. Start again without it')
    return { ...pageFrom(labs.slice(from, from + limit + 1), limit, ({ id }) => id), phases: [...phases] }
  })

  const one = { tags, summary: 'One lab', params: LabId, ...answers({ 200: Lab }, problems, ['not-found']) }
  app.get('/v1/labs/:id', { config, schema: one }, async (request) => labOf(await catalogue(), request.params.id))
}

function runRoute(app: HttpServer, { runs }: LabRoutes, catalogue: () => Promise<Catalogue>): void {
  const schema = {
    tags,
    summary: 'Run a lab',
    description:
      'On a database of its own that is gone afterwards; the shop’s data is not touched. One at a time. The run is kept in the memory of this server, with the last 20, and so is the key: a refusal leaves no trace under it.',
    params: LabId,
    body: RunLab,
    sends: ['Location'] as const,
    ...answers({ 202: Run }, problems, ['not-found', 'lab-running']),
  }
  app.post('/v1/labs/:id/runs', { config: { ...config, key: true }, schema }, async (request, reply) => {
    const { scope, fingerprint } = commandKey(request, '/v1/labs/:id/runs')
    const known = await catalogue()
    // From here to the kept answer nobody comes in between.
    const before = runs.answered(scope, fingerprint)
    if (before.kind === 'replayed') return sendAnswer(reply, answered(before.reply, true))
    if (before.kind === 'reused') return sendAnswer(reply, before)
    const command = commandOf(labOf(known, request.params.id), request.body)
    if (runs.closed)
      throw passingProblem('too-busy', 'This server is about to end. Send the same request again later', 5)
    if (runs.current) {
      const { id, lab } = runs.current.show()
      const detail = `${id} of the lab ${lab} runs, and there is one at a time. Wait until its stream ends, or cancel it`
      throw problems.error({ code: 'lab-running', detail })
    }
    const run = runs.start(command).show()
    const headers = { location: `/v1/labs/runs/${run.id}` }
    const answer = { status: 202, headers, body: JSON.stringify(run) }
    runs.keep(scope, fingerprint, request.id, answer)
    return sendAnswer(reply, answered(answer, false))
  })
}

const answered = (reply: StoredReply, replayed: boolean) =>
  ({ kind: 'answered', reply, replayed, decision: undefined, heads: [] }) as const

/** What the lab is to do, in the words it would refuse it with. */
function commandOf(lab: Lab, { seed = 1, size = 'default', set, variant }: RunLab): RunCommand {
  const asked = { ...(set ? { set } : {}), ...(variant === undefined ? {} : { only: variant }) }
  const refusal = refusalOf(lab, asked)
  if (refusal !== undefined) throw problem('invalid', refusal)
  return { id: lab.id, seed, size, ...asked }
}

function runOf(runs: LabRuns, id: string): LabRun {
  const run = runs.find(id)
  if (run) return run
  throw problem('not-found', `There is no run ${id} here. The last 20 are kept, until the server ends`)
}

const lastEvent = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      pattern: '^\\d{1,15}$',
      description: 'The number of the last event that the reader has',
      examples: ['20'],
    }),
  ),
})

const Events = Type.Unsafe<never>(
  Type.String({
    description: 'Events named by their type, numbered from 0; comments in between keep the connection',
    contentMediaType: EVENT_STREAM,
    contentSchema: LabEvent,
    examples: [EVENT_EXAMPLE],
  }),
)

function followRoutes(app: HttpServer, { runs, open }: LabRoutes): void {
  const one = { tags, summary: 'One run', params: RunId, ...answers({ 200: Run }, problems, ['not-found']) }
  app.get('/v1/labs/runs/:runId', { config, schema: one }, async (request) => runOf(runs, request.params.runId).show())

  const schema = {
    tags,
    summary: 'What a run has told, and what it tells',
    description:
      'Server-sent events, from the first one or from the one after `Last-Event-ID`. The last one is `result` or `failed`; the stream ends when the run has cleaned up, and another one may begin. A reader that has all of them gets 204.',
    params: RunId,
    headers: lastEvent,
    produces: [EVENT_STREAM],
    refusals: ['rate-limited'] as const,
    ...answers({ 200: Events, 204: Type.Null({ description: 'There is nothing to come' }) }, problems, ['not-found']),
  }
  const asStream = { ...config, produces: EVENT_STREAM }
  app.get('/v1/labs/runs/:runId/stream', { ...streaming, config: asStream, schema }, async (request, reply) => {
    const run = runOf(runs, request.params.runId)
    const { 'last-event-id': known } = request.headers
    const from = known === undefined ? 0 : Math.min(Number(known) + 1, run.told)
    if (!run.running && from === run.told) return reply.code(204).send(null)
    const gone = new AbortController()
    follow(
      run,
      from,
      open.open(request, reply, () => gone.abort()),
      gone.signal,
    )
    return undefined
  })
}

/** Sends the events one by one, the next when the reader has taken the last. */
function follow(run: LabRun, from: number, stream: Stream, gone: AbortSignal): void {
  let next = from
  let sending = false
  const go = async () => {
    if (sending || gone.aborted) return
    sending = true
    for (let event = run.event(next); event && !gone.aborted; event = run.event(next)) {
      stream.send({ event: event.type, id: String(next++), data: event })
      await stream.taken()
    }
    sending = false
    if (!run.running) stream.end()
  }
  gone.addEventListener(
    'abort',
    run.watch(() => void go()),
    { once: true },
  )
  void go()
}

function cancelRoute(app: HttpServer, { runs }: LabRoutes): void {
  const schema = {
    tags,
    summary: 'End a run early',
    description:
      'It is `cancelled` when its servers have gone, which takes a few seconds. Ending again, or one that has ended, changes nothing.',
    params: RunId,
    ...answers({ 200: Run, 202: Run }, problems, ['not-found']),
  }
  app.post('/v1/labs/runs/:runId/cancel', { config, schema }, async (request, reply) => {
    const run = runOf(runs, request.params.runId)
    run.stop()
    return reply.code(run.running ? 202 : 200).send(run.show())
  })
}
