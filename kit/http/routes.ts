/**
 * What every route says about itself, and the gate that enforces it. A route is data: who may call it, whether it needs an
 * Idempotency-Key, how important it is under load. A route that does not say who may call it does not start.
 *
 * The gate runs before the body is read, cheapest first: shedding, Accept, token, role, key. One hook per route, built when the
 * route is added, so that a request pays for nothing its route does not ask for.
 */

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify'
import { accepts } from './accept.ts'
import { requireRole } from './auth.ts'
import type { Authenticator } from './auth.ts'
import { idempotencyKey } from './keys.ts'
import type { Principal, Role } from './principal.ts'
import { passingProblem, problem } from './problem.ts'
import type { Priority, Shed } from './shedding.ts'
import { assertClosed, integerFields, readIntegers } from './validation.ts'

/** `open`: anybody. `signed`: whoever signs the body (webhooks.ts). `any`: whoever has a valid token. Else one of these roles. */
export type Access = 'open' | 'signed' | 'any' | readonly Role[]

/** The decorator of a scope that verifies signatures: nowhere else is `signed` true. */
export const VERIFIES_SIGNATURES = 'verifiesSignatures'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. Required. */
    access?: Access
    /** Whether an Idempotency-Key is required. Defaults to no. */
    key?: boolean
    /** How important it is under load. Defaults to 2 for GET and 1 for the rest. */
    priority?: Priority
    /** Whether the route reads its body itself, as bytes (see `rawBodies`). Defaults to no. */
    rawBody?: boolean
    /** The media type of its answer. Defaults to application/json. */
    produces?: string
  }
}

export interface GateRules {
  readonly authenticator: Authenticator | undefined
  readonly shed: Shed
  readonly retryAfterS: () => number
  /** Whether the route is added where signatures are verified. */
  readonly verifiesSignatures: boolean
}

/** Completes a route that is being added: its gate, and the reading of numbers in its query. Throws when it is incomplete. */
export function completeRoute(route: RouteOptions, rules: GateRules): void {
  const name = `${String(route.method)} ${route.url}`
  if (route.config?.access === undefined) {
    throw new Error(
      `${name} does not say who may call it. Add config: { access: 'open' | 'signed' | 'any' | ['customer' | 'operator'] }`,
    )
  }
  if (route.config.access === 'signed' && !rules.verifiesSignatures) {
    throw new Error(`${name} says that it is signed, but nobody verifies it. Add it with webhookRoutes`)
  }
  if (needsToken(route.config.access) && !rules.authenticator) {
    throw new Error(`${name} needs a token, but the server has no authenticator. Give createHttpServer one`)
  }
  assertClosed(route.schema, name)
  route.onRequest = [gateOf(route, rules), ...listOf(route.onRequest)]
  const integers = integerFields(route.schema?.querystring)
  if (integers.length > 0) {
    const read = (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction) => {
      readIntegers(request.query, integers)
      done()
    }
    route.preValidation = [read, ...listOf(route.preValidation)]
  }
  if (route.schema?.querystring === undefined && needsToken(route.config.access))
    route.preValidation = [refuseQuery, ...listOf(route.preValidation)]
  if (route.schema?.body === undefined && !route.config.rawBody)
    route.preValidation = [refuseBody, ...listOf(route.preValidation)]
}

/** A route without a body schema has no fields: an empty object is fine, anything else is a mistake worth telling. */
function refuseBody(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { body } = request
  if (body === undefined || (typeof body === 'object' && body !== null && Object.keys(body).length === 0)) return done()
  done(problem('invalid', 'This takes no body. Send none, or {}'))
}

/** Nor has a route without a query schema; open ones are asked by probes and browsers, which add what they like. */
function refuseQuery(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const [name] = Object.keys(request.query as object)
  if (name === undefined) return done()
  done(problem('malformed', `The query is not valid: /${name} is not a known field. This takes none`))
}

function priorityOf(route: RouteOptions): Priority {
  return route.config?.priority ?? (route.method === 'GET' || route.method === 'HEAD' ? 2 : 1)
}

export const needsToken = (access: Access): boolean => access !== 'open' && access !== 'signed'

type Gate = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void | Promise<void>

function gateOf(route: RouteOptions, rules: GateRules): Gate {
  const { access = [], key = false, produces = 'application/json' } = route.config ?? {}
  const { authenticator, shed, retryAfterS } = rules
  const priority = priorityOf(route)
  const roles = typeof access === 'string' ? undefined : access
  const withToken = needsToken(access)

  function admit(request: FastifyRequest, principal: Principal): void {
    if (roles) requireRole(principal, roles)
    request.principal = principal
    if (key) idempotencyKey(request)
  }

  return (request, _reply, done) => {
    const { headers } = request.raw
    if (shed(priority))
      throw passingProblem(
        'too-busy',
        'There is more work than can be done in time. Send the same request again later',
        retryAfterS(),
      )
    if (!accepts(headers.accept, produces))
      throw problem('not-acceptable', `The answer is ${produces}, which the Accept header excludes`)
    if (!authenticator || !withToken) return done()
    const found = authenticator.authenticate(headers.authorization)
    if (found instanceof Promise) return found.then((principal) => admit(request, principal)) // Fastify takes a promise for `done`
    admit(request, found)
    done()
  }
}

function listOf<T>(hooks: T | T[] | undefined): T[] {
  if (hooks === undefined) return []
  return Array.isArray(hooks) ? hooks : [hooks]
}
