/**
 * Problem documents (RFC 9457): the one form in which this API says no. `code` is for programs and never changes, `title` says
 * what kind of problem it is, `detail` says what was wrong with *this* request and what to do.
 *
 * Two catalogues meet here. The kit's own codes are below. A service maps the codes its decisions reject with, which know
 * nothing of HTTP, to a status and a title with `problemsOf`. A code that is in no catalogue is a bug and answers 500.
 */

import { Type } from 'typebox'
import type { Static } from 'typebox'

export interface ProblemSpec {
  readonly status: number
  /** The kind of problem, the same for every occurrence. */
  readonly title: string
  /** A detail as it may be given, for the documentation. */
  readonly example?: string
}
export type ProblemCatalogue = Readonly<Record<string, ProblemSpec>>

export const ProblemDocument = Type.Object(
  {
    type: Type.String({ description: 'A URI that names the kind of problem' }),
    title: Type.String({ description: 'The kind of problem' }),
    status: Type.Integer({ description: 'The HTTP status' }),
    detail: Type.String({ description: 'What was wrong with this request, and what to do' }),
    code: Type.String({ description: 'The kind of problem, for programs' }),
    requestId: Type.String({ description: 'The X-Request-Id of the request: give it when you ask for help' }),
  },
  { description: 'A problem document (RFC 9457)' },
)
export type ProblemDocument = Static<typeof ProblemDocument>

export const PROBLEM_TYPE = 'application/problem+json'

/** What the kit itself answers, whatever the service. */
export const kitProblems = {
  malformed: {
    status: 400,
    title: 'The request cannot be read',
    example: 'The body is not JSON: it ends too early or is malformed',
  },
  'key-missing': {
    status: 400,
    title: 'Idempotency-Key is required',
    example:
      'Send an Idempotency-Key header: 1 to 255 visible characters, new for each intent, the same for each retry',
  },
  'key-invalid': {
    status: 400,
    title: 'Idempotency-Key is not valid',
    example: 'Idempotency-Key was sent more than once. Send one',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid token is required',
    example: 'The token is refused: it has expired. Get a new one',
  },
  'signature-invalid': {
    status: 401,
    title: 'A valid signature is required',
    example: 'The signature is too old, or ahead of our clock. Sign the call anew each time it is sent',
  },
  forbidden: {
    status: 403,
    title: 'The token does not allow this',
    example: 'This needs a token with the role operator; yours has customer',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    example: 'There is no order ord_019ab3f0c1d27000a1b2c3d4e5f60718 that you may see',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed here',
    example: 'PATCH is not allowed here. Use one of: GET, HEAD, POST, OPTIONS',
  },
  'not-acceptable': {
    status: 406,
    title: 'No acceptable form of the answer',
    example: 'The answer is application/json, which the Accept header excludes',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    example: 'The headers or the body did not arrive in time. Send the request again, without pauses',
  },
  'key-in-flight': {
    status: 409,
    title: 'A request with this key is in progress',
    example: 'A request with this key is being worked on. Send it again in a moment',
  },
  'precondition-failed': {
    status: 412,
    title: 'The resource has changed',
    example: 'The order is at version 4, which If-Match does not allow. Read it again and decide anew',
  },
  'payload-too-large': {
    status: 413,
    title: 'The body is too large',
    example: 'The body is larger than 262144 bytes. Send less at a time',
  },
  'uri-too-long': {
    status: 414,
    title: 'The URI is too long',
    example: 'The URI has 9000 characters. Send at most 8192',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of an unsupported type',
    example: 'The body must be JSON. Send Content-Type: application/json',
  },
  'expectation-failed': {
    status: 417,
    title: 'The expectation cannot be met',
    example: 'The only expectation that is met is 100-continue. Send the request without Expect',
  },
  invalid: { status: 422, title: 'The request is not valid', example: '/lines/0/quantity must be >= 1' },
  'key-reused': {
    status: 422,
    title: 'The key was used for another request',
    example: 'This Idempotency-Key was used with another body. Send a new key for a new intent',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    example: 'You have 20 open streams. Close one before you open another',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    example: 'The headers are larger than this server reads. Send fewer or shorter ones',
  },
  internal: {
    status: 500,
    title: 'Something is wrong on our side',
    example: 'This should not happen. Send the same request again, and report the requestId if it stays',
  },
  'too-busy': {
    status: 503,
    title: 'Too busy',
    example: 'There is more work than can be done in time. Send the same request again later',
  },
  'not-caught-up': {
    status: 503,
    title: 'The answer would be older than what you know',
    example: 'What you wrote has not arrived here yet. Send the same request again',
  },
  'not-ready': { status: 503, title: 'Not ready', example: 'This list is being built. Send the same request again' },
  'database-away': {
    status: 503,
    title: 'The database is away',
    example: 'The database cannot serve now. Send the same request again in a moment, with the same key',
  },
} as const satisfies ProblemCatalogue

export type KitProblem = keyof typeof kitProblems

/** A refusal on its way to becoming a problem document. Thrown by handlers and hooks; it is an answer, not a bug. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: string
  readonly status: number
  readonly title: string
  readonly headers: Readonly<Record<string, string>>
  constructor(code: string, spec: ProblemSpec, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.code = code
    this.status = spec.status
    this.title = spec.title
    this.headers = headers
  }
}

/** A problem of the kit. `detail` says what was wrong with this request and what to do. */
export function problem(code: KitProblem, detail: string, headers?: Readonly<Record<string, string>>): ProblemError {
  return new ProblemError(code, kitProblems[code], detail, headers)
}

/** A problem that passes by itself: the same request may be sent again after `retryAfterS` seconds. */
export function passingProblem(code: KitProblem, detail: string, retryAfterS: number): ProblemError {
  return problem(code, detail, { 'retry-after': String(Math.max(1, Math.ceil(retryAfterS))) })
}

export interface Problems<Codes extends string> {
  readonly catalogue: Readonly<Record<Codes, ProblemSpec>>
  /** The refusal a decision gave, as an error to throw. */
  error(rejection: { readonly code: string; readonly detail: string }): ProblemError
}

/** How the codes of a service's decisions look in HTTP. */
export function problemsOf<const Codes extends string>(
  catalogue: Readonly<Record<Codes, ProblemSpec>>,
): Problems<Codes> {
  const specs = new Map<string, ProblemSpec>(Object.entries(catalogue))
  return {
    catalogue,
    error({ code, detail }) {
      const spec = specs.get(code)
      if (!spec)
        throw new Error(`A decision rejected with "${code}", which no status is given for. Add it to problemsOf`)
      return new ProblemError(code, spec, detail)
    },
  }
}

/** The document of a problem, as bytes. */
export function problemBytes(error: ProblemError, requestId: string): Buffer {
  const document: ProblemDocument = {
    type: `urn:cauce:problem:${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    code: error.code,
    requestId,
  }
  return Buffer.from(JSON.stringify(document))
}
