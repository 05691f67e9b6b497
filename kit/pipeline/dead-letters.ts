/**
 * Dead tasks in an operator's hands. Redriven, a task has fresh attempts and the id it always had, which is the provider's key:
 * what happened before and was not recorded does not happen again. Discarded, it is cancelled and nobody is told: no decision
 * runs, so whoever waits for its outcome goes on waiting, or has been told already that the task was given up.
 *
 * `tell` is asked to record the act in its transaction, unless none of the tasks was dead.
 */
import { inTransaction, type Transactions, type UnitOfWork } from './unit-of-work.ts'

export type TellOfTasks = (work: UnitOfWork, ids: readonly string[]) => Promise<void>

/** Gives the ids of those that were dead. */
export function redriveDead(
  transactions: Transactions,
  ids: readonly string[],
  tell?: TellOfTasks,
): Promise<readonly string[]> {
  return act(transactions, (work) => work.tasks.redrive(ids), tell)
}

/** Gives the ids of those that were dead. */
export function discardDead(
  transactions: Transactions,
  ids: readonly string[],
  reason: string,
  tell?: TellOfTasks,
): Promise<readonly string[]> {
  return act(transactions, (work) => work.tasks.discard(ids, reason), tell)
}

function act(
  transactions: Transactions,
  change: (work: UnitOfWork) => Promise<readonly string[]>,
  tell: TellOfTasks | undefined,
): Promise<readonly string[]> {
  return inTransaction(transactions, async (work) => {
    const changed = await change(work)
    if (changed.length > 0) await tell?.(work, changed)
    return changed
  })
}
