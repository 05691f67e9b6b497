import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { labs } from '../../labs/catalogue.ts'
import { roadmap } from '../../labs/roadmap/roadmap.ts'
import { root } from '../run.ts'
import { pageOf, pages, unnamedLabs } from './pages.ts'

describe('the roadmap', () => {
  test.each(['en', 'es'] as const)('its page (%s) is what the data says: run `npm run roadmap`', (lang) => {
    expect(readFileSync(join(root, pages[lang]), 'utf8')).toBe(pageOf(lang))
  })

  test('every lab is named, and every lab that is named is there', () => {
    const ids = labs.map(({ id }) => id)
    const named = roadmap.flatMap(({ entries }) => entries.flatMap((entry) => entry.labs ?? []))
    expect([unnamedLabs(ids), named.filter((id) => !ids.includes(id))]).toEqual([[], []])
  })

  test('every entry lives somewhere, or says that it is still to come', () => {
    const homeless = roadmap
      .flatMap(({ entries }) => entries)
      .filter(
        ({ labs: all = [], code = [], docs = [], toCome }) => all.length + code.length + docs.length === 0 && !toCome,
      )
    expect(homeless).toEqual([])
  })
})
