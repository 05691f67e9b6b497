/**
 * Who a token speaks for. Verification is jose's; what is accepted is fixed here and nowhere negotiable by the token:
 * ES256 only, `typ: at+jwt`, our issuer and audience, `exp` present and ahead, `nbf` if present behind, a storable subject, at
 * least one known role. Every failure is a 401 with WWW-Authenticate (RFC 6750), and nothing else: what a stranger sends is never
 * a 500.
 *
 * A verification costs about 0.1 ms of CPU, more than the rest of a request, so verified tokens are remembered by their exact
 * text until they expire: at most `remember` of them, the oldest dropped first. Failures are not remembered.
 */

import { createLocalJWKSet, errors, jwtVerify } from 'jose'
import type { JWK, JWTPayload } from 'jose'
import { systemClock } from '../core/clock.ts'
import type { Clock } from '../core/clock.ts'
import { ALGORITHM, AUDIENCE, DEV_ISSUER, TOKEN_TYPE } from './dev-key.ts'
import { roles as knownRoles } from './principal.ts'
import type { Principal, Role } from './principal.ts'
import { problem } from './problem.ts'
import type { ProblemError } from './problem.ts'

export interface AuthenticatorOptions {
  /** The public keys that are trusted, each with its `kid`. */
  readonly keys: readonly JWK[]
  /** Defaults to the development issuer. */
  readonly issuer?: string
  /** How many verified tokens are remembered. Defaults to 10000. */
  readonly remember?: number
  readonly clock?: Clock
}

export interface Authenticator {
  readonly keys: readonly JWK[]
  /**
   * The principal of an Authorization header: at once when the token is remembered, else a promise.
   * Throws, or rejects with, a ProblemError (401).
   */
  authenticate(authorization: string | undefined): Principal | Promise<Principal>
}

interface Remembered {
  readonly principal: Principal
  readonly expiresAtMs: number
}

const LONGEST_REMEMBERED = 4096
const subjectPattern = /^[A-Za-z0-9._@-]{1,64}$/
const bearer = /^Bearer +([\w-]+\.[\w-]*\.[\w-]*)$/i

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { keys, issuer = DEV_ISSUER, remember = 10_000, clock = systemClock } = options
  const keySet = createLocalJWKSet({ keys: [...keys] })
  const remembered = new Map<string, Remembered>()
  const inProgress = new Map<string, Promise<Principal>>()

  async function verify(header: string, token: string): Promise<Principal> {
    let payload: JWTPayload
    try {
      const currentDate = new Date(clock.now())
      const checks = {
        algorithms: [ALGORITHM],
        typ: TOKEN_TYPE,
        issuer,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'sub'],
        currentDate,
      }
      payload = (await jwtVerify(token, keySet, checks)).payload
    } catch (error) {
      throw refused(reasonOf(error))
    }
    const principal = principalIn(payload)
    if (header.length <= LONGEST_REMEMBERED) {
      const [oldest] = remembered.keys()
      if (remembered.size >= remember && oldest !== undefined) remembered.delete(oldest)
      remembered.set(header, { principal, expiresAtMs: (payload.exp ?? 0) * 1000 })
    }
    return principal
  }

  return {
    keys,
    authenticate(authorization) {
      if (authorization === undefined) throw missing()
      const known = remembered.get(authorization)
      if (known) {
        if (clock.now() < known.expiresAtMs) return known.principal
        remembered.delete(authorization)
      }
      const token = bearer.exec(authorization)?.[1]
      if (token === undefined) throw /^Bearer\b/i.test(authorization) ? refused('it is not a JWT') : missing()
      const pending = inProgress.get(authorization)
      if (pending) return pending
      const verification = verify(authorization, token).finally(() => inProgress.delete(authorization))
      inProgress.set(authorization, verification)
      return verification
    },
  }
}

/** Throws a ProblemError (403) unless the principal has one of the roles. */
export function requireRole(principal: Principal, roles: readonly Role[]): void {
  if (roles.some((role) => principal.roles.includes(role))) return
  const needed = roles.join(' or ')
  const challenge = `Bearer realm="cauce", error="insufficient_scope", error_description="needs the role ${needed}"`
  throw problem('forbidden', `This needs a token with the role ${needed}; yours has ${principal.roles.join(', ')}`, {
    'www-authenticate': challenge,
  })
}

function principalIn(payload: JWTPayload): Principal {
  const { sub, roles } = payload
  if (typeof sub !== 'string' || !subjectPattern.test(sub))
    throw refused('its subject is not 1 to 64 characters of A-Z a-z 0-9 . _ @ -')
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every(isRole))
    throw refused('its roles are not "customer" or "operator"')
  return Object.freeze({ subject: sub, roles: Object.freeze([...roles]), isOperator: roles.includes('operator') })
}

function isRole(value: unknown): value is Role {
  return knownRoles.some((role) => role === value)
}

function missing(): ProblemError {
  return problem(
    'unauthenticated',
    'Send a token: "Authorization: Bearer …". For development `cauce token` makes one',
    {
      'www-authenticate': 'Bearer realm="cauce"',
    },
  )
}

function refused(reason: string): ProblemError {
  const challenge = `Bearer realm="cauce", error="invalid_token", error_description="${reason.replaceAll('"', "'")}"`
  return problem('unauthenticated', `The token is refused: ${reason}. Get a new one`, { 'www-authenticate': challenge })
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired'
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf') return 'it is not valid yet'
    return error.reason === 'missing' ? `it has no ${error.claim}` : `its ${error.claim} is not the expected one`
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return `its algorithm is not ${ALGORITHM}`
  if (error instanceof errors.JWKSNoMatchingKey) return 'its key is not known here (rotated?)'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature does not verify'
  return 'it cannot be read'
}
