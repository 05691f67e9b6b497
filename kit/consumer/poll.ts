/**
 * Finding work without locks. Looks at the heads first, so that an idle group costs one small statement per source, and
 * reads each lane that is ahead from the cursor's own message on, so that a rewound source is noticed (C1).
 *
 * What it calls forked must be true although nothing is locked, because a forked lane stops until an operator acts: cursors
 * are read before heads, and heads before messages. Then a head is never older than a cursor, however fast other workers
 * are, and everything up to the head can be read.
 */
import { groupBy } from '../core/collections.ts'
import type { Message } from '../log/message.ts'
import type { LaneHead, LogReader } from '../log/port.ts'
import type { Backlog, Cursor, Forked, GroupReader, Poll } from './port.ts'

/** Finds the next messages of a group. Lanes are visited from `start` on, so that several workers begin in different places. */
export async function poll(
  groups: GroupReader,
  group: string,
  readers: readonly LogReader[],
  limit: number,
  start: number,
): Promise<Poll> {
  const backlogs: Backlog[] = []
  const forked: Forked[] = []
  let more = false
  const cursors = await groups.cursors(group)
  const heads = await Promise.all(readers.map((reader) => reader.heads()))
  const found = await Promise.all(readers.map((reader, i) => pollSource(reader, heads[i]!, cursors, limit, start)))
  for (const one of found) {
    backlogs.push(...one.backlogs)
    forked.push(...one.forked)
    more ||= one.more
  }
  return { backlogs, forked, more }
}

async function pollSource(
  reader: LogReader,
  heads: readonly LaneHead[],
  cursors: readonly Cursor[],
  limit: number,
  start: number,
): Promise<Poll> {
  const { source } = reader
  const mine = new Map(cursors.filter((cursor) => cursor.source === source).map((cursor) => [cursor.lane, cursor]))
  const moved = heads.filter(({ lane, head }) => mine.has(lane) && mine.get(lane)!.position !== head)
  const forked: Forked[] = []
  const ahead: { cursor: Cursor; head: number }[] = []
  for (const { lane, head } of rotate(moved, start)) {
    const cursor = mine.get(lane)!
    if (head > cursor.position) ahead.push({ cursor, head })
    else forked.push(forkedAt(cursor, `the log ends at ${head}, the cursor stands at ${cursor.position}`))
  }
  if (ahead.length === 0) return { backlogs: [], forked, more: false }
  // Each range begins at the cursor's own message (C1), which takes a place of the limit.
  const ranges = ahead.map(({ cursor: { lane, position } }) => ({ lane, from: Math.max(position, 1) }))
  const most = limit + ranges.length
  const messages = await reader.read(ranges, most)
  const byLane = groupBy(messages, (message) => message.lane)
  const backlogs: Backlog[] = []
  for (const { cursor, head } of ahead) {
    const read = byLane.get(cursor.lane) ?? []
    // A read that was not cut short by its limit reached the head, or else the rest is missing.
    const problem = checkContinuity(cursor, read, messages.length < most ? head : 0)
    if (problem) forked.push(forkedAt(cursor, problem))
    else {
      const next = cursor.position === 0 ? read : read.slice(1)
      if (next.length > 0) backlogs.push({ source, lane: cursor.lane, messages: next })
    }
  }
  return { backlogs, forked, more: messages.length >= limit }
}

const forkedAt = ({ source, lane, position }: Cursor, reason: string): Forked => ({ source, lane, position, reason })

/** Undefined when `messages` start at the cursor, are dense and reach `head`; otherwise what is wrong. */
export function checkContinuity(cursor: Cursor, messages: readonly Message[], head = 0): string | undefined {
  const [first] = messages
  const last = messages.at(-1)?.position ?? 0
  if (last < head) return `the log ends at ${head}, but has nothing after ${Math.max(last, cursor.position)}`
  if (!first) return undefined
  if (cursor.position > 0 && (first.position !== cursor.position || first.id !== cursor.messageId)) {
    return `position ${cursor.position} was applied as message ${cursor.messageId}, the log has ${
      first.position === cursor.position ? first.id : `nothing before ${first.position}`
    }`
  }
  if (cursor.position === 0 && first.position !== 1) return `the log begins at ${first.position}, the cursor at 0`
  for (const [i, message] of messages.entries()) {
    if (message.position !== first.position + i) return `hole before position ${message.position}`
  }
  return undefined
}

function rotate<T>(items: readonly T[], start: number): T[] {
  const at = items.length === 0 ? 0 : start % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
