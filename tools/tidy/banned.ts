/**
 * Calls with one home. Time, chance and identity come in by parameter, so that the simulator can own them and a test can
 * repeat them; each has one file that draws the real thing. Tests may look at the clock, but neither sleep nor roll dice.
 */

import { isTestCode } from '../layers.ts'
import type { SourceFile } from '../source-files.ts'
import { isCode, type Rule, type Violation } from './rule.ts'
import { argumentsOf, isNode, nameOf, parse, stringOf, walk, type SyntaxNode } from './syntax.ts'

interface Ban {
  readonly home: string
  readonly instead: string
}

const clock: Ban = {
  home: 'kit/core/clock.ts',
  instead: "take a Clock (kit/core/clock.ts); SQL reads the database's clock",
}
const timers: Ban = { home: 'kit/core/clock.ts', instead: 'take Timers (kit/core/clock.ts)' }
const random: Ban = { home: 'kit/core/prng.ts', instead: 'take a Random (kit/core/prng.ts)' }
const ids: Ban = { home: 'kit/core/id-source.ts', instead: 'derive the id, or take an IdSource (kit/core/ids.ts)' }
const sleep: Ban = {
  home: '',
  instead: 'tests do not sleep: await a signal, use virtual time, or poll with a bounded deadline (systemTimers)',
}

const bans = new Map<string, Ban>([
  ['Date.now', clock],
  ['new Date()', clock],
  ['Date()', clock],
  ['Math.random', random],
  ['randomUUID', ids],
  ['uuidv7', ids],
  ['setTimeout', timers],
  ['setInterval', timers],
  ['setImmediate', timers],
  ['timers module', timers],
])

/** A wait of a quarter of a second or more in a test is a guess at how fast the machine is. */
const longSleepMs = 250

const testBans = new Map<string, Ban>([
  ['Math.random', { home: '', instead: 'a failing test must repeat: use seeded (kit/core/prng.ts)' }],
  ['setTimeout', sleep],
  ['setInterval', sleep],
  ['timers module', sleep],
  ['long sleep', sleep],
])

function check(files: readonly SourceFile[], table: ReadonlyMap<string, Ban>): Violation[] {
  return files.flatMap((file) => {
    const tree = parse(file)
    const lines = new Map<string, Violation>()
    walk(tree.body, (node, parent) => {
      const name = use(node, parent)
      const ban = table.get(name ?? '')
      if (name === undefined || ban === undefined || ban.home === file.path) return
      if (ban === sleep && waitsNothing(parent)) return
      const line = tree.lineAt(node.span.start)
      lines.set(`${line} ${ban.instead}`, { path: file.path, line, what: `${name}: ${ban.instead}` })
    })
    return [...lines.values()]
  })
}

/** What a node uses, by the names of the tables above. */
function use(node: SyntaxNode, parent?: SyntaxNode): string | undefined {
  switch (node.type) {
    case 'MemberExpression':
      return member(node)
    case 'NewExpression':
      return nameOf(node['callee']) === 'Date' && argumentsOf(node).length === 0 ? 'new Date()' : undefined
    case 'CallExpression':
      return nameOf(node['callee']) === 'Date' ? 'Date()' : longSleep(node)
    case 'ImportDeclaration':
      return importsTimers(node) ? 'timers module' : undefined
    case 'Identifier':
      // What an import is called here is what counts.
      if (parent?.type === 'ImportSpecifier' && parent['imported'] === node) return undefined
      return isPropertyName(node, parent) && !isIdName(node) ? undefined : nameOf(node)
    default:
      return undefined
  }
}

const isIdName = (node: SyntaxNode): boolean => ['randomUUID', 'uuidv7'].includes(nameOf(node) ?? '')

/** `Date.now`, `globalThis.Date.now`, `globalThis.setTimeout`; but `socket.setTimeout` is the socket's own. */
function member(node: SyntaxNode): string | undefined {
  const object = isNode(node['object']) ? node['object'] : undefined
  const property = nameOf(node['property'])
  const owner = nameOf(object) ?? nameOf(object?.['property'])
  if (owner === 'globalThis' || owner === 'window') return property
  return owner === 'Date' || owner === 'Math' ? `${owner}.${property}` : undefined
}

/** A name after a dot or before a colon means something else than the global of that name. */
function isPropertyName(node: SyntaxNode, parent?: SyntaxNode): boolean {
  if (!parent) return false
  if (parent.type === 'MemberExpression') return parent['property'] === node
  return parent['key'] === node
}

/** `setImmediate` of `node:timers/promises` is no wait. */
function importsTimers(node: SyntaxNode): boolean {
  if (!/^(node:)?timers(\/promises)?$/.test(stringOf(node['source']) ?? '')) return false
  const names = ((node['specifiers'] ?? []) as unknown[]).filter(isNode)
  return names.some(({ imported, local }) => nameOf(imported ?? local) !== 'setImmediate')
}

