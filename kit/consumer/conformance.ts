/**
 * What every adapter of consumer groups must do: cursors that are locked without waiting, moved and parked behind in one
 * transaction, halted at most once; and a poll that finds work, holes and rewound sources without locks (C1 to C3).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Message } from '../log/message.ts'
import type { CursorStore, Cursor, GroupReader, ParkedMessage } from './port.ts'

export interface GroupTransaction {
  readonly begun: Promise<number>
  readonly cursors: CursorStore
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** Groups of one consumer. Each test takes a group of its own. */
export interface GroupAdapter {
  readonly groups: GroupReader
  begin(): Promise<GroupTransaction>
  close(): Promise<void>
}

export const messageAt = (lane: number, position: number, rest: Partial<Message> = {}): Message => ({
  source: 'upstream',
  lane,
  position,
  id: `${lane}.${position}`,
  type: 'Noted',
  key: `key${lane}`,
  data: { position },
  requestId: 'request',
  causeId: 'cause',
  at: 1_700_000_000_000 + position,
  ...rest,
})

export const cursorAt = (lane: number, position: number, rest: Partial<Cursor> = {}): Cursor => ({
  source: 'upstream',
  lane,
  position,
  messageId: position === 0 ? '' : `${lane}.${position}`,
  parked: 0,
  ...rest,
})

const upstream = (lane: number) => ({ source: 'upstream', lane })
const laneNumbers = (cursors: readonly { lane: number }[]) => cursors.map(({ lane }) => lane)

interface Subject extends GroupAdapter {
  group: string
  /** Runs in a transaction and commits. */
  within<T>(run: (store: CursorStore) => Promise<T>): Promise<T>
  /** A transaction left open. */
  open(): Promise<GroupTransaction>
}

export function consumerConformance(name: string, open: () => Promise<GroupAdapter>): void {
  describe(`consumer groups over ${name}`, () => {
    const subject = { group: 'group0' } as Subject
    let count = 0
    beforeAll(async () => {
      Object.assign(subject, await open())
      subject.within = async (run) => {
        const tx = await subject.open()
        const result = await run(tx.cursors)
        await tx.commit()
        return result
      }
      subject.open = async () => {
        const tx = await subject.begin()
        await tx.begun
        return tx
      }
    })
    afterAll(() => subject.close())
    beforeEach(async () => {
      subject.group = `group${++count}`
      await subject.groups.ensure(subject.group, ['upstream'], 4)
    })
    cursors(subject)
    locks(subject)
    parking(subject)
    lookingAtParked(subject)
    halting(subject)
  })
}

function cursors(subject: Subject): void {
  it('begin before the first message, one per source and lane', async () => {
    const { groups, group } = subject
    await groups.ensure(group, ['upstream', 'other'], 2)
    expect((await groups.cursors(group)).filter(({ source }) => source === 'other')).toEqual([
      cursorAt(0, 0, { source: 'other' }),
      cursorAt(1, 0, { source: 'other' }),
    ])
    expect(await groups.cursors('nobody')).toEqual([])
  })

  it('stay where they are when they are ensured again', async () => {
    const { groups, group, within } = subject
    await within((store) => store.move(group, [cursorAt(1, 5)], []))
    await groups.ensure(group, ['upstream'], 6)
    const all = await groups.cursors(group)
    expect(all).toHaveLength(6)
    expect(all.find(({ lane }) => lane === 1)).toEqual(cursorAt(1, 5))
  })

  it('move with their transaction, or not at all', async () => {
    const { groups, group, within, open } = subject
    const dropped = await open()
    await dropped.cursors.move(group, [cursorAt(0, 3)], [{ ...messageAt(0, 3), error: 'no' }])
    await dropped.rollback()
    expect((await groups.cursors(group))[0]).toEqual(cursorAt(0, 0))
    expect(await groups.parked(group, 10)).toEqual([])
    await within((store) => store.move(group, [cursorAt(0, 3), cursorAt(2, 1)], []))
    expect(await groups.cursors(group)).toEqual([cursorAt(0, 3), cursorAt(1, 0), cursorAt(2, 1), cursorAt(3, 0)])
  })

  it('of other groups are left alone', async () => {
    const { groups, group, within } = subject
    await groups.ensure(`${group}b`, ['upstream'], 4)
    await within((store) => store.move(group, [cursorAt(0, 3)], [{ ...messageAt(0, 3), error: 'no' }]))
    expect((await groups.cursors(`${group}b`))[0]).toEqual(cursorAt(0, 0))
    expect(await groups.parked(`${group}b`, 10)).toEqual([])
    const keys = await within((store) => store.parkedKeys(`${group}b`, [upstream(0)]))
    expect(keys).toEqual([])
  })
}

