/** Properties as tests, as `@fast-check/vitest` has them; loading that takes two seconds in every file, this a twentieth. */
import fc from 'fast-check'
import { it } from 'vitest'

/** `prop([fc.integer(), fc.string()])('title', (n, text) => { … })`. A failure tells the seed that repeats it. */
export function prop<T extends [unknown, ...unknown[]]>(arbitraries: { [I in keyof T]: fc.Arbitrary<T[I]> }) {
  return (title: string, check: (...values: T) => void): void => {
    it(title, () => {
      fc.assert(fc.property(...arbitraries, check))
    })
  }
}
