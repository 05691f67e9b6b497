/**
 * The first look at every request, whether a route matches or not: the headers of every answer, and what is wrong with the request
 * line itself. A request no route matches ends here, before its body is read.
 */

import type { FastifyReply, FastifyRequest, HTTPMethods, onRequestHookHandler } from 'fastify'
import type { Clock } from '../core/clock.ts'
import type { Drain } from './drain.ts'
import type { Limits } from './limits.ts'
import { problem } from './problem.ts'
import type { ProblemError } from './problem.ts'
import type { HttpServer } from './server-types.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** When the headers had arrived, by the monotonic clock. */
    arrivedAtMs: number
  }
}

export interface ArrivalRules {
  readonly limits: Limits
  readonly clock: Clock
  readonly drain: Drain
  /** Records a request that no route matches. */
  readonly unmatched: (status: number, ms: number) => void
}

export function arrivalHook(app: HttpServer, rules: ArrivalRules): onRequestHookHandler {
  const { limits, clock, drain, unmatched } = rules
  app.decorateRequest('arrivedAtMs', 0)
  return (request, reply, done) => {
    request.arrivedAtMs = clock.monotonic()
    reply
      .header('x-request-id', request.id)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-store')
    if (drain.started) reply.header('connection', 'close')
    const refusal = refusalOf(request.raw.url ?? '', request, limits)
    if (refusal) return done(refusal)
    if (!request.is404) return done()
    const answer = noRoute(app, request, reply)
    unmatched(answer?.status ?? 204, 0)
    if (answer) done(answer)
  }
}

function refusalOf(url: string, request: FastifyRequest, limits: Limits): ProblemError | undefined {
  if (url.length > limits.urlChars)
    return problem('uri-too-long', `The URI has ${url.length} characters. Send at most ${limits.urlChars}`)
  if (url.includes('%') && !isClean(url)) {
    return problem(
      'malformed',
      'The URI has a malformed percent-encoding, or text that cannot be stored. Encode it as UTF-8, without U+0000',
    )
  }
  if (request.raw.headers.host === undefined && request.raw.httpVersion === '1.1')
    return problem('malformed', 'HTTP/1.1 needs a Host header')
  const twice = givenTwice(request)
  if (twice !== undefined) return problem('malformed', `${twice} was sent more than once. Send one`)
  return undefined
}

/** Node keeps the first of these; whoever stands before us may have judged by the last. */
const single = new Set(['host', 'authorization', 'content-type'])

function givenTwice({ raw: { headers, rawHeaders } }: FastifyRequest): string | undefined {
  if (rawHeaders.length === 2 * Object.keys(headers).length) return undefined
  const seen = new Set<string>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    if (single.has(name) && seen.has(name)) return rawHeaders[i]
    seen.add(name)
  }
  return undefined
}

function isClean(url: string): boolean {
  try {
    return !decodeURIComponent(url).includes('\u0000')
  } catch {
    return false
  }
}

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** What a request that no route matches gets. OPTIONS of a known path is answered here: 204 with Allow. */
function noRoute(app: HttpServer, request: FastifyRequest, reply: FastifyReply): ProblemError | undefined {
  const [path = '/'] = (request.raw.url ?? '/').split('?')
  const allowed =
    path === '*' ? [...methods] : methods.filter((method) => app.findRoute({ method, url: path }) !== null)
  if (allowed.length === 0)
    return problem('not-found', 'There is nothing at this path. /openapi.json lists what there is')
  const allow = [...allowed, 'OPTIONS'].join(', ')
  if (request.method !== 'OPTIONS') {
    return problem('method-not-allowed', `${request.method} is not allowed here. Use one of: ${allow}`, { allow })
  }
  const answer: { send(): unknown } = reply.code(204).header('allow', allow)
  answer.send()
  return undefined
}
