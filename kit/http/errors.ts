/**
 * Everything that can go wrong with a request, as a problem document. An input is never answered with a 5xx and nothing internal
 * is ever said: what is not known here is a bug, logged with its stack and answered 500 with the request id alone.
 */

import type { FastifyReply, FastifyRequest } from 'fastify'
import { PROBLEM_TYPE, ProblemError, passingProblem, problem, problemBytes } from './problem.ts'
import { isValidationError, validationProblem } from './validation.ts'

export interface ErrorRules {
  /** Whether an error says that the database cannot serve now: 503 with Retry-After. */
  readonly isUnavailable: (error: unknown) => boolean
  /** The largest body, for the text of the 413. */
  readonly bodyBytes: number
  /** Seconds for Retry-After, drawn so that callers do not come back together. */
  readonly retryAfterS: () => number
}

/** The problem an error is. */
export function problemFrom(error: unknown, request: FastifyRequest, rules: ErrorRules): ProblemError {
  if (error instanceof ProblemError) return error
  if (rules.isUnavailable(error)) {
    return passingProblem(
      'database-away',
      'The database cannot serve now. Send the same request again in a moment, with the same key',
      rules.retryAfterS(),
    )
  }
  if (isValidationError(error)) return validationProblem(error, request)
  return (
    frameworkProblem(error, rules) ??
    problem('internal', 'This should not happen. Send the same request again, and report the requestId if it stays')
  )
}

/** Errors of Fastify and of the request's stream. Their texts are ours: theirs change with versions. */
function frameworkProblem(error: unknown, rules: ErrorRules): ProblemError | undefined {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problem('payload-too-large', `The body is larger than ${rules.bodyBytes} bytes. Send less at a time`)
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedType('The body must be JSON. Send Content-Type: application/json')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return problem('malformed', 'The body is not as long as Content-Length says')
    case 'FST_ERR_BAD_URL':
      return problem('malformed', 'The path has a malformed percent-encoding. Encode it as UTF-8')
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return problem('uri-too-long', 'A part of the path is too long')
    case 'FST_ERR_NOT_FOUND':
      return problem('not-found', 'There is nothing here')
    default:
      // the rest of Fastify's refusals of a request, and a body that stopped half-way
      return isStatus(statusCode) && typeof code === 'string' && /^(FST_|ECONN|ERR_HTTP|HPE_)/.test(code)
        ? problem('malformed', 'The request could not be read')
        : undefined
  }
}

export function unsupportedType(detail: string): ProblemError {
  return problem('unsupported-media-type', detail, { accept: 'application/json' })
}

/** Sends a problem document. */
export function sendProblem(reply: FastifyReply, error: ProblemError): void {
  const requestId = reply.request.id
  const answer: { send(bytes: Buffer): unknown } = reply
    .code(error.status)
    .headers(error.headers)
    .header('x-request-id', requestId)
    .header('content-type', PROBLEM_TYPE)
  answer.send(problemBytes(error, requestId)) // bytes: a text would get a charset, which the type does not have
}

function isStatus(value: unknown): boolean {
  return typeof value === 'number' && value >= 400 && value < 500
}
