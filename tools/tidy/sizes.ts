/** Rules of size: a file that is read in one go, a function that fits a screen. */

import { isTestCode } from '../layers.ts'
import { isCode, type Rule, type Violation } from './rule.ts'
import { argumentsOf, isNode, nameOf, parse, walk, type SyntaxNode, type Tree } from './syntax.ts'

const maxFileLines = 400
const maxFunctionLines = 70

const counted = /\.(ts|tsx|mts|cts|js|mjs|cjs|sql|sh|css)$|^\.ci\/run$|^tools\/[^.]+$/
const generated = /(^|\/)schema\.sql$|\.generated\.\w+$/

export const fileLength: Rule = {
  name: `files of at most ${maxFileLines} lines`,
  reason: 'One file, one idea. What outgrows this holds two.',
  check: (files) =>
    files
      .filter(({ path }) => counted.test(path) && !generated.test(path))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0) }))
      .filter(({ lines }) => lines > maxFileLines)
      .map(({ path, lines }) => ({ path, line: maxFileLines + 1, what: `has ${lines} lines: split it by idea` })),
  violating: [{ files: { 'kit/a.ts': '//\n'.repeat(maxFileLines + 1) }, at: [`kit/a.ts:${maxFileLines + 1}`] }],
  passing: [
    { 'kit/a.ts': '//\n'.repeat(maxFileLines), 'docs/long.md': 'word\n'.repeat(maxFileLines * 2) },
    { 'services/orders/schema.sql': '--\n'.repeat(maxFileLines * 2) },
  ],
}

const functions = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
])

const body = (lines: number): string => 'a()\n'.repeat(lines)

export const functionLength: Rule = {
  name: `functions of at most ${maxFunctionLines} lines`,
  reason:
    'A function that does not fit a screen is not checked by reading. What is counted are its own lines: named functions ' +
    'and methods inside it count for themselves (a factory is a class), and a list of tests is no function.',
  check: (files) =>
    files.filter(isCode).flatMap((file) => {
      const tree = parse(file)
      const found: Violation[] = []
      walk(tree.body, (node) => {
        if (!functions.has(node.type)) return
        const lines = ownLines(node, tree)
        if (lines <= maxFunctionLines || (isTestCode(file.path) && listsTests(node))) return
        const line = tree.lineAt(node.span.start)
        found.push({ path: file.path, line, what: `a function of ${lines} lines: name its parts` })
      })
      return found
    }),
  violating: [
    { files: { 'kit/a.ts': `\nfunction a() {\n${body(69)}}` }, at: ['kit/a.ts:2'] },
    { files: { 'kit/a.ts': `const ñ = 'ñ'\nconst a = () => {\n${body(69)}}` }, at: ['kit/a.ts:2'] },
    { files: { 'kit/a.ts': `class A {\n  b() {\n${body(69)}}\n}` }, at: ['kit/a.ts:2'] },
    {
      files: { 'kit/a.test.ts': `describe('a', () => {\n  it('b', () => {\n${body(69)}})\n})` },
      at: ['kit/a.test.ts:2'],
    },
    { files: { 'kit/a.ts': `describe('a', () => {\n  it('b', () => {})\n${body(69)}})` }, at: ['kit/a.ts:1'] },
  ],
  passing: [
    { 'kit/a.ts': `function a() {\n${body(68)}}\n${body(100)}` },
    {
      'kit/a.ts': `function a() {\n${body(60)}  function b() {\n${body(60)}  }\n  return { c() {\n${body(60)}  } }\n}`,
    },
    { 'kit/a.test.ts': `describe('a', () => {\n  it('b', () => {})\n  it.each([1])('c', () => {})\n${body(69)}})` },
    {
      'kit/log/conformance.ts': `export function suite() {\n  describe('a', () => {\n    it('b', () => {})\n${body(69)}})\n}`,
    },
  ],
}

function ownLines(node: SyntaxNode, tree: Tree): number {
  const linesOf = ({ span }: SyntaxNode): number => tree.lineAt(span.end) - tree.lineAt(span.start) + 1
  let lines = linesOf(node)
  walk(node, (inner) => {
    const named = inner === node ? undefined : namedPart(inner)
    if (named) lines -= linesOf(named)
    return named === undefined
  })
  return lines
}

const members = new Set([
  'FunctionDeclaration',
  'ClassDeclaration',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
])

/** The function, method or class that a node gives a name to. */
function namedPart(node: SyntaxNode): SyntaxNode | undefined {
  if (members.has(node.type)) return node
  const value = { VariableDeclarator: node['init'], KeyValueProperty: node['value'] }[node.type]
  return isNode(value) && functions.has(value.type) ? value : undefined
}

/** A suite: a function whose own statements register tests. */
function listsTests(node: SyntaxNode): boolean {
  const block = isNode(node['body']) ? node['body'] : undefined
  const statements = ((block?.['stmts'] ?? []) as unknown[]).filter(isNode)
  return statements.some(({ type, expression }) => type === 'ExpressionStatement' && registersTest(expression))
}

function registersTest(expression: unknown): boolean {
  if (!isNode(expression) || expression.type !== 'CallExpression' || argumentsOf(expression).length === 0) return false
  let callee: unknown = expression['callee']
  while (isNode(callee) && nameOf(callee) === undefined) callee = callee['object'] ?? callee['callee'] ?? callee['tag']
  return ['describe', 'it', 'test', 'suite'].includes(nameOf(callee) ?? '')
}
