/** Computes right where it is asked, on the event loop. The word `async` does not move it anywhere. */

/** How many primes are there from `from` up to, but not including, `to`? */
export interface Job {
  readonly from: number
  readonly to: number
}

export interface Machine {
  /** Counts primes, in the thread that calls it: nothing else happens in that thread until it returns. */
  primes(from: number, to: number): number
  /** Counts primes in a free thread of a pool. */
  pool(from: number, to: number): Promise<number>
  /** Resolves when the event loop has been round: everything that waited for it has had its turn. */
  turn(): Promise<void>
}

/** Does one job. All jobs are begun at the same moment, while requests wait for the database. */
export type Work = (job: Job, machine: Machine) => Promise<number>

const work: Work = async ({ from, to }, { primes }) => primes(from, to)

export default work
