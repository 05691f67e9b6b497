/**
 * The HTTP server every service's routes are added to: Fastify with the manners of this API. What it guarantees for any route:
 *   1. Every refusal is a problem document with the request's id; no input is answered with a 5xx, nothing internal is told.
 *   2. X-Request-Id goes in and out: the caller's if it is 1 to 128 characters of [A-Za-z0-9._-], else one that is drawn.
 *   3. Bodies are JSON, of bounded size and depth, checked by the route's schema; nothing is coerced, nothing is dropped.
 *   4. What arrives slowly is cut off (408), what is too large is refused while it arrives (413, 414, 431).
 *   5. A path that exists answers another method with 405 and Allow, and OPTIONS with Allow.
 *
 * This is the hot path. There is no logger per request, no hook a route does not need, and headers are collected, not set one by
 * one on the response: a line is logged for errors, slow requests and, if asked for, mutations.
 */

import type { IncomingHttpHeaders } from 'node:http'
import { LogController, fastify } from 'fastify'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { systemClock, systemTimers } from '../core/clock.ts'
import type { Clock, Timers } from '../core/clock.ts'
import { systemIds } from '../core/id-source.ts'
import type { IdSource } from '../core/ids.ts'
import { integerBetween, systemRandom } from '../core/prng.ts'
import type { Random } from '../core/prng.ts'
import { eventLog, kitEvents } from '../telemetry/events.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { arrivalHook } from './arrival.ts'
import type { Authenticator } from './auth.ts'
import { jsonBodies } from './content.ts'
import { docsRoutes } from './docs.ts'
import { createDrain } from './drain.ts'
import type { Drain } from './drain.ts'
import { problemFrom, sendProblem } from './errors.ts'
import type { ErrorRules } from './errors.ts'
import { healthRoutes } from './health.ts'
import type { Check } from './health.ts'
import { defaultLimits } from './limits.ts'
import type { Limits } from './limits.ts'
import { answers, openapiRoute } from './openapi.ts'
import { problem } from './problem.ts'
import { answerClientError, refuseExpectations } from './raw-errors.ts'
import { watchRequests } from './request-log.ts'
import { VERIFIES_SIGNATURES, completeRoute } from './routes.ts'
import type { HttpServer } from './server-types.ts'
import { shedByEventLoop } from './shedding.ts'
import type { Shed } from './shedding.ts'
import { ajvOptions } from './validation.ts'

export interface HttpServerOptions {
  readonly logger: Logger
  readonly metrics: Metrics
  /** Cauce's version, for /livez and the OpenAPI document. */
  readonly version: string
  /** Who verifies tokens. Without one only open routes can be added. */
  readonly authenticator?: Authenticator
  /** What /readyz checks. Defaults to nothing. */
  readonly checks?: Readonly<Record<string, Check>>
  /** Turned by whoever shuts the process down; see drain.ts. */
  readonly drain?: Drain
  /** Whether an error says that the database cannot serve now. Defaults to never. */
  readonly isUnavailable?: (error: unknown) => boolean
  /** A reason to refuse work besides the event loop's delay: the length of a queue, say. */
  readonly shed?: Shed
  /** From which lasting event loop delay on each priority is refused, P0 to P3. Defaults to never, 2 s, 1 s, 0.5 s. */
  readonly delaysMs?: readonly [number, number, number, number]
  readonly limits?: Partial<Limits>
  /** Logs every request that may change something. Defaults to false. */
  readonly logMutations?: boolean
  /** From when on a request is logged as slow. Defaults to 1000. */
  readonly slowMs?: number
  /** Serves /openapi.json and /docs. Defaults to true. */
  readonly docs?: boolean
  readonly ids?: IdSource
  readonly clock?: Clock
  readonly timers?: Timers
  readonly random?: Random
}

