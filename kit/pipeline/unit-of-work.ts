/** What one transaction of the pipeline can do: the mechanisms' ports over one connection. */
import type { CursorStore } from '../consumer/port.ts'
import { EncodingError, isUnavailable, sqlState } from '../database/errors.ts'
import type { RowStore } from '../database/rows.ts'
import type { KeyStore } from '../idempotency/port.ts'
import type { LogWriter } from '../log/port.ts'
import type { ActionStore } from '../operator/port.ts'
import type { TaskStore } from '../task/port.ts'

export interface UnitOfWork {
  /** The database's clock in milliseconds, once BEGIN is confirmed. Nothing may be written before. */
  readonly begun: Promise<number>
  readonly rows: RowStore
  readonly log: LogWriter
  readonly cursors: CursorStore
  readonly tasks: TaskStore
  readonly keys: KeyStore
  readonly actions: ActionStore
  /** Resolves only when everything before it succeeded and the transaction is durable. */
  commit(): Promise<void>
  /** Never throws. */
  rollback(): Promise<void>
}

/** Begins transactions on a service's database. */
export interface Transactions {
  begin(): Promise<UnitOfWork>
}

/** Runs what writes no domain state in a transaction of its own, and commits. */
export async function inTransaction<T>(transactions: Transactions, run: (work: UnitOfWork) => Promise<T>): Promise<T> {
  const work = await transactions.begin()
  try {
    await work.begun
    const result = await run(work)
    await work.commit()
    return result
  } catch (error) {
    await work.rollback()
    throw error
  }
}

/**
 * Waits for all that was begun together and gives the results, or throws the error of the first that failed: of statements
 * sent in one flush, those behind it only say that the transaction is aborted.
 */
export async function together<T extends readonly unknown[]>(
  promises: readonly [...{ [I in keyof T]: Promise<T[I]> }],
): Promise<T> {
  // oxlint-disable-next-line typescript/await-thenable -- a mapped tuple of promises, which the rule does not see through
  const settled = await Promise.allSettled(promises)
  const failed = settled.find((result): result is PromiseRejectedResult => result.status === 'rejected')
  if (failed) throw failed.reason
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T
}

/**
 * Throws when one of these statements failed before it could be sent, because what it carries cannot be encoded. A COMMIT
 * behind it would save the others without it. The fault lies in the data, so the error is one of data.
 */
export async function allSent(promises: readonly Promise<unknown>[]): Promise<void> {
  let failed: { error: unknown } | undefined
  for (const promise of promises) promise.catch((error: unknown) => (failed ??= { error }))
  // Statements are sent before the first await of whoever sends them; what failed at that has rejected one turn later.
  await new Promise<void>((resolve) => process.nextTick(resolve))
  if (!failed) return
  if (sqlState(failed.error) !== undefined || isUnavailable(failed.error)) throw failed.error
  throw new EncodingError(`This cannot be sent to the database: ${(failed.error as Error).message}`, {
    cause: failed.error,
  })
}
