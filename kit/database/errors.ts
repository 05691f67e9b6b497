/**
 * Who is to blame for a database error. Only data that PostgreSQL refuses (SQLSTATE classes 22 and 23) is an input's fault;
 * everything else is the weather: retried when the transaction merely lost a race, waited out when the server is away, full
 * or read-only. An unknown error counts as weather too, because blaming an input parks or refuses it for good.
 */

export type Blame =
  /** A row appeared since it was looked for (23505): load again and decide again. */
  | 'appeared'
  /** The data of one of the inputs is refused: bisect the batch. */
  | 'input'
  /** Deadlock, serialization failure, lock timeout: the whole transaction again, with jitter. */
  | 'contention'
  /** The connection went while COMMIT was on its way: run again from the claim, which will know. */
  | 'unknown-commit'
  /** The server is away, full, read-only, or the statement is wrong: stop the source, back off, blame nobody. */
  | 'unavailable'

/** The answer to COMMIT was lost. The transaction may or may not have happened. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError'
}

/** COMMIT was answered, but not with a commit: an earlier statement had failed and the server rolled back. */
export class NotCommittedError extends Error {
  override readonly name = 'NotCommittedError'
}

/** The database cannot serve now. Callers get a 503 with Retry-After; sources back off. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError'
}

/** A constraint refused data. Thrown by the memory adapter with PostgreSQL's code, so both are classified alike. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError'
  readonly code: string
  readonly constraint: string
  constructor(code: '23505' | '23514' | '23502', constraint: string, detail: string) {
    super(`${constraint}: ${detail}`)
    this.code = code
    this.constraint = constraint
  }
}

/** A value that no column can hold, found before it was sent. Of class 22, so it is its input's fault. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError'
  readonly code = '22000'
}

/** A lock that could not be had, or a cycle of waiters: SQLSTATE 55P03 and 40P01 of the memory adapter. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError'
  readonly code: string
  constructor(code: '55P03' | '40P01', detail: string) {
    super(detail)
    this.code = code
  }
}

export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  // No SQLSTATE begins with E, but EPIPE is a network's code of five letters.
  return typeof code === 'string' && /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(code) ? code : undefined
}

export function blame(error: unknown): Blame {
  if (error instanceof CommitUnknownError) return 'unknown-commit'
  const state = sqlState(error)
  if (state === undefined) return 'unavailable'
  if (state === '23505') return 'appeared'
  // 54: a value is too large for an index or a row. It is as much its input's fault as one that no column takes.
  if (/^(22|23|54)/.test(state)) return 'input'
  if (state.startsWith('40') || state === '55P03') return 'contention'
  return 'unavailable'
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'EHOSTUNREACH',
  'ENOTFOUND',
])

/** True when the database is away or cannot write: the caller should answer 503, not 500. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError || error instanceof CommitUnknownError) return true
  if (error instanceof NotCommittedError) return true
  const state = sqlState(error)
  if (state !== undefined) return /^(08|25006|25P03|53|55P03|57|58|40)/.test(state)
  const { code, message } = (error ?? {}) as { code?: string; message?: string }
  if (code !== undefined && networkCodes.has(code)) return true
  return /Connection terminated|timeout exceeded when trying to connect|not queryable|Client was closed/.test(
    message ?? '',
  )
}
