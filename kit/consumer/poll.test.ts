import { describe, expect, it } from 'vitest'
import type { Message } from '../log/message.ts'
import type { LaneRange, LogReader } from '../log/port.ts'
import { cursorAt, messageAt } from './conformance.ts'
import { checkContinuity, poll } from './poll.ts'
import type { Cursor, GroupReader } from './port.ts'

const messages = (lane: number, from: number, to: number): Message[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => messageAt(lane, from + i))

describe('checkContinuity', () => {
  const at3 = cursorAt(0, 3)
  const cases: [
    what: string,
    cursor: Cursor,
    read: Message[],
    head: number | undefined,
    problem: string | undefined,
  ][] = [
    ['nothing was read because others came first', at3, [], undefined, undefined],
    ['begins with the first message', cursorAt(0, 0), messages(0, 1, 3), 3, undefined],
    ['begins with the message that was applied', at3, messages(0, 3, 5), 5, undefined],
    ['holds nothing new', at3, messages(0, 3, 3), undefined, undefined],
    ['goes beyond the head that was told', at3, messages(0, 3, 6), 5, undefined],
    [
      'has another message where the cursor stands',
      at3,
      [messageAt(0, 3, { id: 'x' }), messageAt(0, 4)],
      4,
      'position 3 was applied as message 0.3, the log has x',
    ],
    [
      'has no message where the cursor stands',
      at3,
      messages(0, 4, 5),
      5,
      'position 3 was applied as message 0.3, the log has nothing before 4',
    ],
    [
      'has the same message elsewhere',
      at3,
      [messageAt(0, 4, { id: '0.3' })],
      4,
      'position 3 was applied as message 0.3, the log has nothing before 4',
    ],
    ['does not begin at 1', cursorAt(0, 0), messages(0, 2, 3), 3, 'the log begins at 2, the cursor at 0'],
    ['has a hole', at3, [...messages(0, 3, 4), ...messages(0, 6, 7)], 7, 'hole before position 6'],
    ['has a hole right behind the cursor', at3, [messageAt(0, 3), messageAt(0, 5)], 5, 'hole before position 5'],
    ['gives a position twice', at3, [messageAt(0, 3), messageAt(0, 4), messageAt(0, 4)], 4, 'hole before position 4'],
    ['goes back', at3, [messageAt(0, 3), messageAt(0, 4), messageAt(0, 3)], undefined, 'hole before position 3'],
    ['ends before the head', at3, messages(0, 3, 4), 6, 'the log ends at 6, but has nothing after 4'],
    ['is empty although the head is ahead', at3, [], 6, 'the log ends at 6, but has nothing after 3'],
    [
      'is empty from the start although there is a head',
      cursorAt(0, 0),
      [],
      1,
      'the log ends at 1, but has nothing after 0',
    ],
  ]
  it.each(cases)('%s', (_, cursor, read, head, problem) => {
    expect(checkContinuity(cursor, read, head)).toBe(problem)
  })
})

/** A log of one message list per lane, and what was asked of it. */
function logOf(
  source: string,
  lanes: readonly (readonly Message[])[],
  heads = lanes.map((lane) => lane.at(-1)?.position ?? 0),
) {
  const asked: { ranges: readonly LaneRange[]; limit: number }[] = []
  const reader: LogReader = {
    source,
    heads: async () => heads.map((head, lane) => ({ lane, head })),
    async read(ranges, limit) {
      asked.push({ ranges, limit })
      return ranges.flatMap(({ lane, from }) => lanes[lane]!.filter(({ position }) => position >= from)).slice(0, limit)
    },
  }
  return { reader, asked }
}

const groupsAt = (...cursors: readonly Cursor[]) => ({ cursors: async () => cursors }) as unknown as GroupReader

