/** The simulator itself: that it repeats, that it checks, and that the platform holds on the seeds of this file. */
import { describe, expect, test } from 'vitest'
import { faultNames } from './faults.ts'
import { keptSeeds } from './kept-seeds.ts'
import { mutantNamed, mutants } from './mutants.ts'
import { shrink } from './shrink.ts'
import { simulate } from './simulate.ts'
import { trapReality } from './trap.ts'

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('seed %i: nothing is lost, doubled or half-finished', async (seed) => {
  const { violation, inputs, virtualMs } = await simulate({ seed })
  expect(violation?.message).toBeUndefined()
  expect(inputs).toBeGreaterThan(20)
  expect(virtualMs).toBeGreaterThan(60_000)
})

test.runIf(keptSeeds.length > 0).each(keptSeeds)('seed $seed, which found: $found', async ({ seed }) => {
  expect((await simulate({ seed })).violation?.message).toBeUndefined()
})

test('the same seed is the same run, to the last event; another one is not', async () => {
  const [first, again, other] = [await simulate({ seed: 3 }), await simulate({ seed: 3 }), await simulate({ seed: 4 })]
  expect(again.hash).toBe(first.hash)
  expect([again.inputs, again.turns, again.virtualMs]).toEqual([first.inputs, first.turns, first.virtualMs])
  expect(other.hash).not.toBe(first.hash)
})

test('every fault strikes in some run', async () => {
  const struck = new Set<string>()
  for (let seed = 20; seed < 40; seed++) for (const name of (await simulate({ seed })).struck.keys()) struck.add(name)
  expect([...struck].toSorted()).toEqual(faultNames.toSorted())
})

describe('planted bugs', () => {
  /** Those that one seed shows; `npm run sim -- --mutants` tries all of them. */
  test.each([
    ['cursor-outside-transaction', 3],
    ['new-key-per-attempt', 8],
    ['lost-timer', 1],
    ['key-without-principal', 1],
    ['dedup-in-memory', 1],
    ['lease-by-local-clock', 1],
  ] as const)('%s is caught, by what it breaks', async (name, seed) => {
    const mutant = mutantNamed(name)
    const { violation } = await simulate({ seed, mutant })
    expect(mutant.breaks).toContain(violation?.invariant)
  })

  test('a failure shrinks to something that still fails', async () => {
    const mutant = mutantNamed('lost-timer')
    let failed = await simulate({ seed: 1, mutant })
    for (let seed = 2; !failed.violation; seed++) failed = await simulate({ seed, mutant })
    const small = await shrink(failed, { mutant })
    expect(small.violation?.invariant).toBe(failed.violation?.invariant)
    expect(small.size).toBeLessThanOrEqual(failed.size)
    expect(small.enabled.size).toBeLessThan(failed.enabled.size)
  })

  test('each has a name of its own, and an unknown one is refused with what there is', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
    expect(() => mutantNamed('nope')).toThrow(/There is no mutant nope. There are: ack-before-commit/)
  })
})

test('while a simulation runs the real clock and the real dice are out of reach', () => {
  const trap = trapReality()
  try {
    expect(() => Date.now()).toThrow('now was called in a simulation')
    expect(Reflect.get(globalThis, 'setInterval')).toThrow('setInterval was called')
  } finally {
    trap.release()
  }
  expect(Date.now()).toBeGreaterThan(0)
})
