import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LabDescription } from '@cauce/labs/contract'
import { temporaryDirectory } from '../testing.ts'
import { nextLab, readBook, stateOf, writeBook } from './book.ts'

const at = '2026-01-01T00:00:00.000Z'

test('keeps what was passed, and changes one lab at a time', () => {
  const data = join(temporaryDirectory(), 'not', 'there', 'yet')
  expect(readBook(data)).toEqual({ labs: {} })
  writeBook(data, 'a', { at, verdict: 'pass' })
  writeBook(data, 'b', { at, verdict: 'fail' })
  writeBook(data, 'a', { at, own: true })
  const book = readBook(data)
  expect(book.labs).toEqual({ a: { verdict: 'pass', own: true, at }, b: { verdict: 'fail', own: false, at } })
  expect(['a', 'b', 'c'].map((id) => stateOf(book, id))).toEqual(['passed', 'failed', 'untried'])
  expect(readdirSync(data)).toEqual(['labs.json'])
})

test.each(['', '{"labs":', '[]', '{"labs":{"a":{"verdict":"maybe","own":false,"at":""}}}', '{"labs":{"a":null}}'])(
  'a damaged file counts as none, and the next result mends it: %j',
  (text) => {
    const data = temporaryDirectory()
    writeFileSync(join(data, 'labs.json'), text)
    expect(readBook(data)).toMatchObject({ labs: {}, problem: expect.stringContaining('labs.json') })
    expect(writeBook(data, 'a', { at, verdict: 'pass' })).toBeUndefined()
    expect(JSON.parse(readFileSync(join(data, 'labs.json'), 'utf8'))).toEqual({
      labs: { a: { verdict: 'pass', own: false, at } },
    })
  },
)

test('where nothing can be written that is said', () => {
  const data = temporaryDirectory()
  mkdirSync(join(data, 'labs.json'))
  expect(writeBook(data, 'a', { at, verdict: 'pass' })).toContain('labs.json')
  expect(readdirSync(data)).toEqual(['labs.json'])
})

test('next is the first that is not passed, from here on and then from the beginning', () => {
  const labs = ['a', 'b', 'c'].map((id) => ({ id }) as LabDescription)
  const passed = (...ids: string[]) => ({
    labs: Object.fromEntries(ids.map((id) => [id, { verdict: 'pass' as const, own: false, at }])),
  })
  expect(nextLab(labs, passed())?.id).toBe('a')
  expect(nextLab(labs, passed('a'))?.id).toBe('b')
  expect(nextLab(labs, passed('b'), 'a')?.id).toBe('c')
  expect(nextLab(labs, passed('c'), 'b')?.id).toBe('a')
  expect(nextLab(labs, passed('a', 'b', 'c'), 'b')).toBeUndefined()
})
