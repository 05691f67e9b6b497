/** Waiting no longer than agreed. The work itself goes on: only what it would answer is not waited for. */

import type { Timers } from '../core/clock.ts'

export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

/** What `work` resolves or rejects with, or a DeadlinePassed once `ms` have gone by. */
export async function within<T>(ms: number, timers: Timers, work: () => Promise<T>): Promise<T> {
  let cancel = () => {}
  try {
    return await new Promise<T>((resolve, reject) => {
      cancel = timers.after(ms, () => reject(new DeadlinePassed(`There was no answer within ${ms} ms`)))
      work().then(resolve, reject)
    })
  } finally {
    cancel()
  }
}
