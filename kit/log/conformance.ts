/**
 * What every log must do. Positions are dense per lane (I13), nothing of a rolled back transaction is seen (I6), and a reader
 * that goes on from the last position it saw misses nothing, whoever commits first (I5).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { laneOf } from '../core/hash.ts'
import { integerBetween, pick, seeded } from '../core/prng.ts'
import type { Message } from './message.ts'
import type { LogReader, LogWriter, PendingMessage } from './port.ts'

/** A transaction with a log in it. */
export interface LogTransaction {
  readonly begun: Promise<number>
  readonly log: LogWriter
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** An empty log. */
export interface LogAdapter {
  readonly lanes: number
  readonly reader: LogReader
  begin(): Promise<LogTransaction>
  close(): Promise<void>
}

/** Messages of `key` as the pipeline makes them. Ids are `<key>.<n>`. */
export function pendingOf(key: string, ...numbers: readonly number[]): PendingMessage[] {
  return numbers.map((n) => ({
    id: `${key}.${n}`,
    type: 'Noted',
    key,
    data: { n },
    requestId: `request of ${key}`,
    causeId: `cause of ${key}`,
    at: 1_700_000_000_000 + n,
  }))
}

/** `count` keys of the given lane. */
export function keysOfLane(lane: number, lanes: number, count: number): string[] {
  const keys: string[] = []
  for (let i = 0; keys.length < count; i++) if (laneOf(`k${i}`, lanes) === lane) keys.push(`k${i}`)
  return keys
}

/** Reads a log to its end, from where it stopped the time before. Notices every hole and everything out of order. */
export class FollowingReader {
  readonly seen: Message[] = []
  readonly #reader: LogReader
  readonly #positions = new Map<number, number>()

  constructor(reader: LogReader) {
    this.#reader = reader
  }

