import { describe, expect, it } from 'vitest'
import { EncodingError } from './errors.ts'
import { assertHolds, instantText, jsonText, storableText } from './values.ts'

describe('what a column can hold', () => {
  it('looks at no null', () => {
    for (const kind of ['text', 'integer', 'boolean', 'json', 'instant'] as const) {
      expect(() => assertHolds(kind, 'a', null)).not.toThrow()
      expect(() => assertHolds(kind, 'a', undefined)).not.toThrow()
    }
  })

  it('says which column, which value and which kind', () => {
    expect(() => assertHolds('integer', 'onHand', 2 ** 53)).toThrow(
      'onHand: 9007199254740992 cannot be stored as integer',
    )
    expect(() => assertHolds('text', 'name', 'a\0')).toThrow('name: "a\\u0000" cannot be stored as text')
    expect(() => assertHolds('text', 'name', 'x'.repeat(5000) + '\0')).toThrow(EncodingError)
  })
})

describe('texts', () => {
  it('of instants have four digits of a year and three of a second', () => {
    expect(instantText(0)).toBe('1970-01-01T00:00:00.000Z')
    expect(instantText(-1)).toBe('1969-12-31T23:59:59.999Z')
    expect(instantText(-62_135_596_800_000)).toBe('0001-01-01T00:00:00.000Z')
    for (const bad of [Number.NaN, Infinity, -62_135_596_800_001, 253_402_300_800_000]) {
      expect(() => instantText(bad)).toThrow(EncodingError)
    }
  })

  it('of JSON: what has none is refused as data', () => {
    const cycle: Record<string, unknown> = {}
    cycle['itself'] = cycle
    expect(jsonText({ a: [1, null] })).toBe('{"a":[1,null]}')
    for (const bad of [cycle, 1n, undefined, () => 1]) expect(() => jsonText(bad)).toThrow(EncodingError)
  })

  it('of others are made storable: no NUL, no half of a pair, not endless', () => {
    expect(storableText('a\0b\ud83dc 🚲')).toBe('a\uFFFDb\uFFFDc 🚲')
    expect(storableText('x'.repeat(5000))).toHaveLength(2000)
    expect(storableText('🚲'.repeat(5), 3)).toBe('🚲\uFFFD')
    expect(storableText(undefined)).toBe('undefined')
  })
})