function locks(subject: Subject): void {
  it('are had by one at a time; whoever comes second passes on without waiting', async () => {
    const { group, open } = subject
    const [first, second] = [await open(), await open()]
    expect(laneNumbers(await first.cursors.lock(group, [upstream(0), upstream(2)]))).toEqual([0, 2])
    expect(laneNumbers(await second.cursors.lock(group, [0, 1, 2, 3].map(upstream)))).toEqual([1, 3])
    await first.commit()
    expect(laneNumbers(await second.cursors.lock(group, [upstream(0)]))).toEqual([0])
    await second.rollback()
    const third = await open()
    expect(laneNumbers(await third.cursors.lock(group, [0, 1, 2, 3].map(upstream)))).toEqual([0, 1, 2, 3])
    await third.rollback()
  })

  it('give the cursor as it is now, not as it was seen', async () => {
    const { group, within, open } = subject
    const tx = await open()
    await within((store) => store.move(group, [cursorAt(0, 7)], []))
    expect(await tx.cursors.lock(group, [upstream(0)])).toEqual([cursorAt(0, 7)])
    await tx.rollback()
  })

  it('know no lane that was never made, and no halted one', async () => {
    const { groups, group, within } = subject
    await groups.halt(group, { ...upstream(1), position: 0, reason: 'test' })
    const locked = await within((store) => store.lock(group, [upstream(1), upstream(3), upstream(99)]))
    expect(laneNumbers(locked)).toEqual([3])
    expect(await within((store) => store.lockOne(group, upstream(99)))).toBeUndefined()
  })

  it('of one lane are waited for, and then show what the other did', async () => {
    const { group, open } = subject
    const [holder, waiter] = [await open(), await open()]
    await holder.cursors.lock(group, [upstream(0)])
    let had = false
    const waiting = waiter.cursors.lockOne(group, upstream(0)).then((cursor) => {
      had = true
      return cursor
    })
    await holder.cursors.move(group, [cursorAt(0, 4)], [])
    expect(had).toBe(false)
    await holder.commit()
    expect(await waiting).toEqual(cursorAt(0, 4))
    await waiter.rollback()
  })
}

const parkedAt = (lane: number, position: number, key: string, error = 'broken'): ParkedMessage => ({
  ...messageAt(lane, position, { key }),
  error,
})

const parkIn = ({ group, within }: Subject, messages: readonly ParkedMessage[]) =>
  within((store) => store.move(group, [cursorAt(0, 9, { parked: messages.length })], messages))

