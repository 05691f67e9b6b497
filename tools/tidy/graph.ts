/** Rules on the whole import graph: no cycles, nothing dead, and what a browser loads stays loadable there. */

import { builtinModules } from 'node:module'
import { browserPackages, browserSafe, isTestCode, testCode } from '../layers.ts'
import { importsOf, type Import } from './imports.ts'
import { isCode, type Rule, type Violation } from './rule.ts'

/** Files that are started, not imported: programs, tests, configuration, workers, and everything of the outer folders. */
const entries = new RegExp(
  `${testCode}|(^|/)main\\.ts$|\\.(config|worker)\\.ts$|\\.m?c?js$|^(tools|labs|projects|bench|docs)/|^[^/]+$`,
)

const builtins = new Set(builtinModules)

function byImporter(edges: readonly Import[]): Map<string, (Import & { to: string })[]> {
  const graph = new Map<string, (Import & { to: string })[]>()
  for (const edge of edges) {
    const { from, to, started } = edge
    if (to !== undefined && !started) graph.set(from, [...(graph.get(from) ?? []), { ...edge, to }])
  }
  return graph
}

export const importCycles: Rule = {
  name: 'no import cycles',
  reason:
    'Files in a cycle are one file in several pieces: none can be understood, tested or loaded before the others.',
  check(files) {
    const graph = byImporter(importsOf(files))
    const done = new Set<string>()
    const found: Violation[] = []
    const visit = (path: string, trail: string[]): void => {
      for (const { to, line } of graph.get(path) ?? []) {
        const start = trail.indexOf(to)
        if (start >= 0) found.push({ path, line, what: `closes a cycle: ${[...trail.slice(start), to].join(' → ')}` })
        else if (!done.has(to)) visit(to, [...trail, to])
      }
      done.add(path)
    }
    for (const path of graph.keys()) if (!done.has(path)) visit(path, [path])
    return found
  },
  violating: [
    {
      files: {
        'kit/log/a.ts': `import './b.ts'`,
        'kit/log/b.ts': `\nimport type { C } from './c.ts'`,
        'kit/log/c.ts': `export { a } from './a.ts'`,
      },
      at: ['kit/log/c.ts:1'],
    },
    { files: { 'kit/log/a.ts': `import './a.ts'` }, at: ['kit/log/a.ts:1'] },
  ],
  passing: [{ 'kit/a.ts': `import './b.ts'\nimport './c.ts'`, 'kit/b.ts': `import './c.ts'`, 'kit/c.ts': '' }],
}

export const deadFiles: Rule = {
  name: 'no dead files',
  reason: 'A file that nothing imports is read, maintained and trusted for nothing.',
  check(files) {
    const imported = new Set(importsOf(files).map(({ to }) => to))
    return files
      .filter((file) => isCode(file) && !entries.test(file.path) && !imported.has(file.path))
      .map(({ path }) => ({ path, line: 1, what: 'is imported by nothing: delete it, or use it' }))
  },
  violating: [{ files: { 'kit/log/old.ts': 'export const a = 1', 'server/main.ts': '' }, at: ['kit/log/old.ts:1'] }],
  passing: [
    { 'server/main.ts': `import './wire.ts'`, 'server/wire.ts': '', 'server/wire.test.ts': '' },
    { 'server/main.ts': `new Worker(new URL('./hash.ts', import.meta.url))`, 'server/hash.ts': '' },
  ],
}

export const browserClean: Rule = {
  name: 'what the browser loads runs there',
  reason:
    'The console loads the contracts and the core as they are; a Node module behind them breaks it far from the cause.',
  check(files) {
    const edges = importsOf(files)
    const graph = byImporter(edges)
    const reached = new Map<string, string>()
    const reach = (path: string, trail: string): void => {
      if (reached.has(path)) return
      reached.set(path, trail)
      for (const { to, typeOnly } of graph.get(path) ?? []) if (!typeOnly) reach(to, `${trail} → ${to}`)
    }
    const roots = files.filter(({ path }) => new RegExp(browserSafe).test(path) && !isTestCode(path))
    for (const { path } of roots) reach(path, path)
    return edges
      .filter(({ from, specifier, typeOnly }) => reached.has(from) && !typeOnly && !runsInBrowser(specifier))
      .map(({ from, line, specifier }) => ({
        path: from,
        line,
        what: `loads ${specifier}, but a browser loads it: ${reached.get(from)}`,
      }))
  },
  violating: [
    { files: { 'kit/core/ids.ts': `import { randomUUID } from 'node:crypto'` }, at: ['kit/core/ids.ts:1'] },
    {
      files: {
        'services/orders/contract.ts': `import '@cauce/kit/pipeline/message'`,
        'kit/pipeline/message.ts': `import 'typebox'\nimport 'fs'`,
      },
      at: ['kit/pipeline/message.ts:2'],
    },
    { files: { 'kit/policy/retry.ts': `import 'pg'` }, at: ['kit/policy/retry.ts:1'] },
  ],
  passing: [
    { 'kit/core/codec.ts': `import { Type } from 'typebox'\nimport { Value } from 'typebox/value'` },
    { 'kit/core/ids.ts': `import type { Hash } from 'node:crypto'`, 'kit/core/ids.test.ts': `import 'node:crypto'` },
    { 'kit/log/postgres.ts': `import 'node:crypto'` },
  ],
}

function runsInBrowser(specifier: string): boolean {
  if (specifier.startsWith('.') || specifier.startsWith('@cauce/')) return true
  if (specifier.startsWith('node:') || builtins.has(specifier)) return false
  return browserPackages.some((name) => specifier === name || specifier.startsWith(`${name}/`))
}
