/** Several workers share a group's lanes. One dies and one stands still in the middle of its transaction: the others go on. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../core/clock.ts'
import { laneOf } from '../core/hash.ts'
import { messageSource } from './messages.ts'
import {
  added,
  makePipeline,
  openWorld,
  send,
  tallyService,
  until,
  type Site,
  type Sites,
  type World,
} from './testing.ts'
import { Worker } from './testing-consumer.ts'
import { Bench } from './testing-messages.ts'
import type { Transactions } from './unit-of-work.ts'

/** Transactions that stop once their rows are loaded, their cursors and rows locked, until they are told to go on. */
function pausing({ transactions }: Site): { transactions: Transactions; resume(): void } {
  let resume = () => {}
  const paused = new Promise<void>((resolve) => (resume = resolve))
  return {
    resume: () => resume(),
    transactions: {
      async begin() {
        const work = await transactions.begin()
        return {
          ...work,
          rows: {
            ...work.rows,
            async load(...args) {
              const rows = await work.rows.load(...args)
              await paused
              return rows
            },
          },
        }
      },
    },
  }
}

/** One key in each of the first `count` lanes. */
function keysOfLanes(count: number, lanes: number): string[] {
  const names = Array.from({ length: 500 }, (_, i) => `key${i}`)
  return Array.from({ length: count }, (_, lane) => names.find((name) => laneOf(name, lanes) === lane)!)
}

const standing = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`

describe('workers that share lanes', () => {
  let world: World
  let bench: Bench
  const opened: Sites[] = []
  beforeAll(async () => {
    world = await openWorld('postgres')
  })
  beforeEach(async () => {
    await world.reset()
    bench = await Bench.over(world)
  })
  afterAll(async () => {
    await Promise.all(opened.map((sites) => sites.close()))
    await world.close()
  })

  /** A process that takes all there is to do, and stands still with it. Resolves when it does. */
  const takeAndStop = async () => {
    const sites = await world.connect()
    opened.push(sites)
    const before = await world.sql(standing)
    const { transactions, resume } = pausing(sites.tally)
    const pipeline = makePipeline({ ...sites.tally, transactions }, tallyService())
    const ended = pipeline.run(messageSource('tally'), await bench.poll())
    const pid = await until('it stands still', async () => {
      const now = await world.sql(standing)
      return now.find((row) => before.every((other) => other['pid'] !== row['pid']))?.['pid'] as number | undefined
    })
    return { pid, ended, resume }
  }

  const startWorker = async () => {
    const sites = await world.connect()
    opened.push(sites)
    return new Worker(sites)
  }

  const seen = async (key: string, seq: number) => (await bench.histories())[key]?.includes(seq)

  it('go on with free lanes at once, with those of a dead one as soon as it is dead, of a paused one when its time is up', async () => {
    const [ofDead, ofPaused, free] = keysOfLanes(3, world.lanes) as [string, string, string]
    await send(world.upstream, added(ofDead, 1))
    const dying = await takeAndStop()
    await send(world.upstream, added(ofPaused, 1))
    const pausedAt = systemClock.monotonic()
    const paused = await takeAndStop()

    const worker = await startWorker()
    await send(world.upstream, added(free, 1))
    worker.wake.notify()
    await until('the free lane flows', () => seen(free, 1))
    expect(await bench.histories()).toEqual({ [free]: [1] })

    await world.sql('SELECT pg_terminate_backend($1)', [dying.pid])
    worker.wake.notify()
    await until('the lane of the dead one flows', () => seen(ofDead, 1))

    await until('the lane of the paused one flows', () => {
      worker.wake.notify()
      return seen(ofPaused, 1)
    })
    // Its session allows two seconds.
    expect(systemClock.monotonic() - pausedAt).toBeGreaterThan(1500)

    // Both wake up, find their connections gone, look again, and change nothing.
    dying.resume()
    paused.resume()
    expect(await dying.ended).toEqual([])
    expect(await paused.ended).toEqual([])
    expect(await bench.histories()).toEqual({ [ofDead]: [1], [ofPaused]: [1], [free]: [1] })
    expect(await bench.counted()).toHaveLength(3)
    expect(worker.errors).toEqual([])
    await worker.stop()
  })

  it('wait no longer than that for a paused one that holds the very rows they find next to free lanes', async () => {
    const [held, free] = keysOfLanes(2, world.lanes) as [string, string]
    await send(world.upstream, added(held, 1), added(free, 1))
    await bench.drain()
    await send(world.upstream, added(held, 2))
    const paused = await takeAndStop()
    const worker = await startWorker()
    await send(world.upstream, added(free, 2))
    await until('both lanes flow', async () => {
      worker.wake.notify()
      return (await seen(held, 2)) && (await seen(free, 2))
    })
    paused.resume()
    expect(await paused.ended).toEqual([])
    expect(await bench.histories()).toEqual({ [held]: [1, 2], [free]: [1, 2] })
    await worker.stop()
  })
})
