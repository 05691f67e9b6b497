import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { integerBetween, pick, seeded, systemRandom, type Random } from './prng.ts'
import { prop } from './testing-property.ts'

const take = (random: Random, count: number): number[] => Array.from({ length: count }, () => random.next())

/** Chi-squared over equal cells; a fair source stays below `cells + 5·√(2·cells)` but once in a million seeds. */
function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

describe('seeded randomness', () => {
  it('gives these numbers for this seed, for ever', () => {
    expect(take(seeded(42), 3)).toMatchInlineSnapshot(`
      [
        0.2812009046319872,
        0.805746590020135,
        0.1964194504544139,
      ]
    `)
    expect(take(seeded(42, 'faults'), 2)).toMatchInlineSnapshot(`
      [
        0.5979885992128402,
        0.5621820439118892,
      ]
    `)
  })

  prop([fc.integer(), fc.string({ maxLength: 10 })])('repeats itself, within [0, 1)', (seed, stream) => {
    const numbers = take(seeded(seed, stream), 20)
    expect(take(seeded(seed, stream), 20)).toEqual(numbers)
    expect(numbers.every((x) => x >= 0 && x < 1)).toBe(true)
  })

  it('gives another sequence for another seed and another stream', () => {
    const firsts = new Set<number>()
    for (let seed = 0; seed < 1000; seed++) firsts.add(seeded(seed).next())
    for (const stream of ['a', 'b', 'faults', 'clients', 'ab', 'ba']) firsts.add(seeded(0, stream).next())
    expect(firsts.size).toBe(1006)
  })

  it('is spread evenly, one number after the other and in pairs', () => {
    const cells = 64
    for (const seed of [0, 1, 12345]) {
      const random = seeded(seed)
      const single = Array.from({ length: cells }, () => 0)
      const pairs = Array.from({ length: cells }, () => 0)
      for (let i = 0; i < 64_000; i++) {
        const [a, b] = [random.next(), random.next()]
        single[Math.floor(a * cells)]! += 1
        pairs[Math.floor(a * 8) * 8 + Math.floor(b * 8)]! += 1
      }
      const most = cells + 5 * Math.sqrt(2 * cells)
      expect(chiSquared(single)).toBeLessThan(most)
      expect(chiSquared(pairs)).toBeLessThan(most)
    }
  })

  prop([fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 20 })])(
    'integers reach both ends',
    (low, span) => {
      const random = seeded(low * 31 + span)
      const seen = new Set(Array.from({ length: 600 }, () => integerBetween(random, low, low + span)))
      expect(seen.size).toBe(span + 1)
      expect(Math.min(...seen)).toBe(low)
      expect(Math.max(...seen)).toBe(low + span)
    },
  )

  it('picks every element, and refuses an empty list', () => {
    const random = seeded(1)
    expect(new Set(Array.from({ length: 100 }, () => pick(random, ['a', 'b', 'c'])))).toEqual(new Set(['a', 'b', 'c']))
    expect(() => pick(random, [])).toThrow(RangeError)
  })

  it('the system has its own', () => {
    expect(new Set(take(systemRandom, 50)).size).toBe(50)
  })
})
