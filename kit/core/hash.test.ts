import { describe, expect, it } from 'vitest'
import { hash32, laneOf } from './hash.ts'
import { prefixed } from './ids.ts'
import { systemIds } from './id-source.ts'

const LANES = 16

/** Largest and smallest lane, relative to an even share. */
function spread(keys: readonly string[], lanes = LANES): { most: number; least: number } {
  const counts = Array.from({ length: lanes }, () => 0)
  for (const key of keys) counts[laneOf(key, lanes)]! += 1
  const even = keys.length / lanes
  return { most: Math.max(...counts) / even, least: Math.min(...counts) / even }
}

describe('lanes', () => {
  it('are where they always were: a change here would break the order of every stored key', () => {
    const keys = [
      '',
      'a',
      'ord_00000000000000000000000000000000',
      'ord_0190b5f8a1c27d3e8f4a5b6c7d8e9f01',
      'héllo',
      '🚲',
    ]
    expect(keys.map(hash32)).toMatchInlineSnapshot(`
      [
        2872998923,
        444641715,
        1515884457,
        1315052946,
        1472820488,
        2023730752,
      ]
    `)
    expect(keys.map((key) => laneOf(key, LANES))).toMatchInlineSnapshot(`
      [
        11,
        3,
        9,
        2,
        8,
        0,
      ]
    `)
  })

  it('are within range', () => {
    for (const lanes of [1, 2, 7, 16, 64]) {
      for (let i = 0; i < 200; i++) {
        const lane = laneOf(`key-${i}`, lanes)
        expect(Number.isInteger(lane) && lane >= 0 && lane < lanes).toBe(true)
      }
    }
  })

  it.each([
    ['order ids drawn one after the other', () => prefixed('ord', systemIds.draw())],
    ['counted keys', (i: number) => String(i)],
    ['keys with a common beginning', (i: number) => `customer/000000/${i}`],
    ['keys that differ at the beginning only', (i: number) => `${i}/the-same-long-ending-for-everyone`],
  ])('are used evenly by %s', (_, keyOf) => {
    // 16,000 keys: one standard deviation of a lane is 3.1 % of its share, so ±18 % is beyond 5.7 of them.
    const { most, least } = spread(Array.from({ length: 16_000 }, (_, i) => keyOf(i)))
    expect(most).toBeLessThan(1.18)
    expect(least).toBeGreaterThan(0.82)
  })

  it('changes half of the bits when one character changes', () => {
    let flipped = 0
    const pairs = 2000
    for (let i = 0; i < pairs; i++) {
      let difference = hash32(`ord_${i}`) ^ hash32(`ord_${i + 1}`)
      for (; difference !== 0; difference &= difference - 1) flipped++
    }
    expect(flipped / pairs).toBeGreaterThan(15)
    expect(flipped / pairs).toBeLessThan(17)
  })
})
