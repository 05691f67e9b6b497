/** Parked messages, over every storage: redriven in order under the lane's cursor, discarded one by one, never overtaken (I8). */
import { describe, expect, it } from 'vitest'
import { systemTimers } from '../core/clock.ts'
import { laneOf } from '../core/hash.ts'
import { discardParked, redriveKey, redriveKeys } from './redrive.ts'
import { actionOf } from '../operator/conformance.ts'
import { added, until, type Kind } from './testing.ts'
import { benchForEach, threeKeys, type Bench } from './testing-messages.ts'

const keyOf = (key: string) => ({ source: 'upstream', key })

const redrive = ({ pipeline, world }: Bench, key: string) =>
  redriveKey(pipeline, world.tally.transactions, 'tally', keyOf(key))

const redriveAll = ({ pipeline, world }: Bench, filter: Parameters<typeof redriveKeys>[1] = {}) => {
  const { transactions, groups } = world.tally
  return redriveKeys({ pipeline, transactions, groups, group: 'tally' }, filter)
}

const discard = ({ world }: Bench, key: string, ids?: readonly string[]) =>
  discardParked(world.tally.transactions, 'tally', keyOf(key), ids)

/** The parked messages of a key: their ids by `seq`, and their errors in order. */
async function parkedOf({ world }: Bench, key: string) {
  const work = await world.tally.transactions.begin()
  const messages = await work.cursors.parkedMessages('tally', keyOf(key), 1000)
  await work.rollback()
  const seqOf = (data: object) => (data as { seq: number }).seq
  return {
    seqs: messages.map(({ data }) => seqOf(data)),
    errors: messages.map(({ error }) => error),
    idOf: (seq: number) => messages.find(({ data }) => seqOf(data) === seq)!.id,
  }
}

/** How many parked messages each cursor counts, added up. */
async function countedAsParked({ world }: Bench): Promise<number> {
  const cursors = await world.tally.groups.cursors('tally')
  return cursors.reduce((sum, { parked }) => sum + parked, 0)
}

export function describeRedrive(kind: Kind): void {
  describe(`redrive over ${kind}`, () => {
    const current = benchForEach(kind)
    redriving(current)
    discarding(current)
    redrivingMany(current)
    telling(current)
    racing(current)
  })
}

function redriving(current: () => Bench): void {
  it('applies a cured key in order, and from then on its messages flow', async () => {
    const bench = current()
    bench.poison.add('a/2')
    await bench.send(added('a', 1), added('a', 2), added('a', 3), added('b', 1))
    await bench.drain()
    bench.poison.clear()
    expect(await redrive(bench, 'a')).toEqual({ applied: 2, error: undefined })
    expect(await bench.parked()).toEqual([])
    expect(await countedAsParked(bench)).toBe(0)
    await bench.send(added('a', 4))
    await bench.drain()
    expect(await bench.histories()).toEqual({ a: [1, 2, 3, 4], b: [1] })
    expect(await bench.counted()).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'b/1'])
  })

  it('keeps everything in its place when the first fails again, with the error it has now', async () => {
    const bench = current()
    bench.poison.add('a/1')
    await bench.send(added('a', 1), added('a', 2))
    await bench.drain()
    bench.inspect = ({ key, seq }) => {
      if (key === 'a' && seq === 1) throw new Error('still broken')
    }
    expect(await redrive(bench, 'a')).toEqual({ applied: 0, error: 'Error: still broken' })
    const { seqs, errors } = await parkedOf(bench, 'a')
    expect(seqs).toEqual([1, 2])
    expect(errors).toEqual(['Error: still broken', 'waits behind an earlier message of its key'])
    // What arrives now still parks behind.
    await bench.send(added('a', 3))
    await bench.drain()
    expect((await parkedOf(bench, 'a')).seqs).toEqual([1, 2, 3])
    bench.inspect = () => undefined
    expect(await redrive(bench, 'a')).toEqual({ applied: 3, error: undefined })
    expect(await bench.histories()).toEqual({ a: [1, 2, 3] })
  })

  it('keeps what it applied before the one that fails, and that one and all behind it parked', async () => {
    const bench = current()
    bench.poison.add('a/1').add('a/3')
    await bench.send(added('a', 1), added('a', 2), added('a', 3), added('a', 4))
    await bench.drain()
    bench.poison.delete('a/1')
    expect(await redrive(bench, 'a')).toEqual({ applied: 2, error: 'TypeError: poison a/3' })
    expect((await parkedOf(bench, 'a')).seqs).toEqual([3, 4])
    expect(await countedAsParked(bench)).toBe(2)
    expect(await bench.histories()).toEqual({ a: [1, 2] })
  })

  it('does the same when it is the database that refuses', async () => {
    const bench = current()
    bench.poison.add('a/1')
    await bench.send(added('a', 1), added('a', 2), added('a', 3, { amount: -9 }), added('a', 4))
    await bench.drain()
    bench.poison.clear()
    const { applied, error } = await redrive(bench, 'a')
    expect(applied).toBe(2)
    expect(error).toContain('23514')
    const { seqs, errors } = await parkedOf(bench, 'a')
    expect(seqs).toEqual([3, 4])
    expect(errors[0]).toContain('23514')
    expect(await bench.histories()).toEqual({ a: [1, 2] })
  })

  it('leaves other parked keys alone, of the same lane too', async () => {
    const bench = current()
    const { one, twin, other } = threeKeys(bench.world.lanes)
    for (const key of [one, twin, other]) bench.poison.add(`${key}/1`)
    await bench.send(...[one, twin, other].flatMap((key) => [added(key, 1), added(key, 2)]))
    await bench.drain()
    bench.poison.clear()
    expect(await redrive(bench, one)).toEqual({ applied: 2, error: undefined })
    expect((await bench.parked()).map(({ key }) => key).toSorted()).toEqual([twin, other].toSorted())
    const lane = laneOf(one, bench.world.lanes)
    const cursor = (await bench.world.tally.groups.cursors('tally')).find((found) => found.lane === lane)
    expect(cursor!.parked).toBe(2)
    expect(await redrive(bench, twin)).toEqual({ applied: 2, error: undefined })
  })

  it('finishes more than one transaction takes', async () => {
    const bench = current()
    bench.poison.add('a/1')
    const seqs = Array.from({ length: 250 }, (_, i) => i + 1)
    await bench.send(...seqs.map((seq) => added('a', seq)))
    await bench.drain()
    bench.poison.clear()
    expect(await redrive(bench, 'a')).toEqual({ applied: 250, error: undefined })
    expect(await bench.histories()).toEqual({ a: seqs })
  })

  it('has nothing to do for a key that has nothing parked', async () => {
    expect(await redrive(current(), 'nothing')).toEqual({ applied: 0, error: undefined })
    expect(await discard(current(), 'nothing', ['x'])).toBe(0)
  })
}

