import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, decodeCursor, encodeCursor, type Json } from './codec.ts'
import { prop } from './testing-property.ts'

const jsonValue = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>

/** The same value with the members of every object in another order. */
function reordered(value: Json): Json {
  if (Array.isArray(value)) return value.map(reordered)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).toReversed()
  return Object.fromEntries(members.map(([key, member]) => [key, reordered(member)]))
}

describe('canonical JSON', () => {
  prop([jsonValue])('says the value, and does not depend on the order of members', (value) => {
    const text = canonicalJson(value)
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
    expect(canonicalJson(reordered(value))).toBe(text)
    expect(canonicalJson(JSON.parse(text))).toBe(text)
  })

  prop([jsonValue, jsonValue])('different values give different text', (a, b) => {
    const same = JSON.stringify(a) === JSON.stringify(b)
    if (same) expect(canonicalJson(a)).toBe(canonicalJson(b))
    else if (canonicalJson(a) === canonicalJson(b))
      expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(b)))
  })

  it('leaves out what is undefined, as JSON does', () => {
    expect(canonicalJson({ b: 1, a: undefined, c: [undefined, null] })).toBe('{"b":1,"c":[null,null]}')
    expect(canonicalJson(undefined)).toBe('null')
    expect(canonicalJson({ é: 1, z: 2, '"': 3 })).toBe('{"\\"":3,"z":2,"é":1}')
  })
})

describe('cursors', () => {
  const short = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(fc.oneof(fc.string({ maxLength: 20 }), fc.integer()), { maxLength: 5 }),
  )

  prop([short])('come back as they were, and are safe in a URL', (value) => {
    const cursor = encodeCursor(value)
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(decodeCursor(cursor)).toEqual(value)
  })

  prop([fc.string({ unit: 'binary' })])('any text decodes to a value or to undefined, and never throws', (text) => {
    expect(() => decodeCursor(text)).not.toThrow()
  })

  it('refuses what is not one of ours', () => {
    for (const text of ['', '*', 'a b', '=', 'AAAA', 'A', 'a'.repeat(1025), btoa('{"a":'), btoa('\xff')]) {
      expect(decodeCursor(text)).toBeUndefined()
    }
  })
})
