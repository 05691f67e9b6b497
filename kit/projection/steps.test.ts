import { expect, test } from 'vitest'
import { hashOf, type Projection } from './definition.ts'
import { appliedBy, nextStep, RETIRED_MS, type Generation, type GenerationState } from './steps.ts'
import { itemList } from './testing.ts'

const row = (generation: number, state: GenerationState, more: Partial<Generation> = {}): Generation => ({
  name: 'v',
  generation,
  state,
  definition: 'mine',
  tables: [],
  seededTo: '',
  done: 0,
  total: 0,
  since: 0,
  ageMs: 0,
  rebuild: false,
  error: null,
  ...more,
})
const foreign = { definition: 'other' }

test.each<[string, Generation[], boolean, string]>([
  ['nothing is there', [], false, 'begin 1'],
  ['it is there', [row(1, 'active')], true, 'nothing'],
  ['a copy is under way', [row(1, 'active'), row(2, 'seeding')], false, 'seed 2'],
  ['it follows the log', [row(1, 'active'), row(2, 'tailing')], false, 'switch 2'],
  ['somebody wants it anew', [row(3, 'active', { rebuild: true })], false, 'begin 4'],
  ['it is being built already', [row(3, 'active', { rebuild: true }), row(4, 'tailing')], false, 'switch 4'],
  ['another definition is read, at the start', [row(1, 'active', foreign)], true, 'begin 2'],
  ['another definition is read, later', [row(1, 'active', foreign)], false, 'nothing'],
  ['somebody wants another definition anew', [row(1, 'active', { ...foreign, rebuild: true })], false, 'nothing'],
  [
    'another definition is being built, at the start',
    [row(1, 'active'), row(2, 'seeding', foreign)],
    true,
    'discard 2',
  ],
  ['another definition is being built, later', [row(1, 'active'), row(2, 'seeding', foreign)], false, 'nothing'],
  ['an old one may still be read', [row(1, 'retired'), row(2, 'active')], false, 'nothing'],
  ['nobody reads the old one', [row(1, 'retired', { ageMs: RETIRED_MS }), row(2, 'active')], false, 'drop 1'],
  ['numbers are not used again', [row(1, 'active', foreign), row(2, 'retired', foreign)], true, 'begin 3'],
])('%s', (_, rows, starting, expected) => {
  const step = nextStep(rows, 'mine', starting)
  expect(step ? `${step.kind} ${step.generation}` : 'nothing').toBe(expected)
})

test('what is built is applied before what is read, and nothing of another definition or that is still copied', () => {
  const rows = [row(1, 'retired'), row(2, 'active'), row(3, 'tailing'), row(4, 'active', foreign), row(5, 'seeding')]
  expect(appliedBy(rows, 'mine').map(({ generation }) => generation)).toEqual([3, 2, 1])
})

test('a definition is another one when its tables, statements, sources, seed or version are', () => {
  const { seed: _, ...unseeded } = itemList
  const others: Projection[] = [
    { ...itemList, version: 2 },
    { ...itemList, sources: ['shop', 'till'] },
    { ...itemList, tables: [{ ...itemList.tables[0]!, indexes: [] }] },
    { ...itemList, statements: { refresh: () => 'SELECT 1' } },
    unseeded,
  ]
  expect(hashOf({ ...itemList })).toBe(hashOf(itemList))
  expect(new Set([itemList, ...others].map(hashOf)).size).toBe(6)
})