function parking(subject: Subject): void {
  const park = (...messages: readonly ParkedMessage[]) => parkIn(subject, messages)

  it('keeps a message whole, with its error', async () => {
    const message = { ...parkedAt(0, 1, 'a', 'Error: “ñ”\nat line 1'), data: { deep: [{ text: '\u0000' }] } }
    await park(message)
    const [found] = await subject.within((store) =>
      store.parkedMessages(subject.group, { source: 'upstream', key: 'a' }, 10),
    )
    expect(found).toEqual(message)
  })

  it('C2 gives the messages of a key in order of position, at most as many as asked for', async () => {
    await park(parkedAt(0, 10, 'a'), parkedAt(0, 2, 'a'), parkedAt(0, 3, 'b'), parkedAt(0, 9, 'a'))
    const positions = (limit: number) =>
      subject.within(async (store) => {
        const found = await store.parkedMessages(subject.group, { source: 'upstream', key: 'a' }, limit)
        return found.map(({ position }) => position)
      })
    expect(await positions(10)).toEqual([2, 9, 10])
    expect(await positions(2)).toEqual([2, 9])
  })

  it('names the keys with parked messages, once each, only of the lanes asked for', async () => {
    await park(parkedAt(0, 1, 'a'), parkedAt(0, 2, 'a'), parkedAt(0, 3, 'b'), parkedAt(1, 1, 'c'))
    const keys = await subject.within((store) => store.parkedKeys(subject.group, [upstream(0)]))
    expect(keys.map(({ key }) => key).toSorted()).toEqual(['a', 'b'])
  })

  it('removes by id, counts down by what was there, and rewrites the error of what failed again', async () => {
    const { group, groups, within } = subject
    await park(parkedAt(0, 1, 'a'), parkedAt(0, 2, 'a'), parkedAt(0, 3, 'a'))
    await within((store) => store.unpark(group, upstream(0), ['0.1', 'unknown'], [parkedAt(0, 2, 'a', 'still broken')]))
    expect((await groups.cursors(group))[0]).toEqual(cursorAt(0, 9, { parked: 2 }))
    const left = await within((store) => store.parkedMessages(group, { source: 'upstream', key: 'a' }, 10))
    expect(left.map(({ id, error }) => [id, error])).toEqual([
      ['0.2', 'still broken'],
      ['0.3', 'broken'],
    ])
  })

  it('touches no other lane', async () => {
    const { group, groups, within } = subject
    await park(parkedAt(0, 1, 'a'))
    await within((store) => store.unpark(group, upstream(1), ['0.1'], [parkedAt(0, 1, 'a', 'other')]))
    expect((await groups.cursors(group))[0]?.parked).toBe(1)
    expect((await groups.parked(group, 10))[0]?.error).toBe('broken')
  })

  it('sums up per key: the first error, how many, since when', async () => {
    const { group, groups } = subject
    await park(parkedAt(0, 5, 'b', 'second of b'), parkedAt(0, 2, 'b', 'first of b'), parkedAt(0, 3, 'a', 'of a'))
    const summary = (await groups.parked(group, 10)).toSorted((x, y) => (x.key < y.key ? -1 : 1))
    expect(summary).toMatchObject([
      { source: 'upstream', lane: 0, key: 'a', messages: 1, error: 'of a', type: 'Noted' },
      { source: 'upstream', lane: 0, key: 'b', messages: 2, error: 'first of b', type: 'Noted' },
    ])
    for (const { since } of summary) expect(since).toBeGreaterThan(1_600_000_000_000)
    expect(await groups.parked(group, 1)).toHaveLength(1)
  })
}

