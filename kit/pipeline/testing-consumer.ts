/**
 * The consumer group's worker, over every storage: it finds work by itself, stops where a log was rewound and nowhere else
 * (C1), and waits when the database does not serve.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { Forked, GroupReader } from '../consumer/port.ts'
import { systemTimers } from '../core/clock.ts'
import { laneOf } from '../core/hash.ts'
import { seeded } from '../core/prng.ts'
import { Signal } from '../core/signal.ts'
import type { LogReader } from '../log/port.ts'
import { runConsumer } from './consumer.ts'
import { makePipeline, tallyService, added, until, type Kind, type Sites } from './testing.ts'
import { benchForEach, threeKeys, type Bench } from './testing-messages.ts'

/** A worker that runs until it is stopped. */
export class Worker {
  readonly forked: Forked[] = []
  readonly errors: { error: Error; retryInMs: number }[] = []
  readonly wake = new Signal(systemTimers)
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>

  constructor(sites: Sites, { readers = [sites.upstream.log], seed = 1, definition = tallyService() } = {}) {
    this.#ended = runConsumer(
      {
        group: 'tally',
        groups: sites.tally.groups,
        readers,
        pipeline: makePipeline(sites.tally, definition),
        timers: systemTimers,
        random: seeded(seed, 'worker'),
        wake: this.wake,
        onForked: (forked) => this.forked.push(forked),
        onError: (error, retryInMs) => this.errors.push({ error, retryInMs }),
      },
      this.#stop.signal,
    )
  }

  /** Resolves when the transaction in hand is finished. */
  stop(): Promise<void> {
    this.#stop.abort()
    return this.#ended
  }
}

export function describeConsumer(kind: Kind): void {
  describe(`the worker of a group over ${kind}`, () => {
    const current = benchForEach(kind)
    const workers: Worker[] = []
    const start: StartWorker = (...args) => {
      const worker = new Worker(...args)
      workers.push(worker)
      return worker
    }
    afterEach(async () => void (await Promise.all(workers.splice(0).map((worker) => worker.stop()))))
    working(current, start)
    rewound(current, start)
  })
}

type StartWorker = (...args: ConstructorParameters<typeof Worker>) => Worker

function working(current: () => Bench, start: StartWorker): void {
  it('applies what is there, and what comes once it is told', async () => {
    const bench = current()
    await bench.send(added('a', 1))
    const worker = start(bench.world)
    await until('the first is applied', async () => (await bench.histories())['a'])
    await bench.send(added('a', 2), added('b', 1))
    worker.wake.notify()
    await until('the second is applied', async () => (await bench.histories())['b'])
    expect(await bench.histories()).toEqual({ a: [1, 2], b: [1] })
    expect(worker.errors).toEqual([])
  })

  it('finishes what is in hand when it is stopped', async () => {
    const bench = current()
    await bench.send(added('a', 1))
    const stops: Promise<void>[] = []
    const worker = start(bench.world, { definition: tallyService({ inspect: () => void stops.push(worker.stop()) }) })
    await until('it is stopped in the middle of a decision', () => stops.length > 0)
    await stops[0]
    expect(await bench.histories()).toEqual({ a: [1] })
  })

  it('shares the lanes with other workers, each message applied by one', async () => {
    const bench = current()
    const others = [await bench.world.connect(), await bench.world.connect()]
    const workers = others.map((sites, i) => start(sites, { seed: i }))
    const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
    for (let seq = 1; seq <= 10; seq++) {
      await bench.send(...keys.map((key) => added(key, seq)))
      for (const { wake } of workers) wake.notify()
    }
    await until('everything is counted', async () => (await bench.counted()).length >= 100)
    await Promise.all(workers.map((worker) => worker.stop()))
    const all = Array.from({ length: 10 }, (_, i) => i + 1)
    expect(await bench.histories()).toEqual(Object.fromEntries(keys.map((key) => [key, all])))
    expect(await bench.counted()).toHaveLength(100)
    await Promise.all(others.map((sites) => sites.close()))
  })

  it('takes no lane for forked that another worker moves while it looks', async () => {
    const bench = current()
    const { world } = bench
    const { groups } = world.tally
    // While this worker waits for its cursors, others append and apply: heads of before would be behind them.
    const slow: GroupReader = {
      ...groups,
      async cursors(group) {
        await bench.send(added('a', 1), added('b', 1))
        await bench.drain()
        return groups.cursors(group)
      },
    }
    const worker = start({ ...world, tally: { ...world.tally, groups: slow } })
    await until('it looked several times', async () => {
      worker.wake.notify()
      return (await bench.counted()).length >= 6
    })
    await worker.stop()
    expect(worker.forked).toEqual([])
    expect(await world.tally.groups.halted('tally')).toEqual([])
  })

  it('backs off and blames nobody while the database cannot be read', async () => {
    const bench = current()
    const { log } = bench.world.upstream
    let away = true
    const flaky: LogReader = {
      ...log,
      heads: () => (away ? Promise.reject(new Error('Connection terminated unexpectedly')) : log.heads()),
    }
    await bench.send(added('a', 1))
    const worker = start(bench.world, { readers: [flaky] })
    await until('it tried again', () => worker.errors.length >= 2)
    const [first, second] = worker.errors
    expect(second!.retryInMs).toBe(2 * first!.retryInMs)
    away = false
    await until('it goes on', async () => (await bench.histories())['a'])
    expect(await bench.parked()).toEqual([])
  })
}

