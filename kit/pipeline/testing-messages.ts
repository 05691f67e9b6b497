/**
 * Messages as a source, over every storage: applied once however often they are found, parked when they are poison, in order
 * per key, and never applied from a log that was rewound.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { poll } from '../consumer/poll.ts'
import type { Backlog } from '../consumer/port.ts'
import { laneOf } from '../core/hash.ts'
import type { Result } from './input.ts'
import { messageSource } from './messages.ts'
import type { Pipeline } from './pipeline.ts'
import { added, Chatter, counters, makePipeline, openWorld, send, tallyService, wholeLog } from './testing.ts'
import type { Addition, Counter, Kind, World } from './testing.ts'

/** A world with its group made, and one worker that is driven by hand. */
export class Bench {
  readonly world: World
  /** Additions whose decision throws, as `key/seq`. */
  readonly poison = new Set<string>()
  readonly pipeline: Pipeline

  private constructor(world: World) {
    this.world = world
    this.pipeline = makePipeline(world.tally, tallyService({ inspect: (addition) => this.inspect(addition) }))
  }

  static async over(world: World): Promise<Bench> {
    await world.tally.groups.ensure('tally', ['upstream'], world.lanes)
    return new Bench(world)
  }

  inspect({ key, seq }: Addition): void {
    if (this.poison.has(`${key}/${seq}`)) throw new TypeError(`poison ${key}/${seq}`)
  }

  send(...messages: Parameters<typeof send>[1][]): Promise<void> {
    return send(this.world.upstream, ...messages)
  }

  async poll(limit = 500): Promise<readonly Backlog[]> {
    const { backlogs, forked } = await poll(this.world.tally.groups, 'tally', [this.world.upstream.log], limit, 0)
    expect(forked).toEqual([])
    return backlogs
  }

  run(backlogs: readonly Backlog[]): Promise<readonly Result[]> {
    return this.pipeline.run(messageSource('tally'), backlogs)
  }

  /** Polls and applies until nothing is left. */
  async drain(): Promise<Result[]> {
    const results: Result[] = []
    for (let backlogs = await this.poll(); backlogs.length > 0; backlogs = await this.poll()) {
      results.push(...(await this.run(backlogs)))
    }
    return results
  }

  /** `{ a: [1, 2] }`: which additions were applied to each counter, in order. */
  async histories(): Promise<Record<string, readonly number[]>> {
    const rows: Counter[] = await this.world.tally.rows(counters)
    return Object.fromEntries(rows.map(({ key, history }) => [key, history]))
  }

  /** What tally said it has counted, as `key/seq`, sorted. */
  async counted(): Promise<string[]> {
    const log = await wholeLog(this.world.tally)
    return log.map(({ key, data }) => `${key}/${(data as Addition).seq}`).toSorted()
  }

  parked() {
    return this.world.tally.groups.parked('tally', 100)
  }
}

/** Gives each test a bench of its own. Registers the hooks. */
export function benchForEach(kind: Kind): () => Bench {
  let world: World
  let bench: Bench
  beforeAll(async () => {
    world = await openWorld(kind)
  })
  beforeEach(async () => {
    if (kind === 'postgres') await world.reset()
    else world = await openWorld(kind)
    bench = await Bench.over(world)
  })
  afterAll(() => world.close())
  return () => bench
}

/** Two keys of one lane and one of another. */
export function threeKeys(lanes: number): { one: string; twin: string; other: string } {
  const names = Array.from({ length: 200 }, (_, i) => `key${i}`)
  const [one] = names as [string]
  const twin = names.find((name) => name !== one && laneOf(name, lanes) === laneOf(one, lanes))!
  const other = names.find((name) => laneOf(name, lanes) !== laneOf(one, lanes))!
  return { one, twin, other }
}

const kinds = (results: readonly Result[]) => results.map(({ kind }) => kind)

