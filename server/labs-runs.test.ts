/** The bookkeeping of runs, with a program that does what it is told. */
import { beforeEach, expect, test } from 'vitest'
import { hours, minutes } from '@cauce/kit/core/clock'
import { ManualTime } from '@cauce/kit/core/manual-time'
import type { RunCommand } from '@cauce/labs/contract'
import { LabRuns } from './labs-runs.ts'
import type { LabEvent } from './labs-schemas.ts'

/** One process of the program, in our hands. */
interface Process {
  readonly tell: (event: LabEvent) => void
  /** It has gone; with what was wrong. */
  readonly end: (problem?: string) => void
  readonly fail: (error: Error) => void
  stops: number
}

let time: ManualTime
let processes: Process[]
let runs: LabRuns

beforeEach(() => {
  time = new ManualTime()
  processes = []
  let ids = 0
  runs = new LabRuns({
    ids: { draw: () => String(++ids).padStart(32, '0') },
    clock: time,
    timers: time,
    program: {
      start(_commands, tell) {
        let end = (_?: string) => {}
        let fail = (_: Error) => {}
        const ended = new Promise<string | undefined>((resolve, reject) => {
          end = resolve
          fail = reject
        })
        const process: Process = { tell, end, fail, stops: 0 }
        processes.push(process)
        return { ended, stop: () => void process.stops++ }
      },
    },
  })
})

const command: RunCommand = { id: 'transfer', seed: 3, size: 'small' }
const result = (verdict: 'pass' | 'fail'): LabEvent => ({
  type: 'result',
  result: { id: 'transfer', phase: 2, verdict, seed: 3, ms: 5, variants: [] },
})
const interrupted: LabEvent = { type: 'failed', code: 'interrupted', message: 'Interrupted' }
const begin = () => ({ run: runs.start(command), process: processes.at(-1)! })

test('it runs until its process has gone, also after the result', async () => {
  const { run, process } = begin()
  expect(run.show()).toMatchObject({ lab: 'transfer', status: 'running', seed: 3, size: 'small', finishedAt: null })
  process.tell(result('pass'))
  expect(run.show()).toMatchObject({ status: 'running', result: null })
  expect(runs.current).toBe(run)
  expect(() => runs.start(command)).toThrow('A lab runs')
  process.end()
  await run.ended
  expect(run.show()).toMatchObject({ status: 'passed', error: null, result: { verdict: 'pass' } })
  expect(runs.current).toBeUndefined()
  expect(time.pending).toBe(0)
  expect(runs.find(run.id)).toBe(run)
})

test.each<
  [what: string, events: readonly LabEvent[], problem: string | undefined, status: string, error: string | null]
>([
  ['a verdict against it', [result('fail')], undefined, 'failed', null],
  [
    'a lab that throws',
    [{ type: 'failed', code: 'broken', message: 'relation is missing' }],
    'It ended with 1.',
    'broken',
    'relation is missing',
  ],
  ['a process that dies', [], 'It ended with SIGKILL.', 'broken', 'It ended with SIGKILL.'],
  ['a process that says nothing', [], undefined, 'broken', 'It ended without a result'],
  ['the end of a process after its result', [result('pass')], 'It ended with SIGKILL.', 'passed', null],
])('%s', async (_what, events, problem, status, error) => {
  const { run, process } = begin()
  for (const event of events) process.tell(event)
  process.end(problem)
  await run.ended
  expect(run.show()).toMatchObject({ status, error })
  expect(run.event(run.told - 1)?.type).toBe(error === null ? 'result' : 'failed')
})

test('one that cannot be started is broken', async () => {
  const { run, process } = begin()
  process.fail(new Error('no program'))
  await run.ended
  expect(run.show()).toMatchObject({ status: 'broken', error: 'It did not start. no program' })
})

test('cancelled is what ended because it was told to; a result that was faster counts', async () => {
  for (const [events, status] of [
    [[interrupted], 'cancelled'],
    [[], 'cancelled'],
    [[result('pass')], 'passed'],
  ] as const) {
    const { run, process } = begin()
    run.stop()
    run.stop()
    expect(process.stops).toBe(1)
    for (const event of events) process.tell(event)
    expect(run.show().status).toBe('running')
    process.end('It ended with 130.')
    await run.ended
    expect(run.show().status).toBe(status)
    run.stop()
    expect(process.stops).toBe(1)
  }
})

test('one that does not end is ended after five minutes', async () => {
  const { run, process } = begin()
  await time.advance(minutes(5) - 1)
  expect(process.stops).toBe(0)
  await time.advance(1)
  expect(process.stops).toBe(1)
  process.tell(interrupted)
  process.end('It ended with 130.')
  await run.ended
  expect(run.show()).toMatchObject({ status: 'broken', error: expect.stringContaining('within 300 s') })
})

test('progress is thinned, its end is not, and nothing else; nothing comes after the last event', async () => {
  const { run, process } = begin()
  const seen: number[] = []
  run.watch(() => seen.push(run.told))
  for (let done = 1; done <= 100; done++) {
    process.tell({ type: 'progress', done, total: 100 })
    await time.advance(5)
  }
  const note: LabEvent = { type: 'note', variant: 'x', text: { en: 'x', es: 'x' } }
  process.tell(note)
  process.tell(note)
  process.tell(result('pass'))
  process.tell(note)
  process.end()
  await run.ended
  const events = Array.from({ length: run.told }, (_, index) => run.event(index)!)
  expect(events.map(({ type }) => type)).toEqual([
    ...Array.from({ length: 11 }, () => 'progress'),
    'note',
    'note',
    'result',
  ])
  expect(events[10]).toMatchObject({ done: 100 })
  expect(seen).toEqual([...events.map((_, index) => index + 1), run.told])
})

test('the last 20 are kept', async () => {
  const all = []
  for (let n = 0; n < 21; n++) {
    const { run, process } = begin()
    all.push(run)
    process.end()
    await run.ended
  }
  expect(all.filter(({ id }) => runs.find(id)).length).toBe(20)
  expect(runs.find(all[0]!.id)).toBeUndefined()
})

test('a key is kept for a day with its answer', async () => {
  const reply = { status: 202, headers: { location: '/x' }, body: '{}' }
  expect(runs.answered('key', 'this')).toEqual({ kind: 'fresh' })
  runs.keep('key', 'this', 'req-1', reply)
  expect(runs.answered('key', 'this')).toEqual({ kind: 'replayed', reply })
  expect(runs.answered('key', 'that')).toEqual({ kind: 'reused' })
  await time.advance(hours(24))
  expect(runs.answered('key', 'that')).toEqual({ kind: 'fresh' })
  for (let n = 0; n < 1000; n++) runs.keep(`key ${n}`, 'this', 'req-1', reply)
  expect([runs.answered('key', 'this').kind, runs.answered('key 0', 'this').kind]).toEqual(['fresh', 'replayed'])
})

test('when the server ends, the run is told to, and no other begins', async () => {
  const { process } = begin()
  runs.close()
  expect(process.stops).toBe(1)
  expect(runs.closed).toBe(true)
  expect(() => runs.start(command)).toThrow('the server ends')
})