function discarding(current: () => Bench): void {
  const parkFour = async (bench: Bench) => {
    bench.poison.add('a/1')
    await bench.send(added('a', 1), added('a', 2), added('a', 3), added('a', 4), added('b', 1))
    await bench.drain()
  }

  it('takes one out of the middle; the rest stays in order behind the first', async () => {
    const bench = current()
    await parkFour(bench)
    const { idOf } = await parkedOf(bench, 'a')
    expect(await discard(bench, 'a', [idOf(3), 'unknown'])).toBe(1)
    expect((await parkedOf(bench, 'a')).seqs).toEqual([1, 2, 4])
    expect(await countedAsParked(bench)).toBe(3)
    expect(await bench.histories()).toEqual({ b: [1] })
    bench.poison.clear()
    expect(await redrive(bench, 'a')).toEqual({ applied: 3, error: undefined })
    expect(await bench.histories()).toEqual({ a: [1, 2, 4], b: [1] })
  })

  it('of the poison itself does not let what arrives overtake those that waited behind it', async () => {
    const bench = current()
    await parkFour(bench)
    const { idOf } = await parkedOf(bench, 'a')
    await discard(bench, 'a', [idOf(1)])
    await bench.send(added('a', 5))
    await bench.drain()
    expect((await parkedOf(bench, 'a')).seqs).toEqual([2, 3, 4, 5])
    expect(await redrive(bench, 'a')).toEqual({ applied: 4, error: undefined })
    expect(await bench.histories()).toEqual({ a: [2, 3, 4, 5], b: [1] })
  })

  it('of the last one unparks the key', async () => {
    const bench = current()
    bench.poison.add('a/1')
    await bench.send(added('a', 1))
    await bench.drain()
    const { idOf } = await parkedOf(bench, 'a')
    expect(await discard(bench, 'a', [idOf(1)])).toBe(1)
    await bench.send(added('a', 2))
    await bench.drain()
    expect(await bench.histories()).toEqual({ a: [2] })
  })

  it('removes nothing of another key', async () => {
    const bench = current()
    await parkFour(bench)
    bench.poison.add('c/1')
    await bench.send(added('c', 1))
    await bench.drain()
    const { idOf } = await parkedOf(bench, 'a')
    expect(await discard(bench, 'c', [idOf(2)])).toBe(0)
    expect((await parkedOf(bench, 'a')).seqs).toEqual([1, 2, 3, 4])
  })
}

