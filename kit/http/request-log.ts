/**
 * What is recorded of requests: a latency histogram per route for all of them, a log line only where one is worth reading. Under
 * overload or without a database every request fails alike, so the 503s are logged once a second with the count of the rest.
 *
 * The time is from the arrival of the headers until the answer is ready to be written. Waiting for the end of the writing would
 * cost listeners on every response, and would count an event stream as one request of an hour.
 */

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify'
import type { Clock } from '../core/clock.ts'
import type { KitLog } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Drain } from './drain.ts'
import type { ProblemError } from './problem.ts'

export interface RequestLogOptions {
  readonly log: KitLog
  readonly metrics: Metrics
  readonly clock: Clock
  readonly drain: Drain
  readonly slowMs: number
  readonly logMutations: boolean
}

export interface RequestLog {
  /** Records what a route answers, from the moment the route is added. */
  watch(route: RouteOptions): void
  /** Records a problem that is about to be answered. `cause` is the error it was made from. */
  failed(refusal: ProblemError, cause: unknown, request: FastifyRequest): void
}

const READS = ['GET', 'HEAD', 'OPTIONS']
const QUIET_MS = 1_000

export function watchRequests(options: RequestLogOptions): RequestLog {
  const { log, metrics, clock, drain, slowMs, logMutations } = options
  let unlogged = 0
  let loggedAtMs = -Infinity

  function watch(route: RouteOptions): void {
    const method = String(route.method)
    const mutates = logMutations && !READS.includes(method)
    const record = metrics.httpRoute(method, route.url)
    const ready = (request: FastifyRequest, reply: FastifyReply, _payload: unknown, next: HookHandlerDoneFunction) => {
      if (drain.started) reply.header('connection', 'close') // also where draining began while the request was in progress
      const ms = clock.monotonic() - request.arrivedAtMs
      record(reply.statusCode, ms)
      if (ms >= slowMs || mutates) {
        log(ms >= slowMs ? 'http.slow' : 'http.done', {
          ...about(request),
          status: reply.statusCode,
          ms: Math.round(ms),
        })
      }
      next()
    }
    route.onSend = route.onSend === undefined ? ready : [ready, route.onSend].flat()
  }

  function failed(refusal: ProblemError, cause: unknown, request: FastifyRequest): void {
    metrics.problem(refusal.code)
    if (refusal.status < 500) return
    if (refusal.status !== 503) return log('http.failed', { ...about(request), err: cause })
    const now = clock.monotonic()
    if (now - loggedAtMs < QUIET_MS) {
      unlogged++
      return
    }
    log('http.unavailable', { ...about(request), code: refusal.code, more: unlogged, err: cause })
    unlogged = 0
    loggedAtMs = now
  }

  return { watch, failed }
}

function about(request: FastifyRequest): { requestId: string; method: string; route: string } {
  return { requestId: request.id, method: request.method, route: request.routeOptions.url ?? 'unmatched' }
}
