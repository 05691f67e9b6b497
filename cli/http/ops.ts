/** The operators' calls about parked keys and dead letters. */
import type { Call } from './client.ts'
import { queryOf, type Page, type PageQuery } from './query.ts'

/** One row of GET /v1/ops/parked. */
export interface Parked {
  readonly group: string
  readonly source: string
  readonly key: string
  readonly lane: number
  readonly messages: number
  readonly type: string
  readonly error: string
  readonly cause: string
  readonly since: string
}

export interface ParkedCause {
  readonly group: string
  readonly cause: string
  readonly keys: number
  readonly messages: number
  readonly oldest: string
  readonly example: { readonly source: string; readonly key: string; readonly error: string }
}

export interface ParkedMessage {
  readonly id: string
  readonly type: string
  readonly position: number
  readonly at: string
  readonly data: unknown
  readonly error: string
}

export interface ParkedName {
  readonly group: string
  readonly source: string
  readonly key: string
}

/** One row of GET /v1/ops/dead-letters. */
export interface DeadLetter {
  readonly service: string
  readonly id: string
  readonly type: string
  readonly key: string
  readonly attempts: number
  readonly error: string
  readonly cause: string
  readonly since: string
  readonly data: unknown
  readonly outcome: unknown
  readonly requestId: string
}

export interface DeadCause {
  readonly service: string
  readonly type: string
  readonly cause: string
  readonly tasks: number
  readonly oldest: string
  readonly example: string
}

export interface DeadFilter {
  readonly service: string
  readonly type?: string | undefined
  readonly cause?: string | undefined
}

type Items<Item> = { readonly items: readonly Item[] }
/** What one request of a series answers. */
type Series<Counts> = Counts & { readonly nextCursor: string | null }
type Cursor = { readonly cursor?: string | undefined }

const pathOf = (root: string, ...names: readonly string[]): string =>
  [`/v1/ops/${root}`, ...names.map(encodeURIComponent)].join('/')

/** `ask` speaks for the operator. */
export function opsCalls(ask: <Body>(call: Omit<Call, 'token'>) => Promise<Body>) {
  const get = <Body>(path: string) => ask<Body>({ method: 'GET', path })
  const post = <Body>(path: string, body?: object) => ask<Body>({ method: 'POST', path, ...(body ? { body } : {}) })
  const parkedPath = ({ group, source, key }: ParkedName) => pathOf('parked', group, source, key)
  return {
    parked: (query: PageQuery & { readonly group?: string | undefined; readonly cause?: string | undefined }) =>
      get<Page<Parked>>(`${pathOf('parked')}${queryOf(query)}`),
    parkedCauses: () => get<Items<ParkedCause>>(pathOf('parked', 'causes')),
    parkedKey: (name: ParkedName, query: PageQuery) =>
      get<Parked & Page<ParkedMessage>>(`${parkedPath(name)}${queryOf(query)}`),
    redriveParked: (name: ParkedName) =>
      post<{ readonly applied: number; readonly error: string | null }>(`${parkedPath(name)}/redrive`),
    redriveParkedGroup: (body: { readonly group: string; readonly cause?: string | undefined } & Cursor) =>
      post<Series<{ readonly keys: number; readonly applied: number; readonly failed: number }>>(
        pathOf('parked', 'redrive'),
        body,
      ),
    discardParked: (
      name: ParkedName,
      body: { readonly reason: string; readonly ids?: readonly string[] | undefined },
    ) => post<{ readonly discarded: number }>(`${parkedPath(name)}/discard`, body),

    deadLetters: (query: PageQuery & Partial<DeadFilter>) =>
      get<Page<DeadLetter>>(`${pathOf('dead-letters')}${queryOf(query)}`),
    deadCauses: () => get<Items<DeadCause>>(pathOf('dead-letters', 'causes')),
    deadLetter: (service: string, id: string) => get<DeadLetter>(pathOf('dead-letters', service, id)),
    redriveDead: (service: string, id: string) =>
      post<{ readonly redriven: number }>(`${pathOf('dead-letters', service, id)}/redrive`),
    redriveDeadGroup: (body: DeadFilter & Cursor) =>
      post<Series<{ readonly redriven: number }>>(pathOf('dead-letters', 'redrive'), body),
    discardDead: (service: string, id: string, reason: string) =>
      post<{ readonly discarded: number }>(`${pathOf('dead-letters', service, id)}/discard`, { reason }),
    discardDeadGroup: (body: DeadFilter & Cursor & { readonly reason: string }) =>
      post<Series<{ readonly discarded: number }>>(pathOf('dead-letters', 'discard'), body),
  }
}

/** Sends one request after the other until nothing is left, and adds up what they counted. */
export async function series<Counts extends Readonly<Record<string, number>>>(
  next: (cursor: string | undefined) => Promise<Series<Counts>>,
): Promise<Counts> {
  const total: Record<string, number> = {}
  let cursor: string | undefined
  do {
    const { nextCursor, ...counts } = await next(cursor)
    for (const [name, count] of Object.entries(counts as Record<string, number>))
      total[name] = (total[name] ?? 0) + count
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return total as unknown as Counts
}