function lookingAtParked(subject: Subject): void {
  const park = (...messages: readonly ParkedMessage[]) => parkIn(subject, messages)
  const behind = 'waits behind an earlier message of its key'
  const parkThree = () =>
    park(
      parkedAt(0, 1, 'b', 'Error: 1 too few'),
      parkedAt(0, 2, 'b', behind),
      parkedAt(0, 3, 'a', 'TypeError: no row'),
      parkedAt(1, 1, 'c', 'Error: 2 too few'),
    )
  const keysOf = (found: readonly { key: string }[]) => found.map(({ key }) => key)

  it('gives the keys page by page, each once, also those of one cause', async () => {
    const { groups, group } = subject
    await parkThree()
    expect(keysOf(await groups.parked(group, 10))).toEqual(['a', 'b', 'c'])
    const first = await groups.parked(group, 2)
    expect(keysOf(first)).toEqual(['a', 'b'])
    expect(keysOf(await groups.parked(group, 2, { after: first[1] }))).toEqual(['c'])
    const cause = 'Error: # too few'
    expect(keysOf(await groups.parked(group, 10, { cause }))).toEqual(['b', 'c'])
    expect(keysOf(await groups.parked(group, 10, { cause, after: { source: 'upstream', key: 'b' } }))).toEqual(['c'])
    expect(await groups.parked(group, 10, { cause: behind })).toEqual([])
    expect(await groups.parked(group, 10, { after: { source: 'upstream', key: 'c' } })).toEqual([])
  })

  it('tells the causes, most keys first, by the first message of each key', async () => {
    const { groups, group } = subject
    await parkThree()
    const oldest = expect.any(Number)
    const example = { source: 'upstream', key: 'a', error: 'TypeError: no row' }
    const [few, row, ...others] = await groups.parkedCauses(group)
    expect(others).toEqual([])
    expect(few).toMatchObject({ cause: 'Error: # too few', keys: 2, messages: 3, oldest })
    expect(['b', 'c']).toContain(few!.example.key)
    expect(row).toEqual({ cause: 'TypeError: no row', keys: 1, messages: 1, oldest, example })
    expect(await groups.parkedCauses('nobody')).toEqual([])
  })

  it('follows the error of what failed again, and the message that is first now', async () => {
    const { groups, group, within } = subject
    await parkThree()
    await within((store) => store.unpark(group, upstream(0), [], [parkedAt(0, 3, 'a', 'Error: 3 too few')]))
    await within((store) => store.unpark(group, upstream(0), ['0.1'], []))
    expect(await groups.parkedKey(group, { source: 'upstream', key: 'a' })).toMatchObject({ cause: 'Error: # too few' })
    expect(await groups.parkedKey(group, { source: 'upstream', key: 'b' })).toMatchObject({
      cause: behind,
      messages: 1,
    })
  })

  it('shows one key: what is said of it in the list, and its messages page by page', async () => {
    const { groups, group } = subject
    await parkThree()
    const key = { source: 'upstream', key: 'b' }
    expect(await groups.parkedKey(group, key)).toEqual((await groups.parked(group, 10))[1])
    expect(await groups.parkedMessages(group, key, 0, 1)).toEqual([parkedAt(0, 1, 'b', 'Error: 1 too few')])
    expect(await groups.parkedMessages(group, key, 1, 10)).toEqual([parkedAt(0, 2, 'b', behind)])
    expect(await groups.parkedMessages(group, key, 2, 10)).toEqual([])
    expect(await groups.parkedKey(group, { source: 'other', key: 'b' })).toBeUndefined()
  })
}

function halting(subject: Subject): void {
  it('C1 stops a lane, keeps the first reason, and leaves the others', async () => {
    const { groups, group } = subject
    expect(await groups.halt(group, { ...upstream(2), position: 0, reason: 'first' })).toBe(true)
    expect(await groups.halt(group, { ...upstream(2), position: 0, reason: 'second' })).toBe(false)
    expect(await groups.halted(group)).toEqual([{ ...upstream(2), position: 0, reason: 'first' }])
    expect(laneNumbers(await groups.cursors(group))).toEqual([0, 1, 3])
  })

  it('does not stop a lane whose cursor has moved since it was looked at', async () => {
    const { groups, group, within } = subject
    await within((store) => store.move(group, [cursorAt(2, 5)], []))
    expect(await groups.halt(group, { ...upstream(2), position: 4, reason: 'seen at 4' })).toBe(false)
    expect(await groups.halted(group)).toEqual([])
  })

  it('waits for whoever holds the lane, and looks again', async () => {
    const { groups, group, open } = subject
    const holder = await open()
    await holder.cursors.lock(group, [upstream(2)])
    const halt = groups.halt(group, { ...upstream(2), position: 0, reason: 'seen at 0' })
    await holder.cursors.move(group, [cursorAt(2, 1)], [])
    await holder.commit()
    expect(await halt).toBe(false)
    expect(await groups.halted(group)).toEqual([])
  })
}
