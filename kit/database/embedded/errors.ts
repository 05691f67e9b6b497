/** What can go wrong with the embedded server, each with what to do about it. */

export type EmbeddedFault =
  /** No binaries for this platform, or none that the account can run. */
  | 'binaries'
  /** The data belongs to another account. */
  | 'account'
  /** The data is not where it was left, or was written by another major version. */
  | 'data'
  /** Another process holds the start lock and does not let go. */
  | 'locked'
  /** The server does not start, or does not become ready in time. */
  | 'start'

/** The embedded PostgreSQL server cannot be had. The message says what happened, why, and what to do. */
export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedFault
  /** What the failing program printed last, when there was one. */
  readonly output: string | undefined

  constructor(code: EmbeddedFault, message: string, details: { output?: string | undefined; cause?: unknown } = {}) {
    const output = details.output?.trim()
    super(output ? `${message}\n${output}` : message, details.cause === undefined ? {} : { cause: details.cause })
    this.name = 'EmbeddedPostgresError'
    this.code = code
    this.output = output
  }
}

/** The errno code of a failed system call, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
