/** Steps, one after the other, of which the n-th is never taken: whoever comes to it says so, and waits there to be killed. */
import type { Step } from '../harness/steps.ts'

/** @param n how many steps are taken; all when it is undefined */
export function stopping(n: number | undefined, told: (at: string) => Promise<void>): Step {
  let passed = 0
  let last: Promise<unknown> = Promise.resolve()
  return (name, take) => {
    const taken = last.then(async () => {
      if (passed++ === n) {
        await told(name)
        await new Promise(() => undefined)
      }
      return take()
    })
    last = taken.catch(() => undefined)
    return taken
  }
}
