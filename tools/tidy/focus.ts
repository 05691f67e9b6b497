/** Rules that keep the suite whole: nothing focused, nothing skipped in silence. */

import { isCode, type Rule, type Violation } from './rule.ts'
import type { SourceFile } from '../source-files.ts'
import { isTestCode } from '../layers.ts'
import { argumentsOf, isNode, nameOf, parse, walk, type SyntaxNode } from './syntax.ts'

const runners = ['describe', 'it', 'test', 'suite']
/** How a title says why its test does not run. A condition says it by itself. */
const reason = /\(skipped: .+\)/

/** Judges every call in test code by the names of its callee: `it.skip.each([…])(…)` is `it skip each`. */
function judge(
  files: readonly SourceFile[],
  problemOf: (chain: string[], call: SyntaxNode) => string | undefined,
): Violation[] {
  return files
    .filter((file) => isCode(file) && isTestCode(file.path))
    .flatMap((file) => {
      const tree = parse(file)
      const found: Violation[] = []
      walk(tree.body, (node) => {
        if (node.type !== 'CallExpression') return
        const what = problemOf(chainOf(node['callee']), node)
        if (what !== undefined) found.push({ path: file.path, line: tree.lineAt(node.span.start), what })
      })
      return found
    })
}

function chainOf(callee: unknown): string[] {
  if (!isNode(callee)) return []
  const name = nameOf(callee)
  if (name !== undefined) return [name]
  const property = nameOf(callee['property'])
  return [
    ...chainOf(callee['object'] ?? callee['callee'] ?? callee['tag']),
    ...(property === undefined ? [] : [property]),
  ]
}

export const noFocus: Rule = {
  name: 'no focused tests',
  reason: 'One `.only` switches every other test off, and the suite is green.',
  check: (files) =>
    judge(files, ([runner, ...names], call) =>
      runners.includes(runner ?? '') && names.includes('only') && isTitled(call)
        ? 'is focused: remove .only'
        : undefined,
    ),
  violating: [
    { files: { 'kit/a.test.ts': `it.only('a', () => {})` }, at: ['kit/a.test.ts:1'] },
    { files: { 'kit/a.test.ts': `\ndescribe.only('a', () => {})` }, at: ['kit/a.test.ts:2'] },
    { files: { 'kit/a.test.ts': `test.only.each([1, 2])('a', () => {})` }, at: ['kit/a.test.ts:1'] },
  ],
  passing: [{ 'kit/a.test.ts': `it('a', () => {})\nlist.only('a')\n// it.only('a')` }],
}

export const skipsSayWhy: Rule = {
  name: 'skips say why',
  reason: 'A skipped test without a reason is deleted code that still looks like a check. A condition is a reason.',
  check: (files) =>
    judge(files, (chain, call) => {
      const [runner, ...names] = chain
      const [first, second] = argumentsOf(call)
      const advice =
        "say why: it.skip('… (skipped: reason)', …), it.skipIf(…)('… (needs …)', …) or context.skip('reason')"
      if (runners.includes(runner ?? '')) {
        const skips = names.some((name) => ['skip', 'todo'].includes(name))
        return skips && isTitled(call) && !reason.test(textOf(first)) ? advice : undefined
      }
      const own =
        chain.length === 1
          ? runner === 'skip'
          : ['context', 'ctx', 't', 'task'].includes(runner ?? '') && chain[1] === 'skip'
      return own && chain.length <= 2 && textOf(first) === '' && textOf(second) === '' ? advice : undefined
    }),
  violating: [
    { files: { 'kit/a.test.ts': `it.skip('a', () => {})` }, at: ['kit/a.test.ts:1'] },
    { files: { 'kit/a.test.ts': `describe.skip.each([1])('a', () => {})` }, at: ['kit/a.test.ts:1'] },
    { files: { 'kit/a.test.ts': `it('a', (context) => context.skip())` }, at: ['kit/a.test.ts:1'] },
    { files: { 'kit/a.test.ts': `it('a', ({ skip }) => skip(noServer))` }, at: ['kit/a.test.ts:1'] },
    { files: { 'kit/a.test.ts': `it.todo('a')` }, at: ['kit/a.test.ts:1'] },
  ],
  passing: [
    { 'kit/a.test.ts': `it.skip('a (skipped: memory has no plans)', () => {})` },
    { 'kit/a.test.ts': `describe.skipIf(process.platform === 'win32')('a', () => {})` },
    { 'kit/a.test.ts': "it('a', (context) => context.skip(`no ${server} here`))" },
    { 'kit/a.test.ts': `it('a', ({ skip }) => skip(noServer, 'no server here'))\nrows.skip(2)` },
  ],
}

/** The call that registers a test, not one that only builds its runner (`it.each([…])`, `it.skipIf(…)`). */
const isTitled = (call: SyntaxNode): boolean => textOf(argumentsOf(call)[0]) !== ''

/** The fixed text of a string or template; '' for anything else. */
function textOf(value: unknown): string {
  if (!isNode(value)) return ''
  if (value.type === 'StringLiteral') return String(value['value'])
  if (value.type === 'BinaryExpression' && value['operator'] === '+')
    return textOf(value['left']) + textOf(value['right'])
  if (value.type !== 'TemplateLiteral') return ''
  return (value['quasis'] as { cooked?: string }[]).map(({ cooked }) => cooked ?? '').join('…')
}