export function describeMessages(kind: Kind): void {
  describe(`messages over ${kind}`, () => {
    const current = benchForEach(kind)
    effectOnce(current)
    poisonThatThrows(current)
    poisonThatTheDatabaseRefuses(current)
    whoIsToBlame(current)
  })
}

function effectOnce(current: () => Bench): void {
  it('I5 I8 applies every message of every lane, in order per key, and says so in its own log', async () => {
    const bench = current()
    await bench.send(added('a', 1), added('b', 1), added('a', 2), added('c', 1), added('a', 3))
    await bench.drain()
    expect(await bench.histories()).toEqual({ a: [1, 2, 3], b: [1], c: [1] })
    expect(await bench.counted()).toEqual(['a/1', 'a/2', 'a/3', 'b/1', 'c/1'])
  })

  it('derives what it makes: ids of the message and its place, the request of the first cause, one `now` for a batch', async () => {
    const bench = current()
    await bench.send(added('a', 1), added('a', 2))
    await bench.drain()
    const [cause] = await wholeLog(bench.world.upstream)
    const [first, second] = await wholeLog(bench.world.tally)
    expect(first).toMatchObject({ requestId: cause!.requestId, causeId: `upstream:${cause!.id}` })
    expect(first!.at).toBe(second!.at)
    expect(first!.at).toBeGreaterThanOrEqual(cause!.at)
  })

  it('moves the cursor past messages that mean nothing to the group, without a row changing', async () => {
    const bench = current()
    await bench.send(Chatter({ key: 'a' }), added('a', 1), Chatter({ key: 'a' }), Chatter({ key: 'b' }))
    expect(kinds(await bench.drain())).toEqual(['decided', 'decided', 'decided', 'decided'])
    expect(await bench.histories()).toEqual({ a: [1] })
    const cursors = await bench.world.tally.groups.cursors('tally')
    const heads = await bench.world.upstream.log.heads()
    expect(cursors.map(({ lane, position }) => ({ lane, head: position }))).toEqual(heads)
  })

  it('takes a rejection for an answer: the cursor moves, the rows stay', async () => {
    const bench = current()
    await bench.send(added('a', 1, { amount: 1001 }), added('a', 2))
    expect(kinds(await bench.drain())).toEqual(['decided', 'decided'])
    expect(await bench.histories()).toEqual({ a: [2] })
    expect(await bench.counted()).toEqual(['a/2'])
  })

  it('has its effect once when polls overlap, one after the other', async () => {
    const bench = current()
    await bench.send(added('a', 1), added('a', 2))
    const [early, late] = [await bench.poll(), await bench.poll()]
    expect(kinds(await bench.run(early))).toEqual(['decided', 'decided'])
    expect(await bench.run(late)).toEqual([])
    // One that was found before the first was applied, and holds more than it.
    await bench.send(added('a', 3))
    const longer = await bench.poll()
    const overlapping = longer.map((backlog) => ({ ...backlog, messages: [...late[0]!.messages, ...backlog.messages] }))
    expect(kinds(await bench.run(overlapping))).toEqual(['decided'])
    expect(await bench.histories()).toEqual({ a: [1, 2, 3] })
  })

  it('has its effect once when polls overlap, at the same time', async () => {
    const bench = current()
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    const finished = Promise.all(
      [1, 2, 3, 4].map(async () => {
        for (let round = 0; round < 12; round++) await bench.run(await bench.poll(20))
      }),
    )
    for (let seq = 1; seq <= 10; seq++) await bench.send(...keys.map((key) => added(key, seq)))
    await finished
    await bench.drain()
    const all = Array.from({ length: 10 }, (_, i) => i + 1)
    expect(await bench.histories()).toEqual(Object.fromEntries(keys.map((key) => [key, all])))
    expect(await bench.counted()).toHaveLength(60)
  })

  it('drops a backlog that no longer follows the cursor, or leads to it another way', async () => {
    const bench = current()
    await bench.send(added('a', 1), added('a', 2), added('a', 3))
    const [backlog] = await bench.poll()
    // Beyond the cursor: somebody set it back.
    expect(await bench.run([{ ...backlog!, messages: backlog!.messages.slice(1) }])).toEqual([])
    await bench.run([{ ...backlog!, messages: backlog!.messages.slice(0, 2) }])
    // The log was rewound after this was read, and grew differently: position 2 is not what was applied.
    const other = backlog!.messages.map((message) => ({ ...message, id: `other ${message.id}` }))
    expect(await bench.run([{ ...backlog!, messages: other }])).toEqual([])
    expect(await bench.histories()).toEqual({ a: [1, 2] })
  })
}

