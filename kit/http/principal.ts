/** Who is asking: what a verified token says, on the request. */

import type { FastifyRequest } from 'fastify'

export const roles = ['customer', 'operator'] as const
export type Role = (typeof roles)[number]

export interface Principal {
  /** The token's subject, 1 to 64 characters of [A-Za-z0-9._@-]. A customer's wallet has this id. */
  readonly subject: string
  readonly roles: readonly Role[]
  readonly isOperator: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the token is verified; null on open routes. */
    principal: Principal | null
  }
}

/** The principal of a route that requires one. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal) return request.principal
  throw new Error(`${request.method} ${request.url} asks for its principal, but the route's access is open`)
}

/** Whether the principal may see what belongs to `owner`: their own, or anything for an operator. */
export function maySee(principal: Principal, owner: string): boolean {
  return principal.isOperator || principal.subject === owner
}
