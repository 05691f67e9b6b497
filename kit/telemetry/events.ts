/**
 * The catalogue of log events: a name, a level, what it means, and its fields with their types. Code logs by name, so that a
 * search, an alert and the reference page all speak of the same thing; a line that is in no catalogue does not compile.
 *
 * A mechanism or a service that has events of its own writes a second catalogue with `event` and logs through `eventLog`.
 */

import { Type } from 'typebox'
import type { Static, TObject, TProperties } from 'typebox'
import type { Level, Logger } from './logger.ts'

export interface EventSpec<Fields extends TProperties = TProperties> {
  readonly level: Exclude<Level, 'silent'>
  /** One sentence: what happened. It is the line's message. */
  readonly says: string
  readonly fields: Fields
}

export type Catalogue = Readonly<Record<string, EventSpec>>
export type FieldsOf<E extends EventSpec> = Static<TObject<E['fields']>>
export type EventLog<C extends Catalogue> = <Name extends keyof C & string>(
  name: Name,
  fields: FieldsOf<C[Name]>,
) => void

/** Declares one event of a catalogue. */
export function event<const Fields extends TProperties>(
  level: Exclude<Level, 'silent'>,
  says: string,
  fields: Fields,
): EventSpec<Fields> {
  return { level, says, fields }
}

/** Logs the events of a catalogue by name. */
export function eventLog<C extends Catalogue>(logger: Logger, catalogue: C): EventLog<C> {
  return (name, fields) => {
    const spec = catalogue[name]
    const line: object = { event: name, ...fields }
    if (spec) logger[spec.level](line, spec.says)
  }
}

const text = (description: string) => Type.String({ description })
const count = (description: string) => Type.Number({ description })
const err = Type.Unknown({ description: 'The error, with its stack' })
const group = text('The consumer group')
const source = text('The log it reads, by service')
const lane = count('The lane')
const queue = text('The task queue')
const taskId = text('The task, which is also the idempotency key the provider saw')
const request = {
  requestId: text('X-Request-Id of the request'),
  method: text('HTTP method'),
  route: text('The route, with its parameters as names'),
}

/** The kit's own events. */
export const kitEvents = {
  'server.listening': event('info', 'Accepting requests', { url: text('Where') }),
  'server.draining': event('info', 'Not ready any more; requests in progress are finished', {
    lingerMs: count('How long requests are still accepted, each with Connection: close'),
  }),
  'server.closed': event('info', 'The HTTP server is closed', {
    cut: Type.Boolean({ description: 'Whether connections had to be cut' }),
  }),

  'http.done': event('info', 'A request that may change something was answered', {
    ...request,
    status: count('HTTP status'),
    ms: count('From the request line to the end of the answer'),
  }),
  'http.slow': event('warn', 'A request took long', {
    ...request,
    status: count('HTTP status'),
    ms: count('How long'),
  }),
  'http.failed': event('error', 'A request hit a bug and was answered 500', { ...request, err }),
  'http.unavailable': event('warn', 'Requests are answered 503', {
    ...request,
    code: text('The problem code'),
    more: count('Further ones since the last such line, which are not logged one by one'),
    err,
  }),
  'http.not-ready': event('warn', 'A readiness check failed', { check: text('Which check'), err }),

  'database.lost': event('error', 'The database is away; sources back off', { err }),
  'database.back': event('info', 'The database is back', { awayMs: count('How long it was away') }),

  'pipeline.retried': event('info', 'A transaction lost a race and runs again', {
    attempt: count('1, 2, 3'),
    inputs: count('Inputs in the batch'),
    err,
  }),
  'pipeline.bisected': event('warn', 'The data of an input was refused; the batch is split', {
    inputs: count('Inputs in the batch'),
    err,
  }),
  'pipeline.bug': event('error', 'A decision threw; its input is set aside', {
    input: text('The input id'),
    kind: text('command, message, outcome or timer'),
    err,
  }),

  'consumer.parked': event('warn', 'A message is parked, and with it its key', {
    group,
    source,
    lane,
    key: text('The key that waits'),
    messageId: text('The message'),
    err,
  }),
  'consumer.unparked': event('info', 'A parked key flows again', {
    group,
    source,
    key: text('The key'),
    applied: count('Messages applied'),
  }),
  'consumer.forked': event('error', 'Log forked: the source was rewound, the lane halts. See the runbook on epochs', {
    group,
    source,
    lane,
    position: count('The position of the cursor'),
    expected: text('The id the cursor holds'),
    found: text('The id the source has there, empty when none'),
  }),

  'task.retried': event('info', 'A task failed and is tried again', {
    queue,
    taskId,
    attempt: count('Which attempt'),
    afterMs: count('How long until the next'),
    err,
  }),
  'task.dead': event('error', 'A task has no attempts left', {
    queue,
    taskId,
    attempt: count('How many attempts'),
    err,
  }),
  'task.stubborn': event(
    'error',
    'A task that has no last attempt keeps failing. See the runbook on stuck compensations',
    {
      queue,
      taskId,
      attempt: count('How many attempts'),
      err,
    },
  ),
  'task.fenced': event('warn', 'A worker that had lost its lease was refused', { queue, taskId }),

  'breaker.changed': event('warn', 'A circuit breaker changed', {
    provider: text('The provider'),
    state: text('closed, open or half-open'),
  }),
  'log.refilled': event('info', 'Messages the transport lost were fetched from their source', {
    source,
    lane,
    from: count('First position'),
    count: count('How many'),
  }),
} satisfies Catalogue

export type KitLog = EventLog<typeof kitEvents>