function poisonThatThrows(current: () => Bench): void {
  it('I8 parks with its error; later ones of its key park behind it; every other key flows', async () => {
    const bench = current()
    const { one, twin, other } = threeKeys(bench.world.lanes)
    bench.poison.add(`${one}/2`)
    await bench.send(added(one, 1), added(one, 2), added(twin, 1), added(one, 3), added(other, 1))
    await bench.drain()
    // In a later batch, too, and for messages that mean nothing to the group.
    await bench.send(added(one, 4), added(twin, 2), Chatter({ key: one }), added(other, 2))
    await bench.drain()
    expect(await bench.histories()).toEqual({ [one]: [1], [twin]: [1, 2], [other]: [1, 2] })
    const lane = laneOf(one, bench.world.lanes)
    const summary = {
      source: 'upstream',
      key: one,
      lane,
      type: 'Added',
      error: `TypeError: poison ${one}/2`,
      messages: 4,
    }
    expect(await bench.parked()).toMatchObject([summary])
    const cursor = (await bench.world.tally.groups.cursors('tally')).find((found) => found.lane === lane)
    expect(cursor).toMatchObject({ position: 7, parked: 4 })
  })

  it('leaves nothing of its decision behind', async () => {
    const bench = current()
    bench.poison.add('a/2')
    await bench.send(added('a', 1), added('a', 2), added('b', 1))
    const results = await bench.drain()
    expect(kinds(results).toSorted()).toEqual(['aside', 'decided', 'decided'])
    expect(await bench.counted()).toEqual(['a/1', 'b/1'])
  })

  it('parks what cannot even name its rows, and what a decision does to rows it did not name', async () => {
    const bench = current()
    const definition = tallyService()
    const [handler] = definition.messages
    const strange = {
      ...handler!,
      lock: (data: Addition) => {
        if (data.key === 'a') throw new RangeError('no such rows')
        return data.key === 'b' ? [] : [counters.key(data.key)]
      },
    }
    const pipeline = makePipeline(bench.world.tally, { ...definition, messages: [strange] })
    await bench.send(added('a', 1), added('b', 1), added('c', 1))
    await pipeline.run(messageSource('tally'), await bench.poll())
    expect(await bench.histories()).toEqual({ c: [1] })
    const errors = Object.fromEntries((await bench.parked()).map(({ key, error }) => [key, error]))
    expect(errors['a']).toBe('RangeError: no such rows')
    expect(errors['b']).toMatch(/^DecisionError: .*counters b/)
  })

  it('keeps an error that the database cannot store as text', async () => {
    const bench = current()
    const definition = tallyService({
      inspect: () => {
        throw new Error(`bell \u0007 nul \u0000 half \ud83d ${'long '.repeat(1000)}`)
      },
    })
    await bench.send(added('a', 1))
    const results = await makePipeline(bench.world.tally, definition).run(messageSource('tally'), await bench.poll())
    expect(kinds(results)).toEqual(['aside'])
    expect(await bench.parked()).toMatchObject([{ key: 'a', messages: 1 }])
  })
}

