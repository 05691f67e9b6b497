/**
 * Reading one's own writes (I10). The answer of a command says in `Cauce-Token` how far its log has come; a request that sends
 * it waits until what answers it has applied that much.
 *
 *   token    = log *( ";" log )
 *   log      = name ":" lane "=" position *( "," lane "=" position )        orders:3=120,5=77;payments:1=4
 *
 * Tokens are joined with ";", in any order; of one lane the furthest position counts.
 *
 * 1. What serves a request waits for the logs it is made from. Its own log it never waits for: the truth is there already.
 * 2. A wait is 2 s at most, then 503 with Retry-After: the answer would be older than what the caller knows.
 * 3. A token that is malformed, or that names a log, a lane or a position that there is not, is a 400, at once.
 */
import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import { seconds, type Clock, type Timers } from '../core/clock.ts'
import { passingProblem, problem, type ProblemError } from './problem.ts'

export const TOKEN_HEADER = 'cauce-token'

const LONGEST_TOKEN = 8192
const WAIT_MS = seconds(2)
/** Between two looks: at first as long as a message usually takes. */
const LOOK_MS = { first: 5, most: 50 }

interface Head {
  readonly lane: number
  readonly head: number
}

export interface Position {
  readonly source: string
  readonly lane: number
  readonly position: number
}

/** What serves a request. */
export interface Served {
  /** The logs it is made from. */
  readonly sources: readonly string[]
  /** How far it has come in each of their lanes. */
  applied(): Promise<readonly Position[]>
}

export interface ConsistencyOptions {
  /** How far a log has come; undefined when there is no such log. */
  readonly heads: (log: string) => Promise<readonly Head[]> | undefined
  readonly clock: Clock
  readonly timers: Timers
}

/** For the answers of one service's commands. */
export interface TokenSource {
  /** The token of these heads; undefined when there are none. */
  of(heads: readonly Head[]): string | undefined
  /** The token of what the log holds now. */
  now(): Promise<string | undefined>
}

/** Waits for what the request's token says. Throws a ProblemError (400, 503). */
export type Awaiting = (request: FastifyRequest) => Promise<void>

export interface Consistency {
  tokensOf(log: string): TokenSource
  awaiting(served: Served): Awaiting
}

/** For the schema of a route that honours the token. */
export const tokenHeader = Type.Object({
  [TOKEN_HEADER]: Type.Optional(
    Type.String({
      maxLength: LONGEST_TOKEN,
      examples: ['orders:3=120'],
      description: 'Cauce-Token of an earlier answer: the answer to this request is not older than that',
    }),
  ),
})

export function formatToken(log: string, heads: readonly Head[]): string | undefined {
  const moved = heads.filter(({ head }) => head > 0).toSorted((a, b) => a.lane - b.lane)
  return moved.length === 0 ? undefined : `${log}:${moved.map(({ lane, head }) => `${lane}=${head}`).join(',')}`
}

const logPattern = /^([a-z][a-z0-9_-]{0,40}):(\d{1,4}=\d{1,15}(?:,\d{1,4}=\d{1,15})*)$/

/** What a token says, the furthest of each lane; undefined when it is none. */
export function parseToken(text: string): Position[] | undefined {
  if (text.length > LONGEST_TOKEN) return undefined
  const furthest = new Map<string, Position>()
  for (const part of text.split(';')) {
    const [, source, lanes] = logPattern.exec(part.trim()) ?? []
    if (source === undefined || lanes === undefined) return undefined
    for (const pair of lanes.split(',')) {
      const [lane = 0, position = 0] = pair.split('=').map(Number)
      const name = `${source}/${lane}`
      if ((furthest.get(name)?.position ?? -1) < position) furthest.set(name, { source, lane, position })
    }
  }
  return [...furthest.values()]
}

export function createConsistency({ heads, clock, timers }: ConsistencyOptions): Consistency {
  /** Throws unless there are such positions (3). */
  async function check(wanted: readonly Position[]): Promise<void> {
    for (const log of new Set(wanted.map(({ source }) => source))) {
      const found = await heads(log)
      if (!found) throw refused(`there is no log ${log}`)
      const known = new Map(found.map(({ lane, head }) => [lane, head]))
      for (const { source, lane, position } of wanted) {
        if (source !== log) continue
        const head = known.get(lane)
        if (head === undefined) throw refused(`the log ${log} has no lane ${lane}`)
        if (position > head) throw refused(`lane ${lane} of ${log} ends at ${head}, before ${position}`)
      }
    }
  }

  async function wait(wanted: readonly Position[], { sources, applied }: Served): Promise<void> {
    const untilMs = clock.monotonic() + WAIT_MS
    let pauseMs = LOOK_MS.first
    for (let looks = 1; ; looks++) {
      const at = new Map((await applied()).map(({ source, lane, position }) => [`${source}/${lane}`, position]))
      const open = wanted.filter(({ source, lane, position }) => (at.get(`${source}/${lane}`) ?? -1) < position)
      if (looks === 1) await check(open)
      if (open.every(({ source }) => !sources.includes(source))) return
      if (clock.monotonic() >= untilMs) {
        const detail = 'What you wrote has not arrived here yet. Send the same request again'
        throw passingProblem('not-caught-up', detail, 1)
      }
      await timers.sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, LOOK_MS.most)
    }
  }

  return {
    tokensOf: (log) => ({
      of: (found) => formatToken(log, found),
      now: async () => formatToken(log, (await heads(log)) ?? []),
    }),
    awaiting: (served) => async (request) => {
      const text = request.raw.headers[TOKEN_HEADER]
      if (text === undefined) return
      const wanted = typeof text === 'string' ? parseToken(text) : undefined
      if (!wanted) throw refused('it is not written as one: send it as it was given, several joined with “;”')
      await wait(wanted, served)
    },
  }
}

const refused = (why: string): ProblemError => problem('malformed', `The Cauce-Token cannot be honoured: ${why}`)
