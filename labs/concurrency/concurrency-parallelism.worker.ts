/** Counts primes in a thread of the pool, and says which thread it was, and when. */
import { threadId } from 'node:worker_threads'
import type { Job } from './concurrency-parallelism.naive.ts'
import { countPrimes } from './primes.ts'

export interface Counted {
  readonly count: number
  readonly thread: number
  /** Milliseconds since the epoch: threads have no other time in common. */
  readonly from: number
  readonly to: number
}

const now = () => performance.timeOrigin + performance.now()

/** @public Called by the pool. */
export default ({ from, to }: Job): Counted => {
  const began = now()
  const count = countPrimes(from, to)
  return { count, thread: threadId, from: began, to: now() }
}
