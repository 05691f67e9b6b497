import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemTimers } from '@cauce/kit/core/clock'
import { fakeLabs } from '../lab/testing-labs.ts'
import { createShell } from '../shell.ts'
import { refuseConnection, testWorld } from '../testing.ts'
import { roadmap } from './roadmap.ts'

/** @param passed ids of labs */
async function shown(passed: readonly string[], { phase, json }: { phase?: number; json?: true } = {}) {
  const tested = testWorld(refuseConnection, { timers: systemTimers, env: { PATH: process.env.PATH } })
  const labs = passed.map((id) => [id, { verdict: 'pass', own: false, at: '2026-01-01T00:00:00.000Z' }])
  mkdirSync(join(tested.directory, '.cauce'), { recursive: true })
  writeFileSync(join(tested.directory, '.cauce/labs.json'), JSON.stringify({ labs: Object.fromEntries(labs) }))
  const code = await roadmap(createShell(tested, 'en', { json }), phase, fakeLabs())
  expect(code).toBe(0)
  return tested.printed.out
}

test('an entry is ticked when all its labs are passed, and the next lab is named', async () => {
  const begun = await shown(['counter'])
  expect(begun).toContain('Concurrency  0 of 1 passed\n  ◐ Race\n      lab counter · lab race')
  expect(begun).toContain('kit/core/clock.ts')
  expect(begun).toContain('  ○ Moving money')
  expect(begun).toContain('A lab of it')
  expect(begun).toContain('npx cauce lab race')
  expect(await shown(['counter', 'race'])).toContain('Concurrency  1 of 1 passed\n  ✓ Race')
})

test('one phase alone, and as data', async () => {
  expect(await shown([], { phase: 2 })).not.toContain('Concurrency')
  const { sections, next } = JSON.parse(await shown(['transfer'], { json: true })) as {
    sections: { entries: { state: string }[] }[]
    next: string
  }
  expect(sections.map(({ entries }) => entries.map(({ state }) => state))).toEqual([
    ['open', 'read'],
    ['passed', 'to-come'],
  ])
  expect(next).toBe('counter')
})