  /** Gives the ids that are new, lane by lane. */
  async follow(limit = 10_000): Promise<string[]> {
    const heads = await this.#reader.heads()
    const ranges = heads.map(({ lane }) => ({ lane, from: (this.#positions.get(lane) ?? 0) + 1 }))
    const messages = await this.#reader.read(ranges, limit)
    for (const { lane, position } of messages) {
      const expected = (this.#positions.get(lane) ?? 0) + 1
      if (position !== expected) throw new Error(`lane ${lane}: position ${position} where ${expected} should be`)
      this.#positions.set(lane, position)
    }
    this.seen.push(...messages)
    return messages.map(({ id }) => id)
  }
}

async function append(log: LogAdapter, ...messages: readonly PendingMessage[]) {
  const tx = await log.begin()
  await tx.begun
  const heads = await tx.log.append(messages)
  await tx.commit()
  return heads
}

/** `open` gives an empty log each time. */
export function logConformance(name: string, open: () => Promise<LogAdapter>): void {
  describe(`the log over ${name}`, () => {
    let log: LogAdapter
    beforeAll(async () => {
      log = await open()
    })
    afterAll(() => log.close())
    // One log for all tests: each has keys of its own and looks at its own messages only.
    appending(() => log)
    visibility(() => log)
    concurrency(() => log)
  })
}

function appending(current: () => LogAdapter): void {
  it('begins empty, every lane at 0', async () => {
    const { reader, lanes } = current()
    expect(await reader.heads()).toEqual(Array.from({ length: lanes }, (_, lane) => ({ lane, head: 0 })))
    expect(await reader.read([{ lane: 0, from: 1 }], 10)).toEqual([])
  })

  it('I13 numbers each lane without a hole, in the order given, and tells the new heads', async () => {
    const log = current()
    const [a, b, c] = [
      keysOfLane(0, log.lanes, 2)[0]!,
      keysOfLane(0, log.lanes, 2)[1]!,
      keysOfLane(1, log.lanes, 1)[0]!,
    ]
    const heads = await append(log, ...pendingOf(a, 1), ...pendingOf(c, 1), ...pendingOf(b, 1), ...pendingOf(a, 2))
    expect(heads.toSorted((x, y) => x.lane - y.lane)).toEqual([
      { lane: 0, head: 3 },
      { lane: 1, head: 1 },
    ])
    const found = await log.reader.read([{ lane: 0, from: 1 }], 10)
    expect(found.map(({ id, position }) => [id, position])).toEqual([
      [`${a}.1`, 1],
      [`${b}.1`, 2],
      [`${a}.2`, 3],
    ])
    expect(await append(log, ...pendingOf(b, 2))).toEqual([{ lane: 0, head: 4 }])
    expect((await log.reader.heads()).slice(0, 2)).toEqual([
      { lane: 0, head: 4 },
      { lane: 1, head: 1 },
    ])
  })

  it('gives back what was appended, to the letter, and nothing that its writer changed later', async () => {
    const log = current()
    const [key] = keysOfLane(2, log.lanes, 1)
    const data = { text: 'ñ 漢 🜁 \u0000 "\\', nested: [{ deep: [1, -2.5, 1e21, null, true] }], empty: {} }
    const said = structuredClone(data)
    await append(log, { ...pendingOf(key!, 1)[0]!, data })
    data.nested.length = 0
    const [first] = await log.reader.heads().then(() => log.reader.read([{ lane: 2, from: 1 }], 1))
    expect(first).toEqual({ ...pendingOf(key!, 1)[0], data: said, source: log.reader.source, lane: 2, position: 1 })
  })

  it('reads ranges in the order given, from where they say, no more than the limit', async () => {
    const log = current()
    const [three, four] = [keysOfLane(3, log.lanes, 1)[0]!, keysOfLane(4, log.lanes, 1)[0]!]
    await append(log, ...pendingOf(three, 1, 2, 3), ...pendingOf(four, 1, 2, 3))
    const read = async (limit: number, ...ranges: [lane: number, from: number][]) =>
      (
        await log.reader.read(
          ranges.map(([lane, from]) => ({ lane, from })),
          limit,
        )
      ).map(({ lane, position }) => `${lane}:${position}`)
    expect(await read(10, [4, 2], [3, 1])).toEqual(['4:2', '4:3', '3:1', '3:2', '3:3'])
    expect(await read(3, [4, 2], [3, 1])).toEqual(['4:2', '4:3', '3:1'])
    expect(await read(10, [3, 4])).toEqual([])
    expect(await read(10)).toEqual([])
  })

  it('appends nothing for an empty list', async () => {
    const log = current()
    const before = await log.reader.heads()
    expect(await append(log)).toEqual([])
    expect(await log.reader.heads()).toEqual(before)
  })
}

function visibility(current: () => LogAdapter): void {
  it('I6 I13 shows nothing of a transaction before it commits, and nothing ever when it rolls back', async () => {
    const log = current()
    const reader = new FollowingReader(log.reader)
    await reader.follow()
    const [key] = keysOfLane(5, log.lanes, 1)
    const dropped = await log.begin()
    await dropped.begun
    await dropped.log.append(pendingOf(key!, 1, 2))
    expect(await reader.follow()).toEqual([])
    await dropped.rollback()
    expect(await reader.follow()).toEqual([])
    await append(log, ...pendingOf(key!, 3))
    expect(await reader.follow()).toEqual([`${key}.3`])
  })

  it('I5 hides no late commit: a writer begins first and commits last, readers look in between', async () => {
    const log = current()
    const [slow, quick] = keysOfLane(6, log.lanes, 2) as [string, string]
    const reader = new FollowingReader(log.reader)
    await reader.follow()
    const first = await log.begin()
    await first.begun
    await append(log, ...pendingOf(quick, 1))
    expect(await reader.follow()).toEqual([`${quick}.1`])
    await first.log.append(pendingOf(slow, 1))
    // The head is taken: whoever comes now waits for the slow one and stands behind it.
    const second = append(log, ...pendingOf(quick, 2))
    expect(await reader.follow()).toEqual([])
    await first.commit()
    await second
    expect(await reader.follow()).toEqual([`${slow}.1`, `${quick}.2`])
  })

  it('lets other lanes commit while one is held', async () => {
    const log = current()
    const [held, free] = [keysOfLane(6, log.lanes, 1)[0]!, keysOfLane(7, log.lanes, 1)[0]!]
    const holder = await log.begin()
    await holder.begun
    await holder.log.append(pendingOf(held, 10))
    expect(await append(log, ...pendingOf(free, 10))).toHaveLength(1)
    await holder.rollback()
  })
}

function concurrency(current: () => LogAdapter): void {
  it('I5 I13 stays dense and without deadlock while many write across lanes and readers follow', async () => {
    const log = current()
    const keys = Array.from({ length: log.lanes }, (_, lane) => keysOfLane(lane, log.lanes, 3)[2]!)
    const readers = [new FollowingReader(log.reader), new FollowingReader(log.reader)]
    await Promise.all(readers.map((reader) => reader.follow()))
    const before = readers[0]!.seen.length
    const committed = new Set<string>()
    let writing = true
    const write = async (writer: number) => {
      const random = seeded(writer, 'log')
      for (let n = 0; n < 25; n++) {
        const number = writer * 1000 + n
        const pending = Array.from(
          { length: integerBetween(random, 1, 5) },
          (_, i) => pendingOf(pick(random, keys), number * 10 + i)[0]!,
        )
        const tx = await log.begin()
        await tx.begun
        await tx.log.append(pending)
        if (random.next() < 0.2) await tx.rollback()
        else {
          await tx.commit()
          for (const { id } of pending) committed.add(id)
        }
      }
    }
    const following = readers.map(async (reader) => {
      while (writing) await reader.follow(7)
      while ((await reader.follow()).length > 0);
    })
    await Promise.all([1, 2, 3, 4].map(write)).finally(() => (writing = false))
    await Promise.all(following)
    for (const reader of readers) {
      expect(new Set(reader.seen.slice(before).map(({ id }) => id))).toEqual(committed)
      expect(reader.seen.length - before).toBe(committed.size)
    }
  })
}