describe('poll', () => {
  it('asks for nothing when every lane is at its head', async () => {
    const { reader, asked } = logOf('upstream', [messages(0, 1, 2), []])
    expect(await poll(groupsAt(cursorAt(0, 2), cursorAt(1, 0)), 'g', [reader], 10, 0)).toEqual({
      backlogs: [],
      forked: [],
      more: false,
    })
    expect(asked).toEqual([])
  })

  it('reads from the message at the cursor on, and gives what is behind it', async () => {
    const { reader, asked } = logOf('upstream', [messages(0, 1, 5), messages(1, 1, 2), messages(2, 1, 2)])
    const found = await poll(groupsAt(cursorAt(0, 3), cursorAt(1, 0), cursorAt(2, 2)), 'g', [reader], 10, 0)
    expect(asked).toEqual([
      {
        ranges: [
          { lane: 0, from: 3 },
          { lane: 1, from: 1 },
        ],
        limit: 12,
      },
    ])
    expect(found).toEqual({
      backlogs: [
        { source: 'upstream', lane: 0, messages: messages(0, 4, 5) },
        { source: 'upstream', lane: 1, messages: messages(1, 1, 2) },
      ],
      forked: [],
      more: false,
    })
  })

  it('begins with another lane each time, so that a lane that never ends leaves room for the others', async () => {
    const { reader } = logOf('upstream', [messages(0, 1, 9), messages(1, 1, 9), messages(2, 1, 9)])
    const groups = groupsAt(cursorAt(0, 0), cursorAt(1, 0), cursorAt(2, 0))
    const first = await Promise.all(
      [0, 1, 2, 3].map(async (start) => (await poll(groups, 'g', [reader], 6, start)).backlogs[0]?.lane),
    )
    expect(first).toEqual([0, 1, 2, 0])
  })

  it('says that there is more, and takes what its limit cut off for no hole', async () => {
    const { reader } = logOf('upstream', [messages(0, 1, 9), messages(1, 1, 9)])
    const { backlogs, forked, more } = await poll(groupsAt(cursorAt(0, 2), cursorAt(1, 0)), 'g', [reader], 4, 0)
    expect(backlogs).toEqual([{ source: 'upstream', lane: 0, messages: messages(0, 3, 7) }])
    expect(forked).toEqual([])
    expect(more).toBe(true)
  })

  it('C1 tells of the forked lane with its cursor, and still gives the others', async () => {
    const { reader } = logOf('upstream', [
      messages(0, 1, 2),
      messages(1, 1, 2),
      [messageAt(2, 1, { id: 'x' }), messageAt(2, 2)],
    ])
    const { backlogs, forked } = await poll(
      groupsAt(cursorAt(0, 5), cursorAt(1, 1), cursorAt(2, 1)),
      'g',
      [reader],
      10,
      0,
    )
    expect(backlogs).toEqual([{ source: 'upstream', lane: 1, messages: messages(1, 2, 2) }])
    expect(forked).toEqual([
      { source: 'upstream', lane: 0, position: 5, reason: 'the log ends at 2, the cursor stands at 5' },
      { source: 'upstream', lane: 2, position: 1, reason: 'position 1 was applied as message 2.1, the log has x' },
    ])
  })

  it('I13 notices that a lane lacks what its head tells of', async () => {
    const { reader } = logOf('upstream', [messages(0, 1, 2), []], [4, 3])
    const { backlogs, forked } = await poll(groupsAt(cursorAt(0, 1), cursorAt(1, 0)), 'g', [reader], 10, 0)
    expect(backlogs).toEqual([])
    expect(forked.map(({ lane, reason }) => [lane, reason])).toEqual([
      [0, 'the log ends at 4, but has nothing after 2'],
      [1, 'the log ends at 3, but has nothing after 0'],
    ])
  })

  it('keeps sources apart, and leaves out lanes that the group does not have or has halted', async () => {
    const { reader: upstream } = logOf('upstream', [messages(0, 1, 1), messages(1, 1, 1)])
    const { reader: other } = logOf('other', [
      [],
      messages(1, 1, 1).map((message) => ({ ...message, source: 'other' })),
    ])
    const groups = groupsAt(cursorAt(0, 0), cursorAt(1, 0, { source: 'other' }))
    const { backlogs } = await poll(groups, 'g', [upstream, other], 10, 0)
    expect(backlogs.map(({ source, lane }) => `${source}/${lane}`)).toEqual(['upstream/0', 'other/1'])
  })
})
