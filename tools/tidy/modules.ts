/** Rules on what a module exports. */

import { isCode, type Rule } from './rule.ts'
import { isNode, nameOf, parse, stringOf, type SyntaxNode } from './syntax.ts'

/** Files whose loader asks for a default export: a lab's naive variant is one that a learner's own file takes the place of. */
const loaded = /\.(config|global|worker|naive|reporter)\.[mc]?[jt]s$|(^|\/)\.[^/]+$/

export const namedExports: Rule = {
  name: 'named exports only',
  reason: 'A named export has one name everywhere, so a search finds every use of it.',
  check: (files) =>
    files
      .filter((file) => isCode(file) && !loaded.test(file.path))
      .flatMap((file) => {
        const tree = parse(file)
        return tree.body.filter(exportsDefault).map(({ span }) => ({
          path: file.path,
          line: tree.lineAt(span.start),
          what: 'default export: give it a name',
        }))
      }),
  violating: [
    { files: { 'kit/a.ts': '// ñ\nexport default function a() {}' }, at: ['kit/a.ts:2'] },
    { files: { 'kit/a.ts': 'export default { a: 1 }' }, at: ['kit/a.ts:1'] },
    { files: { 'kit/a.ts': 'const a = 1\nexport { a as default }' }, at: ['kit/a.ts:2'] },
  ],
  passing: [
    { 'kit/a.ts': 'export const a = 1\nexport { b } from "./b.ts"' },
    { 'labs/concurrency/a.naive.ts': 'export default a' },
    { 'vitest.config.ts': 'export default {}', 'kit/database/test-cluster.global.ts': 'export default function () {}' },
  ],
}

export const noBarrels: Rule = {
  name: 'no barrels',
  reason: 'A file that only passes on what others export hides where things live and ties cycles.',
  check: (files) =>
    files
      .filter(isCode)
      .filter((file) => {
        const others = parse(file).body.filter(({ type }) => type !== 'ImportDeclaration')
        return others.length > 0 && others.every(passesOn)
      })
      .map(({ path }) => ({ path, line: 1, what: 'only re-exports: import from the files themselves' })),
  violating: [
    { files: { 'kit/index.ts': `export * from './a.ts'\nexport { b } from './b.ts'` }, at: ['kit/index.ts:1'] },
    {
      files: { 'kit/log.ts': `import { a } from './a.ts'\nexport { a }\nexport type { B } from './b.ts'` },
      at: ['kit/log.ts:1'],
    },
  ],
  passing: [
    { 'kit/a.ts': `import { b } from './b.ts'\nexport const a = b` },
    { 'kit/a.ts': `export type { B } from './b.ts'\nexport const a = 1` },
    { 'server/main.ts': `import './wire.ts'` },
  ],
}

function exportsDefault({ type, specifiers }: SyntaxNode): boolean {
  if (type === 'ExportDefaultDeclaration' || type === 'ExportDefaultExpression') return true
  const names = type === 'ExportNamedDeclaration' && Array.isArray(specifiers) ? specifiers.filter(isNode) : []
  return names.some(({ exported }) => nameOf(exported) === 'default' || stringOf(exported) === 'default')
}

const passesOn = ({ type }: SyntaxNode): boolean => type === 'ExportAllDeclaration' || type === 'ExportNamedDeclaration'
