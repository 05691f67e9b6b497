/**
 * Steps at which a process can be killed: each waits at its point for leave before it is taken, one step after the other, so
 * that a kill hits between any two of them, also in code that does not wait for one before it begins the next.
 */
import type { Transactions } from '@cauce/kit/pipeline/unit-of-work'
import type { ChildStage } from './child.ts'

/** Takes a step that has this name, when its turn and its leave have come. */
export type Step = <T>(name: string, take: () => Promise<T>) => Promise<T>

export function steps({ at }: Pick<ChildStage, 'at'>): Step {
  let last: Promise<unknown> = Promise.resolve()
  return (name, take) => {
    const taken = last.then(() => at(name)).then(take)
    last = taken.catch(() => undefined)
    return taken
  }
}

/** The pipeline's transaction with a point before each of its writes, COMMIT included. */
export function withSteps(transactions: Transactions, step: Step): Transactions {
  return {
    async begin() {
      const work = await transactions.begin()
      return {
        ...work,
        rows: {
          ...work.rows,
          save(table, changes) {
            const isEmpty = Object.values(changes).every((rows: readonly unknown[]) => rows.length === 0)
            if (isEmpty) return Promise.resolve()
            return step(`save ${table.name}`, () => work.rows.save(table, changes))
          },
        },
        log: {
          append: (messages) =>
            messages.length === 0
              ? work.log.append(messages)
              : step('append to the log', () => work.log.append(messages)),
        },
        cursors: {
          ...work.cursors,
          move: (group, cursors, parked) => step(`move the cursor`, () => work.cursors.move(group, cursors, parked)),
        },
        commit: () => step('COMMIT', () => work.commit()),
      }
    },
  }
}