function rewound(current: () => Bench, start: StartWorker): void {
  /** Applies three messages in one lane, and one in another. */
  const prepare = async () => {
    const bench = current()
    const { one, other } = threeKeys(bench.world.lanes)
    const lane = laneOf(one, bench.world.lanes)
    await bench.send(added(one, 1), added(one, 2), added(one, 3), added(other, 1))
    await bench.drain()
    return { bench, one, other, lane }
  }

  /** The lane halts with the reason and is reported, once; nothing more of it is applied; the other lane goes on. */
  const expectHalt = async ({ bench, one, other, lane }: Awaited<ReturnType<typeof prepare>>, reason: RegExp) => {
    const workers = [start(bench.world, { seed: 1 }), start(bench.world, { seed: 2 })]
    const reported = () => workers.flatMap(({ forked }) => forked)
    await until('the lane is reported', () => reported().length > 0)
    expect(reported()).toMatchObject([{ source: 'upstream', lane, reason: expect.stringMatching(reason) }])
    expect(await bench.world.tally.groups.halted('tally')).toEqual(reported())
    await bench.send(added(other, 2), added(one, 99))
    for (const { wake } of workers) wake.notify()
    await until('the other lane goes on', async () => (await bench.histories())[other]?.length === 2)
    await Promise.all(workers.map((worker) => worker.stop()))
    expect(await bench.histories()).toEqual({ [one]: [1, 2, 3], [other]: [1, 2] })
    expect(reported()).toHaveLength(1)
    expect(await bench.parked()).toEqual([])
    expect(workers.flatMap(({ errors }) => errors)).toEqual([])
  }

  it('C1 halts when the head is below the cursor', async () => {
    const state = await prepare()
    await state.bench.world.damage(state.lane, { drop: (position) => position > 1, head: 1 })
    await expectHalt(state, /^the log ends at 1, the cursor stands at 3$/)
  })

  it('C1 halts when the log is gone', async () => {
    const state = await prepare()
    await state.bench.world.damage(state.lane, { drop: () => true, head: 0 })
    await expectHalt(state, /^the log ends at 0, the cursor stands at 3$/)
  })

  it('C1 halts when the log was rewound and has grown past the cursor again', async () => {
    const state = await prepare()
    const { bench, one, lane } = state
    await bench.world.damage(lane, { drop: (position) => position > 1, head: 1 })
    await bench.send(added(one, 12), added(one, 13), added(one, 14))
    await expectHalt(state, /^position 3 was applied as message \w+, the log has \w+$/)
  })

  it('C1 applies nothing when it has grown exactly to the cursor, and halts once it grows on', async () => {
    const state = await prepare()
    const { bench, one, lane } = state
    await bench.world.damage(lane, { drop: (position) => position > 1, head: 1 })
    await bench.send(added(one, 12), added(one, 13))
    expect(await bench.drain()).toEqual([])
    await bench.send(added(one, 14))
    await expectHalt(state, /^position 3 was applied as message \w+, the log has \w+$/)
  })

  it('C1 halts when the message at the cursor is missing', async () => {
    const state = await prepare()
    const { bench, one, lane } = state
    await bench.send(added(one, 4))
    await bench.world.damage(lane, { drop: (position) => position === 3 })
    await expectHalt(state, /^position 3 was applied as message \w+, the log has nothing before 4$/)
  })

  it('I13 halts at a hole ahead, before applying anything behind it', async () => {
    const state = await prepare()
    const { bench, one, lane } = state
    await bench.send(added(one, 4), added(one, 5), added(one, 6))
    await bench.world.damage(lane, { drop: (position) => position === 5 })
    await expectHalt(state, /^hole before position 6$/)
  })

  it('I13 halts when the last messages are missing although the head tells of them', async () => {
    const state = await prepare()
    const { bench, one, lane } = state
    await bench.send(added(one, 4), added(one, 5))
    await bench.world.damage(lane, { drop: (position) => position > 4 })
    await expectHalt(state, /^the log ends at 5, but has nothing after 4$/)
  })
}