function whoIsToBlame(current: () => Bench): void {
  it('blames no message when the database does not write: nothing parks, nothing moves, and later all is well', async () => {
    const bench = current()
    const { world } = bench
    await bench.send(added('a', 1), added('b', 1))
    const backlogs = await bench.poll()
    if (world.memory) world.memory.refuseWrites = '53100'
    else await world.sql(fullDisk)
    await expect(bench.run(backlogs)).rejects.toMatchObject({ code: '53100' })
    if (world.memory) world.memory.refuseWrites = undefined
    else await world.sql('DROP FUNCTION tally.disk_full CASCADE')
    expect(await bench.parked()).toEqual([])
    expect(await bench.poll()).toEqual(backlogs)
    await bench.drain()
    expect(await bench.histories()).toEqual({ a: [1], b: [1] })
  })

  it('blames the source and the key: the same key of another log flows', async () => {
    const bench = current()
    const { tally, lanes } = bench.world
    // Tally reads its own log, too. What it says there means nothing to it.
    await tally.groups.ensure('tally', ['tally'], lanes)
    bench.poison.add('a/1')
    await bench.send(added('a', 1))
    await bench.drain()
    await bench.send(added('a', 2))
    await send(tally, added('a', 3))
    const { backlogs } = await poll(tally.groups, 'tally', [bench.world.upstream.log, tally.log], 500, 0)
    expect(kinds(await bench.run(backlogs)).toSorted()).toEqual(['decided', 'held'])
    expect(await bench.histories()).toEqual({ a: [3] })
    expect(await bench.parked()).toMatchObject([{ source: 'upstream', key: 'a', messages: 2 }])
  })
}

const fullDisk = `
  CREATE FUNCTION tally.disk_full() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
  CREATE TRIGGER disk_full BEFORE INSERT ON tally.counters FOR EACH ROW EXECUTE FUNCTION tally.disk_full()`

function poisonThatTheDatabaseRefuses(current: () => Bench): void {
  it('I8 parks alone, found in the middle of a batch, with what the database said', async () => {
    const bench = current()
    const keys = Array.from({ length: 12 }, (_, i) => `k${i}`)
    await bench.send(...keys.map((key) => added(key, 1)))
    await bench.send(added('k5', 2, { amount: -5 }), ...keys.map((key) => added(key, 3)))
    await bench.drain()
    const clean = keys.filter((key) => key !== 'k5').map((key) => [key, [1, 3]] as const)
    expect(await bench.histories()).toEqual({ ...Object.fromEntries(clean), k5: [1] })
    const [parked, ...rest] = await bench.parked()
    expect(rest).toEqual([])
    expect(parked).toMatchObject({ key: 'k5', messages: 2 })
    expect(parked!.error).toContain('23514')
    expect(parked!.error).toContain('counters_value')
    expect(await bench.counted()).toHaveLength(keys.length * 2 - 1)
  })

  it('parks alone when another row has what must be unique', async () => {
    const bench = current()
    await bench.send(added('a', 1, { badge: 'gold' }), added('b', 1), added('c', 1, { badge: 'gold' }), added('c', 2))
    await bench.drain()
    const histories = await bench.histories()
    const parked = await bench.parked()
    // Lanes are not ordered among each other: whoever came first wears it.
    const refused = parked[0]!.key
    expect(['a', 'c']).toContain(refused)
    expect(parked).toMatchObject([{ key: refused, messages: refused === 'c' ? 2 : 1 }])
    expect(parked[0]!.error).toContain('23505')
    expect(histories).toEqual(refused === 'c' ? { a: [1], b: [1] } : { b: [1], c: [1, 2] })
  })

  it('parks one of two that are fine alone and too much together, and what comes behind', async () => {
    const bench = current()
    await bench.send(added('a', 1, { amount: 5 }))
    await bench.drain()
    await bench.send(added('a', 2, { amount: -4 }), added('a', 3, { amount: -4 }), added('a', 4, { amount: 1 }))
    await bench.drain()
    expect(await bench.histories()).toEqual({ a: [1, 2] })
    expect(await bench.parked()).toMatchObject([{ key: 'a', messages: 2 }])
  })
}
