/** The soak with a program that does what it is told: what it counts, what it calls a deviation, how it goes on. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { minutes } from '../../kit/core/clock.ts'
import { ManualTime } from '../../kit/core/manual-time.ts'
import type { LabEvent as ToldEvent, RunCommand } from '../../labs/contract.ts'
import type { LabProgram } from '../../server/labs-program.ts'
import type { LabEvent } from '../../server/labs-schemas.ts'
import { durationOf, Progress } from './progress.ts'
import { batchesOf, soak } from './soak.ts'
import { deviationsOf, tableOf, type LabTally } from './tally.ts'

type Observed = 'fails' | 'holds'

function result(id: string, seed: number, naive: Observed = 'fails', fix: Observed = 'holds'): LabEvent {
  const variants = [
    { name: 'naive', expected: 'fails' as const, observed: naive, measured: { lost: 3 } },
    { name: 'lock', expected: 'holds' as const, observed: fix, measured: { lost: 0 } },
  ]
  const verdict = naive === 'fails' && fix === 'holds' ? 'pass' : 'fail'
  return { type: 'result', result: { id, phase: 1, verdict, seed, ms: 1, variants } }
}

/** What a process does with one of its commands: the events it tells, or its death. */
type Answer = (command: RunCommand, time: ManualTime) => readonly LabEvent[] | 'dies' | 'hangs'