function redrivingMany(current: () => Bench): void {
  const parkThree = async (bench: Bench) => {
    bench.poison.add('a/1').add('b/1').add('c/1')
    await bench.send(...['a', 'b', 'c'].flatMap((key) => [added(key, 1), added(key, 2)]))
    await bench.drain()
  }

  it('applies what is cured, and counts what fails again', async () => {
    const bench = current()
    await parkThree(bench)
    bench.poison.delete('a/1')
    bench.poison.delete('c/1')
    expect(await redriveAll(bench)).toEqual({ keys: 3, applied: 4, failed: 1, next: undefined })
    expect((await bench.parked()).map(({ key }) => key)).toEqual(['b'])
    expect(await bench.histories()).toEqual({ a: [1, 2], c: [1, 2] })
  })

  it('touches only the keys of the cause', async () => {
    const bench = current()
    await parkThree(bench)
    bench.poison.clear()
    const cause = 'TypeError: poison a/#'
    expect(await redriveAll(bench, { cause })).toEqual({ keys: 1, applied: 2, failed: 0, next: undefined })
    expect(await redriveAll(bench, { cause: 'another' })).toEqual({ keys: 0, applied: 0, failed: 0, next: undefined })
    expect((await bench.parked()).map(({ key }) => key)).toEqual(['b', 'c'])
  })

  it('does so many at a time, and tries each once although they fail again', async () => {
    const bench = current()
    const keys = Array.from({ length: 70 }, (_, i) => `k${1000 + i}`)
    for (const key of keys) bench.poison.add(`${key}/1`)
    await bench.send(...keys.map((key) => added(key, 1)))
    await bench.drain()
    const first = await redriveAll(bench)
    expect(first).toEqual({ keys: 50, applied: 0, failed: 50, next: { source: 'upstream', key: 'k1049' } })
    bench.poison.clear()
    const second = await redriveAll(bench, { after: first.next })
    expect(second).toEqual({ keys: 20, applied: 20, failed: 0, next: undefined })
  })
}

function telling(current: () => Bench): void {
  const actions = (bench: Bench) => bench.world.tally.actions.list(10)
  const parkTwo = async (bench: Bench) => {
    bench.poison.add('a/1')
    await bench.send(added('a', 1), added('a', 2))
    await bench.drain()
  }
  const discardTelling = (bench: Bench, key: string, fails = false) =>
    discardParked(bench.world.tally.transactions, 'tally', keyOf(key), undefined, async (work, discarded) => {
      await work.actions.record(actionOf('a1', { result: { discarded } }))
      if (fails) throw new Error('not told')
    })

  it('discards all of a key when no ids are given, and records it in the same transaction', async () => {
    const bench = current()
    await parkTwo(bench)
    await expect(discardTelling(bench, 'a', true)).rejects.toThrow('not told')
    expect((await parkedOf(bench, 'a')).seqs).toEqual([1, 2])
    expect(await actions(bench)).toEqual([])
    expect(await discardTelling(bench, 'a')).toBe(2)
    expect(await bench.parked()).toEqual([])
    expect(await countedAsParked(bench)).toBe(0)
    expect(await actions(bench)).toMatchObject([{ id: 'a1', result: { discarded: 2 } }])
  })

  it('records nothing when there was nothing to discard', async () => {
    const bench = current()
    expect(await discardTelling(bench, 'nothing')).toBe(0)
    expect(await actions(bench)).toEqual([])
  })
}

function racing(current: () => Bench): void {
  it('I8 keeps the order of a key while messages arrive, workers apply and others redrive the same key', async () => {
    const bench = current()
    const { one, twin } = threeKeys(bench.world.lanes)
    const last = 60
    // Poison at times: a redrive fails in the middle, and the key parks again after it had flowed.
    for (const seq of [3, 20, 21, 45]) bench.poison.add(`${one}/${seq}`)
    let working = true
    const repeatedly = async (work: () => Promise<unknown>) => {
      while (working) {
        await work()
        await systemTimers.sleep(0) // Memory never waits for the outside world: others would never have their turn.
      }
    }
    const worker = () => repeatedly(async () => bench.run(await bench.poll(8)))
    const redriver = () => repeatedly(() => redrive(bench, one))
    const jobs = [worker(), worker(), redriver(), redriver()]
    const healer = async () => {
      for (const seq of [3, 20, 21, 45]) {
        await until(`${seq} is parked`, async () => (await bench.parked()).length > 0)
        bench.poison.delete(`${one}/${seq}`)
        await until(`${seq} was applied`, async () => ((await bench.histories())[one] ?? []).includes(seq))
      }
    }
    const sender = async () => {
      for (let seq = 1; seq <= last; seq++) await bench.send(added(one, seq), added(twin, seq))
    }
    const all = Array.from({ length: last }, (_, i) => i + 1)
    await Promise.all([sender(), healer()])
    await until('everything was applied', async () => {
      const histories = await bench.histories()
      return histories[one]?.length === last && histories[twin]?.length === last
    }).finally(() => (working = false))
    await Promise.all(jobs)
    expect(await bench.histories()).toEqual({ [one]: all, [twin]: all })
    expect(await bench.counted()).toHaveLength(2 * last)
    expect(await countedAsParked(bench)).toBe(0)
  })

  it('applies once when two redrive at the same time, or redrive and discard', async () => {
    const bench = current()
    bench.poison.add('a/1')
    const seqs = Array.from({ length: 30 }, (_, i) => i + 1)
    await bench.send(...seqs.map((seq) => added('a', seq)))
    await bench.drain()
    const { idOf } = await parkedOf(bench, 'a')
    bench.poison.clear()
    const [first, second, discarded] = await Promise.all([
      redrive(bench, 'a'),
      redrive(bench, 'a'),
      discard(bench, 'a', [idOf(15)]),
    ])
    expect(first.applied + second.applied + discarded).toBe(30)
    const { a } = await bench.histories()
    expect(a).toEqual(discarded === 1 ? seqs.filter((seq) => seq !== 15) : seqs)
    expect(await bench.parked()).toEqual([])
  })
}
