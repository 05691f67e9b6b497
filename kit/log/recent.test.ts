import { describe, expect, test } from 'vitest'
import { laneOf } from '../core/hash.ts'
import type { Message } from './message.ts'
import type { LogReader, PendingMessage } from './port.ts'
import { RecentMessages } from './recent.ts'

const LANES = 2
const keyIn = (lane: number) => ['a', 'b', 'c', 'd', 'e'].find((key) => laneOf(key, LANES) === lane)!
const written = (lane: number, id: string): PendingMessage => ({
  id,
  type: 'Said',
  key: keyIn(lane),
  data: { id },
  requestId: 'r',
  causeId: 'c',
  at: 1,
})

/** A log in memory that counts how often it is read, and what was kept of it. */
function world() {
  const lanes = new Map<number, Message[]>([
    [0, []],
    [1, []],
  ])
  const recent = new RecentMessages()
  let reads = 0
  let away = false
  const log: LogReader = {
    source: 'upstream',
    heads: async () => {
      if (away) throw new Error('away')
      return [...lanes].map(([lane, messages]) => ({ lane, head: messages.length }))
    },
    read: async (ranges, limit) => {
      reads++
      return ranges.flatMap(({ lane, from }) => lanes.get(lane)!.slice(from - 1)).slice(0, limit)
    },
  }
  const append = (lane: number, ...ids: string[]): PendingMessage[] => {
    const messages = ids.map((id) => written(lane, id))
    const stored = lanes.get(lane)!
    for (const message of messages) stored.push({ ...message, source: 'upstream', lane, position: stored.length + 1 })
    return messages
  }
  return {
    recent,
    reader: recent.reader(log),
    reads: () => reads,
    lanes,
    /** By another process. */
    append,
    /** By this one. */
    commit(lane: number, ...ids: string[]) {
      const messages = append(lane, ...ids)
      recent.add('upstream', messages, [{ lane, head: lanes.get(lane)!.length }], LANES)
    },
    goAway: (is: boolean) => (away = is),
  }
}

describe('recent messages', () => {
  test('are read as the log would give them, without asking it', async () => {
    const { reader, reads, lanes, commit } = world()
    commit(0, 'a', 'b')
    commit(1, 'x')
    commit(0, 'c')
    await reader.heads()
    const all = [...lanes.get(1)!, ...lanes.get(0)!.slice(1)]
    const ranges = [
      { lane: 1, from: 1 },
      { lane: 0, from: 2 },
    ]
    expect(await reader.read(ranges, 10)).toEqual(all)
    expect(await reader.read(ranges, 2)).toEqual(all.slice(0, 2))
    expect(await reader.read([{ lane: 0, from: 4 }], 2)).toEqual([])
    expect(reads()).toBe(0)
  })

  test('are asked of the log when one is missing: before, after, in between', async () => {
    const { reader, reads, lanes, append, commit } = world()
    append(0, 'a')
    commit(0, 'b')
    await reader.heads()
    expect(await reader.read([{ lane: 0, from: 1 }], 9)).toEqual(lanes.get(0))
    expect(await reader.read([{ lane: 0, from: 2 }], 9)).toEqual(lanes.get(0)!.slice(1))
    expect(reads()).toBe(1)
    append(0, 'c')
    await reader.heads()
    expect(await reader.read([{ lane: 0, from: 2 }], 9)).toEqual(lanes.get(0)!.slice(1))
    commit(0, 'd')
    await reader.heads()
    expect(await reader.read([{ lane: 0, from: 2 }], 9)).toEqual(lanes.get(0)!.slice(1))
    expect(reads()).toBe(3)
    expect(await reader.read([{ lane: 0, from: 4 }], 9)).toEqual(lanes.get(0)!.slice(3))
    expect(reads()).toBe(3)
  })

  test('before heads were told the log is asked', async () => {
    const { reader, reads, commit } = world()
    commit(0, 'a')
    await reader.read([{ lane: 0, from: 1 }], 9)
    expect(reads()).toBe(1)
  })

  test('of a log that went on from somewhere else are forgotten', async () => {
    const { recent, reader, reads, lanes, commit } = world()
    commit(0, 'a', 'b', 'c')
    lanes.get(0)!.splice(1)
    recent.add('upstream', [written(0, 'B')], [{ lane: 0, head: 2 }], LANES)
    lanes.get(0)!.push({ ...written(0, 'B'), source: 'upstream', lane: 0, position: 2 })
    await reader.heads()
    expect((await reader.read([{ lane: 0, from: 1 }], 9)).map(({ id }) => id)).toEqual(['a', 'B'])
    expect(reads()).toBe(1)
  })

  test('of a log that was away are forgotten', async () => {
    const { reader, reads, commit, goAway } = world()
    commit(0, 'a')
    goAway(true)
    await expect(reader.heads()).rejects.toThrow('away')
    goAway(false)
    await reader.heads()
    await reader.read([{ lane: 0, from: 1 }], 9)
    expect(reads()).toBe(1)
  })

  test('are bounded', async () => {
    const { reader, reads, commit } = world()
    for (let i = 0; i < 3000; i++) commit(0, `m${i}`)
    await reader.heads()
    await reader.read([{ lane: 0, from: 2900 }], 9)
    expect(reads()).toBe(0)
    await reader.read([{ lane: 0, from: 1500 }], 9)
    expect(reads()).toBe(1)
  })
})