async function soaked(answer: Answer, options: Partial<Parameters<typeof soak>[0]> = {}, left: readonly string[] = []) {
  const time = new ManualTime()
  const processes: number[][] = []
  const notes: string[] = []
  const stopping = new AbortController()
  const program = (directory: string): LabProgram => ({
    list: () => Promise.reject(new Error('not asked')),
    start(commands, tell) {
      processes.push(commands.map(({ seed }) => seed))
      let stop = () => {}
      const ended = (async () => {
        for (const command of commands) {
          await Promise.resolve()
          const { id, seed, size } = command
          tell({ type: 'started', id, seed, size, parameters: {}, variants: [] })
          const events = answer(command, time)
          if (events === 'dies') return 'It ended with SIGKILL.'
          if (events === 'hangs') {
            await new Promise<void>((resolve) => {
              stop = resolve
            })
            tell({ type: 'failed', code: 'interrupted', message: 'Interrupted' })
            return 'It ended with 130.'
          }
          events.forEach(tell)
        }
        for (const name of left) writeFileSync(join(directory, name), '')
        return undefined
      })()
      return { ended, stop: () => stop() }
    },
  })
  const all = { labs: ['a'], seeds: 0, smallSeeds: 3, from: 1, jobs: 1, ...options }
  const surroundings = { clock: time, timers: time, signal: stopping.signal, env: {}, program }
  let report: Awaited<ReturnType<typeof soak>> | undefined
  const running = soak(all, surroundings, { progress: () => {}, note: (line) => notes.push(line) })
  void running.then((done) => (report = done))
  while (!report) {
    await time.advance(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { ...report, processes, notes }
}

test('when all is as promised it says so', async () => {
  const { labs, deviations, processes } = await soaked(({ id, seed }) => [result(id, seed)], {
    labs: ['a', 'b'],
    seeds: 2,
  })
  expect(deviations).toEqual([])
  expect(processes).toEqual([
    [1, 2],
    [1, 2, 3],
    [1, 2],
    [1, 2, 3],
  ])
  const five = { yes: 5, of: 5 }
  expect(labs).toMatchObject(['a', 'b'].map((lab) => ({ lab, runs: 5, showed: five, held: five, deviations: 0 })))
})

test('a naive variant that gets away, a fix that does not hold, a lab that throws: each is told with its command', async () => {
  const { labs, deviations, notes } = await soaked(
    ({ id, seed, size }) => {
      if (seed === 7) return [result(id, seed, 'holds')]
      if (seed === 8) return [result(id, seed, 'fails', 'fails')]
      if (seed === 9) return [{ type: 'failed', code: 'broken', message: `${size}: no such table` }]
      return [result(id, seed)]
    },
    { from: 6, smallSeeds: 4 },
  )
  expect(deviations).toMatchObject([
    { seed: 7, what: 'naive did not show the failure: {"lost":3}', replay: 'npx cauce lab a --seed 7 --size small' },
    { seed: 8, what: 'lock did not hold: {"lost":0}', replay: 'npx cauce lab a --seed 8 --size small' },
    { seed: 9, what: 'small: no such table', replay: 'npx cauce lab a --seed 9 --size small' },
  ])
  expect(notes).toHaveLength(3)
  expect(labs).toMatchObject([{ runs: 4, showed: { yes: 2, of: 4 }, held: { yes: 2, of: 4 }, deviations: 3 }])
})

test('a process that dies costs the run in hand, and another goes on', async () => {
  const { labs, deviations, processes } = await soaked(({ id, seed }) => (seed === 2 ? 'dies' : [result(id, seed)]))
  expect(processes).toEqual([[1, 2, 3], [3]])
  expect(deviations).toMatchObject([{ seed: 2, what: 'It ended with SIGKILL.' }])
  expect(labs).toMatchObject([{ runs: 3, showed: { yes: 2, of: 3 } }])
})

test('what is thrown where nobody waits for it costs one run, and its echo none', async () => {
  const { deviations, processes } = await soaked(({ id, seed }) =>
    seed === 2
      ? [
          { type: 'failed', code: 'broken', message: 'thrown' },
          { type: 'failed', code: 'broken', message: 'connection terminated' },
        ]
      : [result(id, seed)],
  )
  expect(processes).toEqual([[1, 2, 3]])
  expect(deviations).toMatchObject([{ seed: 2, what: 'thrown' }])
  expect(deviations).toHaveLength(1)
})

test('one that hangs is ended', async () => {
  const { deviations, processes } = await soaked(({ id, seed }) => (seed === 2 ? 'hangs' : [result(id, seed)]))
  expect(processes).toEqual([[1, 2, 3], [3]])
  expect(deviations).toMatchObject([{ seed: 2, what: `it did not end within ${minutes(2) / 1000} s` }])
})

test('what is left behind is a deviation', async () => {
  const { deviations } = await soaked(({ id, seed }) => [result(id, seed)], {}, ['forgotten', 'labs/too', 'jiti'])
  expect(deviations).toMatchObject([{ lab: 'a', what: 'left behind: forgotten, labs/too' }])
})

test('limits of time and memory', () => {
  const outcome = {
    lab: 'a',
    size: 'default',
    seed: 4,
    ms: 15_001,
    peakBytes: 600 * 1024 * 1024,
    failure: undefined,
  } as const
  const { result: passed } = result('a', 4) as Extract<ToldEvent, { type: 'result' }>
  const found = deviationsOf({ ...outcome, result: passed })
  expect(found.map(({ what }) => what)).toEqual(['took 15.0 s, more than 15', 'took 600 MB of memory, more than 512'])
  expect(found[0]!.replay).toBe('npx cauce lab a --seed 4')
  expect(deviationsOf({ ...outcome, size: 'small', peakBytes: 0, result: passed })).toEqual([])
})

test('seeds are cut into batches', () => {
  const sizes = batchesOf({ labs: ['a'], seeds: 20, smallSeeds: 60, from: 5 }).map(({ size, seeds }) => [
    size,
    seeds[0],
    seeds.at(-1),
  ])
  expect(sizes).toEqual([
    ['default', 5, 24],
    ['small', 5, 29],
    ['small', 30, 54],
    ['small', 55, 64],
  ])
})

test('the rest is estimated from what is known', () => {
  const progress = new Progress(batchesOf({ labs: ['a', 'b'], seeds: 0, smallSeeds: 10, from: 1 }), 2)
  progress.add({ lab: 'a', size: 'small', ms: 1000 })
  progress.add({ lab: 'b', size: 'small', ms: 3000 })
  expect([progress.done, progress.total, progress.leftMs]).toEqual([2, 20, (9 * 1000 + 9 * 3000) / 2])
  expect([5_000, 600_000, 9_000_000].map(durationOf)).toEqual(['5 s', '10 min', '2 h 30 min'])
})

test('the table', () => {
  const tally: LabTally = {
    lab: 'transfer',
    runs: 120,
    showed: { yes: 120, of: 120 },
    held: { yes: 119, of: 120 },
    slowestMs: 4210,
    peakBytes: 230 * 1024 * 1024,
    deviations: 1,
  }
  const shown = tableOf([tally, { ...tally, lab: 'a', showed: { yes: 0, of: 0 }, slowestMs: null, peakBytes: 0 }])
  expect(shown.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['lab', 'runs', 'naive showed it', 'fixed held', 'slowest', 'memory', 'deviations'],
    expect.anything(),
    ['transfer', '120', '120/120', '119/120', '4.2 s', '230 MB', '1'],
    ['a', '120', '–', '119/120', '–', '–', '1'],
  ])
})
