/**
 * A failure made small: the same seed with fewer faults and a smaller workload, as long as it still fails with the same
 * invariant. Who reads the timeline then sees little that does not matter.
 */
import { simulate, type Plan, type Verdict } from './simulate.ts'

/** Runs at most this often. */
const MOST_RUNS = 60

export async function shrink(failed: Verdict, { mutant }: Pick<Plan, 'mutant'>): Promise<Verdict> {
  let smallest = failed
  let runs = 0
  const stillFails = async (plan: Plan): Promise<boolean> => {
    if (runs++ >= MOST_RUNS) return false
    const verdict = await simulate({ ...plan, mutant })
    if (verdict.violation?.invariant !== failed.violation?.invariant) return false
    smallest = verdict
    return true
  }
  const { seed } = failed
  for (const fault of failed.enabled) {
    const only = new Set([...smallest.enabled].filter((name) => name !== fault))
    await stillFails({ seed, size: smallest.size, only })
  }
  for (let step = Math.floor(smallest.size / 2); step >= 1; step = Math.floor(step / 2)) {
    while (smallest.size - step >= 1) {
      if (!(await stillFails({ seed, size: smallest.size - step, only: smallest.enabled }))) break
    }
  }
  return smallest
}
