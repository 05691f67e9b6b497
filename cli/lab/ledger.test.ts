import { expect, test } from 'vitest'
import type { LabEvent, LabResult, RunCommand } from '@cauce/labs/contract'
import { Ledger, type Outcome } from './ledger.ts'

const commands = ['a', 'b', 'c'].map((id): RunCommand => ({ id, seed: 1, size: 'default' }))
const started = (id: string): LabEvent => ({
  type: 'started',
  id,
  seed: 1,
  size: 'default',
  parameters: {},
  variants: [],
})
const result = (id: string): LabEvent => ({ type: 'result', result: { id, verdict: 'pass' } as LabResult })
const failed = (message: string): LabEvent => ({ type: 'failed', code: 'broken', message })
const ended = { code: 'ended', message: 'exit 1' }

const told = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ result: passed, failure }) => (passed ? passed.id : `${failure?.id}: ${failure?.message}`))

function play(ledger: Ledger, ...events: LabEvent[]): string[] {
  return told(events.flatMap((event) => ledger.take(event)))
}

test('each lab ends with its result', () => {
  const ledger = new Ledger(commands)
  const all = [started('a'), result('a'), started('b'), result('b'), started('c'), result('c')]
  expect(play(ledger, ...all)).toEqual(['a', 'b', 'c'])
  expect(told(ledger.processEnded(ended))).toEqual([])
  expect(ledger.rest).toEqual([])
})

test('one that fails is not in the way of the next', () => {
  const ledger = new Ledger(commands)
  expect(play(ledger, started('a'), failed('no'), started('b'), result('b'))).toEqual(['a: no', 'b'])
  expect(ledger.rest.map(({ id }) => id)).toEqual(['c'])
})

test('one that is refused before it begins is the first of its process', () => {
  expect(play(new Ledger(commands), failed('no such file'), started('b'))).toEqual(['a: no such file'])
})

test('a process that ends in the middle takes the lab in hand with it, and no other', () => {
  const ledger = new Ledger(commands)
  play(ledger, started('a'), result('a'), started('b'))
  expect(told(ledger.processEnded(ended))).toEqual(['b: exit 1'])
  expect(play(ledger, started('c'), result('c'))).toEqual(['c'])
})

test('the echo of a failure is not the next lab’s', () => {
  const ledger = new Ledger(commands)
  // What was thrown where nobody waited, then what that made of the run; then the process ends.
  expect(play(ledger, started('a'), failed('thrown'), failed('connection terminated'))).toEqual(['a: thrown'])
  expect(told(ledger.processEnded(ended))).toEqual([])
  expect(ledger.rest.map(({ id }) => id)).toEqual(['b', 'c'])
})

test('a lab that did not begin has failed when the one after it begins', () => {
  const ledger = new Ledger(commands)
  expect(play(ledger, started('a'), result('a'), failed('disk full'), started('c'))).toEqual(['a', 'b: disk full'])
})

test('processes that only die come to an end', () => {
  const ledger = new Ledger(commands)
  const outcomes: string[] = []
  for (let processes = 0; ledger.rest.length > 0 && processes < 10; processes++) {
    outcomes.push(...told(ledger.processEnded(ended)))
  }
  expect(outcomes).toEqual(['a: exit 1', 'b: exit 1', 'c: exit 1'])
})