/** The server, without routes of its own but health, metrics, keys and documentation. Add routes, then `listen`. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const {
    logger,
    metrics,
    version,
    authenticator,
    ids = systemIds,
    clock = systemClock,
    timers = systemTimers,
  } = options
  const { drain = createDrain(), random = systemRandom } = options
  const limits: Limits = { ...defaultLimits, ...options.limits }
  const log = eventLog(logger, kitEvents)
  const retryAfterS = () => integerBetween(random, 1, 3)
  const rules: ErrorRules = {
    isUnavailable: options.isUnavailable ?? (() => false),
    bodyBytes: limits.bodyBytes,
    retryAfterS,
  }
  const requests = watchRequests({
    log,
    metrics,
    clock,
    drain,
    slowMs: options.slowMs ?? 1_000,
    logMutations: options.logMutations ?? false,
  })

  const app = bareServer(limits, ids, timers, (error, request, reply) => answerError(error, request, reply))
  refuseExpectations(app.server, ids)
  app.server.maxHeadersCount = 0 // their bytes are bounded; Node would leave out those beyond 2000 without a word
  jsonBodies(app)
  app.decorateRequest('principal', null)

  function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const refusal = problemFrom(error, request, rules)
    requests.failed(refusal, error, request)
    // Fastify closes the connection after a body it could not use. One that arrived whole, or is small enough to be read to its
    // end, need not cost the client its connection, and a client that is still sending would see a reset instead of the answer.
    const readOut = Number(request.raw.headers['content-length'] ?? 0) <= limits.readOutBytes
    if (readOut) request.raw.resume()
    if (readOut && !drain.started) reply.removeHeader('connection')
    else reply.header('connection', 'close')
    sendProblem(reply, refusal)
  }

  app.setErrorHandler(answerError)
  app.setNotFoundHandler((request, reply) => answerError(problem('not-found', 'There is nothing here'), request, reply))
  app.addHook(
    'onRequest',
    arrivalHook(app, { limits, clock, drain, unmatched: metrics.httpRoute('other', 'unmatched') }),
  )

  const byEventLoop = shedByEventLoop(options.delaysMs)
  app.addHook('onClose', async () => byEventLoop.stop())
  const shed: Shed = (priority) => byEventLoop.shed(priority) || (options.shed?.(priority) ?? false)
  app.addHook('onRoute', function (route: RouteOptions) {
    const verifiesSignatures = this.hasDecorator(VERIFIES_SIGNATURES)
    completeRoute(route, { authenticator, shed, retryAfterS, verifiesSignatures })
    requests.watch(route)
  })

  if (options.docs ?? true) {
    await openapiRoute(app, version, limits)
    await docsRoutes(app)
  }
  healthRoutes(app, { version, checks: options.checks ?? {}, metrics, drain, log, timers })
  if (authenticator) keysRoute(app, authenticator)
  return app
}

function bareServer(
  limits: Limits,
  ids: IdSource,
  timers: Timers,
  onError: (error: unknown, request: FastifyRequest, reply: FastifyReply) => void,
): HttpServer {
  return fastify({
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIds(ids),
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      requireHostHeader: false, // ours says what is wrong in a problem document
      noDelay: true,
    },
    return503OnClosing: false, // requests that arrive while closing are served; drain.ts says when that ends
    ajv: ajvOptions,
    routerOptions: { maxParamLength: limits.urlChars }, // the schema of a parameter says how long it may be
    frameworkErrors: (error, request, reply) => onError(error, request as FastifyRequest, reply as FastifyReply),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, ids, timers),
  })
}

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/

/** The caller's id, else one of ours: drawn once per server and counted from there, which costs a tenth of drawing each. */
function requestIds(ids: IdSource): (request: { headers: IncomingHttpHeaders }) => string {
  const prefix = ids.draw()
  let count = 0
  return ({ headers }) => {
    const given = headers['x-request-id']
    return typeof given === 'string' && requestIdPattern.test(given) ? given : `${prefix}-${(++count).toString(36)}`
  }
}

const Jwk = Type.Object({ kty: Type.String(), kid: Type.String() }, { additionalProperties: true })
const Jwks = Type.Object(
  { keys: Type.Array(Jwk) },
  {
    description: 'A JSON Web Key Set (RFC 7517)',
    examples: [
      {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
            y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
            kid: 'Nc2TbnVb8pKxAQeYqPzHv3SdLw9R0aGm1FuJkEoXtZs',
            use: 'sig',
            alg: 'ES256',
          },
        ],
      },
    ],
  },
)

function keysRoute(app: HttpServer, authenticator: Authenticator): void {
  const config = { access: 'open', priority: 0 } as const
  const schema = { tags: ['operations'], summary: 'The keys that tokens are signed with', ...answers({ 200: Jwks }) }
  app.get('/.well-known/jwks.json', { config, schema }, (_request, reply) => {
    reply.header('cache-control', 'public, max-age=300').send({ keys: authenticator.keys as Static<typeof Jwk>[] })
  })
}
