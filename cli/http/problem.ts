/** What the server refuses with, and what it means when it says nothing. */

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly requestId: string
}

/** The server answered no. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(`${problem.title}: ${problem.detail}`)
    this.problem = problem
  }
}

/** Something answered, and it is not Cauce. */
export class NotCauce extends Error {
  override readonly name = 'NotCauce'
  readonly url: string
  readonly status: number
  constructor(url: string, status: number) {
    super(`${url} answered ${status} without JSON`)
    this.url = url
    this.status = status
  }
}

export interface UnreachableDetails {
  readonly url: string
  readonly reason: string
  /** How long there was no answer; undefined when it was never there. */
  readonly silentMs: number | undefined
  /** The key of a request that may have arrived all the same. */
  readonly key: string | undefined
}

/** Nobody answered. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly details: UnreachableDetails
  constructor(details: UnreachableDetails) {
    super(`No answer from ${details.url}: ${details.reason}`)
    this.details = details
  }
}

export function isProblem(value: unknown): value is Problem {
  const { title, code } = (value ?? {}) as Partial<Problem>
  return typeof title === 'string' && typeof code === 'string'
}
