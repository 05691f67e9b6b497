/**
 * What the operators' routes over parked keys and dead letters share. They act through a service's own deciders and runners, so
 * a server answers for the services it runs; about others it says where to ask.
 */
import { Type } from 'typebox'
import type { GroupReader } from '@cauce/kit/consumer/port'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import { prefixed, type IdSource } from '@cauce/kit/core/ids'
import { principalOf } from '@cauce/kit/http/principal'
import { problem, problemsOf } from '@cauce/kit/http/problem'
import type { ActionReader, NewAction } from '@cauce/kit/operator/port'
import { postgresActionReader } from '@cauce/kit/operator/postgres'
import type { RunningService } from '@cauce/kit/pipeline/service'
import type { TaskQueue } from '@cauce/kit/task/port'
import { postgresTaskQueue } from '@cauce/kit/task/postgres'
import { serviceNames, type ServiceName } from './config.ts'
import type { Wired } from './wire.ts'

/** One service in an operator's hands; what is only read goes through the connections for reading. */
export interface OpsService {
  readonly name: ServiceName
  readonly running: RunningService
  readonly groups: GroupReader
  readonly queue: TaskQueue
  readonly actions: ActionReader
}

export interface Ops {
  /** By name. */
  readonly services: readonly OpsService[]
  readonly ids: IdSource
}

export function opsOf(services: readonly Wired[], ids: IdSource): Ops {
  const all = services.map(({ name, running, readPool }): OpsService => ({
    name,
    running,
    groups: postgresGroups(readPool, name),
    queue: postgresTaskQueue(readPool, name),
    actions: postgresActionReader(readPool, name),
  }))
  return { services: all.toSorted((a, b) => (a.name < b.name ? -1 : 1)), ids }
}

/** The service of that name, or a ProblemError (404). */
export function serviceOf({ services }: Ops, name: string): OpsService {
  const found = services.find((service) => service.name === name)
  if (found) return found
  const here = services.map((service) => service.name).join(', ')
  if (!(serviceNames as readonly string[]).includes(name)) {
    throw problem('not-found', `There is no service ${name}. There are ${serviceNames.join(', ')}`)
  }
  throw problem('not-found', `${name} does not run in this server, which runs ${here}. Ask one that runs it`)
}

/** The one that is asked for, else all that run here. */
export const servicesOf = (ops: Ops, name: string | undefined): readonly OpsService[] =>
  name === undefined ? ops.services : [serviceOf(ops, name)]

export type OpsRequest = Parameters<typeof principalOf>[0]

/** The record of an act. */
export function recordOf(
  { ids }: Ops,
  request: OpsRequest,
  act: Pick<NewAction, 'action' | 'target' | 'result'> & { readonly reason?: string },
): NewAction {
  const id = prefixed('act', ids.draw())
  return { reason: null, ...act, id, subject: principalOf(request).subject, requestId: request.id }
}

/** What was said or is to be done, as operators may read it: what pays is not theirs either. */
export function disclosed(data: object): Record<string, unknown> {
  const { token, ...rest } = data as Record<string, unknown>
  return token === undefined ? rest : { ...rest, token: '…' }
}

export const opsProblems = problemsOf({ 'not-found': { status: 404, title: 'Not found' } })

/** Operators only, and the first to be refused under load. */
export const opsConfig = { access: ['operator'] as const, priority: 3 as const }
export const opsTags = ['operations']

export const Count = Type.Integer({ minimum: 0 })
export const Name = Type.String({
  pattern: '^[a-z][a-z-]{0,63}$',
  description: 'A service; its consumer group has the same name',
  examples: ['payments'],
})
/** A key, a type, an id: any text that can be stored. */
export const AnyText = Type.String({ minLength: 1, maxLength: 512, pattern: '^[^\\u0000]+$' })
export const Cause = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000]+$',
  description: 'The error without ids and numbers, as the list of causes gives it',
  examples: ['Error: Version # of saga fulfilment is not known here.'],
})
export const Reason = Type.String({
  minLength: 1,
  maxLength: 500,
  pattern: '\\S',
  description: 'Why, for the record',
  examples: ['sent twice by mistake, see INC-7'],
})
export const Cursor = Type.String({ minLength: 1, maxLength: 1024, description: 'nextCursor of the answer before' })
export const NextCursor = Type.Union([Type.String(), Type.Null()], {
  examples: [null],
  description: 'Send it as `cursor` to go on; null when nothing is left',
})
export const ReasonBody = Type.Object({ reason: Reason }, { additionalProperties: false })

export const iso = (ms: number): string => new Date(ms).toISOString()