function longSleep(node: SyntaxNode): string | undefined {
  const callee = isNode(node['callee']) ? node['callee'] : undefined
  const real = nameOf(callee?.['object']) === 'systemTimers' && nameOf(callee?.['property']) === 'sleep'
  const [ms, signal] = argumentsOf(node)
  return real && signal === undefined && numberOf(ms) >= longSleepMs ? 'long sleep' : undefined
}

/** `setTimeout(task)` and `setTimeout(task, 0)`. */
function waitsNothing(call?: SyntaxNode): boolean {
  if (call?.type !== 'CallExpression') return false
  const args = argumentsOf(call)
  return args.length === 1 || numberOf(args[1]) === 0
}

const numberOf = (value: unknown): number =>
  isNode(value) && value.type === 'NumericLiteral' ? Number(value['value']) : Number.NaN

export const bannedCalls: Rule = {
  name: 'time, chance and identity come in by parameter',
  reason: 'What the code draws by itself no simulator can own and no test can repeat.',
  check: (files) =>
    check(
      files.filter((file) => isCode(file) && !isTestCode(file.path)),
      bans,
    ),
  violating: [
    { files: { 'kit/task/a.ts': 'const ñ = 1\nconst now = Date.now()' }, at: ['kit/task/a.ts:2'] },
    { files: { 'kit/task/a.ts': 'const clock = { now: Date.now }' }, at: ['kit/task/a.ts:1'] },
    {
      files: { 'kit/task/a.ts': 'new Date().toISOString()\nnew Date\nDate()' },
      at: ['kit/task/a.ts:1', 'kit/task/a.ts:2', 'kit/task/a.ts:3'],
    },
    {
      files: { 'kit/task/a.ts': 'globalThis.Date.now()\nglobalThis.setTimeout(f, 1)' },
      at: ['kit/task/a.ts:1', 'kit/task/a.ts:2'],
    },
    { files: { 'kit/task/a.ts': 'const roll = `${Math.random()}`' }, at: ['kit/task/a.ts:1'] },
    {
      files: { 'kit/task/a.ts': `import { randomUUID } from 'node:crypto'\ncrypto.randomUUID()` },
      at: ['kit/task/a.ts:1', 'kit/task/a.ts:2'],
    },
    { files: { 'kit/core/ids.ts': `import { uuidv7 } from 'uuidv7'` }, at: ['kit/core/ids.ts:1'] },
    {
      files: { 'kit/task/a.ts': 'setTimeout(f, 1)\nsetInterval(f, 1)\nsetImmediate(f)' },
      at: ['kit/task/a.ts:1', 'kit/task/a.ts:2', 'kit/task/a.ts:3'],
    },
    {
      files: { 'kit/task/a.ts': `import { setTimeout as wait } from 'node:timers/promises'` },
      at: ['kit/task/a.ts:1'],
    },
  ],
  passing: [
    { 'kit/core/clock.ts': 'const now = () => Date.now()\nsetTimeout(f, 1)' },
    { 'kit/core/prng.ts': 'Math.random()', 'kit/core/id-source.ts': `import { uuidv7 } from 'uuidv7'` },
    {
      'kit/task/a.ts': `new Date(row.at)\n// Date.now()\nconst text = 'Date.now()'\nDate.parse(text)\nMath.floor(1.5)`,
    },
    { 'kit/http/a.ts': 'socket.setTimeout(1000)\nconst options = { setTimeout: 1 }\ntimers.sleep(10)' },
    { 'kit/task/a.test.ts': 'const started = Date.now()' },
  ],
}

export const testsDoNotSleep: Rule = {
  name: 'tests neither sleep nor roll dice',
  reason:
    'A sleep is too short on a slow machine and too long on every other; an unseeded test fails once and never again.',
  check: (files) =>
    check(
      files.filter((file) => isCode(file) && isTestCode(file.path)),
      testBans,
    ),
  violating: [
    { files: { 'kit/a.test.ts': 'await new Promise((done) => setTimeout(done, 50))' }, at: ['kit/a.test.ts:1'] },
    { files: { 'kit/a.test.ts': `import { setTimeout } from 'node:timers/promises'` }, at: ['kit/a.test.ts:1'] },
    { files: { 'kit/log/conformance.ts': 'await systemTimers.sleep(1000)' }, at: ['kit/log/conformance.ts:1'] },
    { files: { 'kit/a.test.ts': 'const key = Math.random()' }, at: ['kit/a.test.ts:1'] },
  ],
  passing: [
    { 'kit/a.test.ts': 'setTimeout(done, 0)\nsetTimeout(done)\nsetImmediate(done)' },
    {
      'kit/a.test.ts': `import { setImmediate } from 'node:timers/promises'\nawait systemTimers.sleep(5)\nsystemTimers.sleep(60_000, signal)\nawait virtual.sleep(60_000)`,
    },
    { 'kit/a.ts': 'await systemTimers.sleep(1000)' },
  ],
}
