/**
 * Style is a test. Each rule first proves itself on its own small examples (it objects to the violating ones at exactly
 * the lines it names, and to nothing in the passing ones), then holds for the whole tree.
 */

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { listFiles, readSources } from './source-files.ts'
import type { Example, Violation } from './tidy/rule.ts'
import { rules } from './tidy/rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const tree = readSources(root, listFiles(root))

const sources = (example: Example) => Object.entries(example).map(([path, text]) => ({ path, text }))
const place = ({ path, line }: Violation): string => `${path}:${line}`

describe.each(rules.map((rule) => ({ rule, name: rule.name })))('$name', ({ rule }) => {
  it('objects to its violating examples, where they are wrong', () => {
    expect(rule.violating.length).toBeGreaterThan(0)
    for (const { files, at } of rule.violating) expect(rule.check(sources(files)).map(place)).toEqual(at)
  })

  it('lets its passing examples pass', () => {
    expect(rule.passing.length).toBeGreaterThan(0)
    for (const files of rule.passing) expect(rule.check(sources(files))).toEqual([])
  })

  it('holds for the whole tree', () => {
    const found = rule.check(tree).map((violation) => `${place(violation)} ${violation.what}`)
    expect(found, `${rule.name}. ${rule.reason}`).toEqual([])
  })
})

it('looks at the whole tree', () => {
  const paths = tree.map(({ path }) => path)
  expect(paths).toContain('package-lock.json')
  expect(paths).toContain('kit/core/clock.ts')
  expect(paths).toContain('tools/tidy.test.ts')
  expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length)
})
