/** What dependency-cruiser finds is read rightly, and its rules bite: on a small tree with one violation of each kind. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bin, root, run } from './run.ts'
import { readCruise } from './structure.ts'

const dependency = { module: '@cauce/kit/core/clock', resolved: 'kit/core/clock.ts', couldNotResolve: false }
const good = {
  summary: { totalCruised: 2, totalDependenciesCruised: 1, violations: [] },
  modules: [{ source: 'server/main.ts', dependencies: [dependency] }],
}

describe('readCruise', () => {
  const read = (cruise: object) => readCruise(JSON.stringify(cruise))

  it('finds nothing in a good cruise', () => {
    expect(read(good)).toEqual([])
  })

  it('refuses a cruise that saw nothing', () => {
    expect(readCruise('')).toEqual([expect.stringContaining('no result')])
    expect(read({ ...good, summary: { ...good.summary, totalCruised: 0 } })).toEqual([
      expect.stringContaining('no modules'),
    ])
    expect(read({ ...good, summary: { ...good.summary, totalDependenciesCruised: 0 } })).toEqual([
      expect.stringContaining('no dependencies'),
    ])
    expect(read({ ...good, modules: [] })).toEqual([expect.stringContaining('between packages')])
  })

  it('refuses packages of ours that resolve elsewhere', () => {
    const stray = { ...dependency, resolved: 'node_modules/@cauce/kit/core/clock.ts' }
    expect(read({ ...good, modules: [{ source: 'a.ts', dependencies: [stray] }] })).toEqual([
      expect.stringContaining('outside the sources'),
    ])
  })
})

const tree = {
  'package.json': '{ "type": "module" }',
  'kit/package.json':
    '{ "name": "@cauce/kit", "type": "module", "exports": { "./*": "./*.ts" }, "dependencies": { "pg": "1" } }',
  'kit/core/clock.ts': `import '../log/port.ts'\nimport 'node:fs'\nexport const a = 1`,
  'kit/log/port.ts': `import type { B } from './postgres.ts'\nexport interface A { b: B }`,
  'kit/log/postgres.ts': `import type { A } from './port.ts'\nexport interface B { a: A }`,
  'kit/task/testing.ts': 'export const a = 1',
  'kit/task/runner.ts': `export { a } from './testing.ts'\nimport './missing.ts'\nimport 'undeclared'`,
  'kit/policy/lonely.ts': 'export const a = 1',
  'services/orders/decide.ts': `import './http-lists.ts'\nimport '@cauce/kit/core/clock'\nexport const a = 1`,
  'services/orders/http-lists.ts': 'export const a = 1',
}

it('the rules of .dependency-cruiser.mjs bite', { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cauce-structure-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  mkdirSync(join(folder, 'node_modules/@cauce'), { recursive: true })
  symlinkSync('../../kit', join(folder, 'node_modules/@cauce/kit'))

  const depcruise = [
    bin('depcruise'),
    '--config',
    `${root}.dependency-cruiser.mjs`,
    '--output-type',
    'json',
    'kit',
    'services',
  ]
  const { stdout, output } = await run({ program: process.execPath, args: depcruise, timeoutMs: 20_000, cwd: folder })

  expect(stdout, output).not.toBe('')
  expect(readCruise(stdout).toSorted()).toEqual([
    'imports exist: kit/task/runner.ts → ./missing.ts',
    'imports exist: kit/task/runner.ts → undeclared',
    'inside a service: decide, saga: services/orders/decide.ts → services/orders/http-lists.ts',
    'layer: kit/core: kit/core/clock.ts → kit/log/port.ts',
    'no cycles: kit/log/port.ts → kit/log/postgres.ts → kit/log/port.ts',
    'no orphans: kit/policy/lonely.ts',
    'no test code in products: kit/task/runner.ts → kit/task/testing.ts',
    'the browser has no Node modules: kit/core/clock.ts → fs',
  ])
})
