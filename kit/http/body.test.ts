import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { MAX_DEPTH, parseJson } from './body.ts'
import { ProblemError } from './problem.ts'

const parse = (text: string | Buffer) => parseJson(Buffer.from(text as string))

function refusal(text: string | Buffer): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof ProblemError) return `${error.status} ${error.message}`
    throw error
  }
  return 'accepted'
}

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('400', () => {
  test.each([
    ['', /^400 The body is empty/],
    [' \n ', /^400 The body is empty/],
    ['{"a":1', /^400 The body is not JSON/],
    ['{"a":1}}', /^400 The body is not JSON/],
    ["{'a':1}", /^400 The body is not JSON/],
    ['{"a":NaN}', /^400 The body is not JSON/],
    ['{"a":"\u0000"}', /^400 The body is not JSON/],
    ['{"a":1,"a":1}', /^400 .*twice/],
    ['{"a":{"b":1,"c":":","b":2}}', /^400 .*twice/],
    [String.raw`{"a":1,"\u0061":2}`, /^400 .*twice/],
  ])('%j', (text, expected) => expect(refusal(text)).toMatch(expected))

  test('bytes that are not UTF-8', () => {
    expect(refusal(Buffer.from([0x22, 0xff, 0x22]))).toMatch(/^400 The body is not UTF-8/)
    expect(refusal(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toMatch(/^400 The body is not UTF-8/) // a surrogate, encoded
    expect(refusal(Buffer.from('{"a":"é"}', 'latin1'))).toMatch(/^400 The body is not UTF-8/)
  })
})

describe('422', () => {
  test.each([
    [String.raw`{"lines":[{"sku":"a\u0000b"}]}`, '422 /lines/0/sku holds U+0000'],
    [String.raw`{"name":"\ud83d"}`, '422 /name holds U+0000 or half of a surrogate pair'],
    [String.raw`{"a":{"\udc00":1}}`, '422 /a holds U+0000'],
    [String.raw`"\u0000"`, '422 The body holds U+0000'],
    ['{"a":{"__proto__":{"admin":true}}}', '422 /a/__proto__ is not a known field'],
    [String.raw`{"__pr\u006fto__":1}`, '422 /__proto__ is not a known field'],
    [nested(MAX_DEPTH + 1), '422 /0/0'],
    [nested(100_000), 'nested deeper than 16 levels'],
  ])('%.60s', (text, expected) => expect(refusal(text)).toContain(expected))
})

describe('accepted', () => {
  test.each([
    ['null', null],
    [nested(MAX_DEPTH), JSON.parse(nested(MAX_DEPTH))],
    [String.raw`{"a":"\ud83d\ude00 \" : \\","b:\"":[":"]}`, { a: '😀 " : \\', 'b:"': [':'] }],
    [String.raw`{"a\\":1,"a":2}`, { 'a\\': 1, a: 2 }],
  ])('%.60s', (text, expected) => expect(parse(text)).toEqual(expected))

  property.prop([fc.json({ maxDepth: 6 })])('what JSON.parse accepts is returned as it is', (text) => {
    fc.pre(!/__proto__|\\u0000|\\u[dD][89a-fA-F]/.test(text) && !/\p{Surrogate}/u.test(text))
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  property.prop([fc.string({ unit: 'binary', maxLength: 40 })])(
    'any other text is refused with a status, never a crash',
    (text) => {
      expect(refusal(text)).toMatch(/^(400|422) |accepted/)
    },
  )
})
