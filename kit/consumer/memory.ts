/** Consumer groups over memory. */
import { causeOf } from '../core/cause.ts'
import type { MemoryDatabase, MemoryTransaction } from '../database/memory.ts'
import { groupBy } from '../core/collections.ts'
import type {
  Cursor,
  CursorStore,
  GroupReader,
  LaneRef,
  ParkedCause,
  ParkedKey,
  ParkedMessage,
  ParkedSummary,
} from './port.ts'

interface StoredCursor extends Cursor {
  readonly halted: string | null
}

interface StoredParked extends ParkedMessage {
  readonly parkedAt: number
}

const tables = (schema: string) => ({ cursors: `${schema}.cursors`, parked: `${schema}.parked` })
const cursorKey = (group: string, { source, lane }: LaneRef): string => `${group}/${source}/${lane}`
const parkedKey = (group: string, message: ParkedMessage): string => `${cursorKey(group, message)}/${message.position}`
const cursorOf = ({ halted: _, ...cursor }: StoredCursor): Cursor => cursor
const messageOf = ({ parkedAt: _, ...message }: StoredParked): ParkedMessage => message
const inOrder = (a: ParkedMessage, b: ParkedMessage): number => a.position - b.position

export function memoryCursors(schema: string): (tx: MemoryTransaction) => CursorStore {
  const { cursors, parked } = tables(schema)
  return (tx) => {
    const parkedOf = (group: string, wanted: (message: StoredParked) => boolean): StoredParked[] => {
      const found: StoredParked[] = []
      for (const [key, row] of tx.scan(parked)) {
        if (key.startsWith(`${group}/`) && wanted(row as StoredParked)) found.push(row as StoredParked)
      }
      return found.toSorted(inOrder)
    }
    return {
      lock: (group, lanes) =>
        tx.run(() => {
          const locked: Cursor[] = []
          for (const lane of lanes) {
            const key = cursorKey(group, lane)
            if (!tx.get(cursors, key) || !tx.tryLock(cursors, key)) continue
            const cursor = tx.get(cursors, key) as StoredCursor
            if (cursor.halted === null) locked.push(cursorOf(cursor))
          }
          return locked
        }),
      lockOne: (group, lane) =>
        tx.run(async () => {
          const key = cursorKey(group, lane)
          if (!tx.get(cursors, key)) return undefined
          await tx.lock(cursors, key)
          return cursorOf(tx.get(cursors, key) as StoredCursor)
        }),
      parkedKeys: (group, lanes) =>
        tx.run(() => {
          const wanted = new Set(lanes.map((lane) => cursorKey(group, lane)))
          const found = parkedOf(group, (message) => wanted.has(cursorKey(group, message)))
          return [...groupBy(found, ({ source, key }) => `${source}/${key}`).values()].map(([first]) => ({
            source: first!.source,
            key: first!.key,
          }))
        }),
      move: (group, moved, newlyParked) =>
        tx.run(() => {
          for (const cursor of moved) {
            const key = cursorKey(group, cursor)
            tx.put(cursors, key, { ...(tx.get(cursors, key) as StoredCursor), ...cursor })
          }
          for (const message of newlyParked)
            tx.put(parked, parkedKey(group, message), { ...message, parkedAt: message.at })
        }),
      parkedMessages: (group, { source, key }, limit) =>
        tx.run(() =>
          parkedOf(group, (m) => m.source === source && m.key === key)
            .slice(0, limit)
            .map(messageOf),
        ),
      unpark: (group, lane, removedIds, failed) =>
        tx.run(() => {
          const removed = new Set(removedIds)
          const errors = new Map(failed.map((message) => [message.id, message.error]))
          const key = cursorKey(group, lane)
          const cursor = tx.get(cursors, key) as StoredCursor
          let gone = 0
          for (const message of parkedOf(group, (m) => m.source === lane.source && m.lane === lane.lane)) {
            if (removed.has(message.id)) {
              tx.put(parked, parkedKey(group, message), undefined)
              gone++
            } else if (errors.has(message.id)) {
              tx.put(parked, parkedKey(group, message), { ...message, error: errors.get(message.id)! })
            }
          }
          tx.put(cursors, key, { ...cursor, parked: cursor.parked - gone })
        }),
    }
  }
}

export function memoryGroups(database: MemoryDatabase, schema: string): GroupReader {
  const names = tables(schema)
  const cursorsOf = (group: string): StoredCursor[] =>
    [...database.committed(names.cursors)]
      .filter(([key]) => key.startsWith(`${group}/`))
      .map(([, row]) => row as StoredCursor)
  const parkedOf = (group: string): StoredParked[] =>
    [...database.committed(names.parked)]
      .filter(([key]) => key.startsWith(`${group}/`))
      .map(([, row]) => row as StoredParked)
      .toSorted(inOrder)
  const summaries = (group: string): ParkedSummary[] =>
    [...groupBy(parkedOf(group), ({ source, key }) => `${source}/${key}`).values()].map(summary).toSorted(byKey)
  return {
    ensure: (group, sources, lanes) =>
      database.once((tx) =>
        tx.run(() => {
          for (const source of sources) {
            for (let lane = 0; lane < lanes; lane++) {
              const key = cursorKey(group, { source, lane })
              if (tx.get(names.cursors, key)) continue
              tx.put(names.cursors, key, { source, lane, position: 0, messageId: '', parked: 0, halted: null })
            }
          }
        }),
      ),
    cursors: async (group) =>
      cursorsOf(group)
        .filter((cursor) => cursor.halted === null)
        .map(cursorOf),
    halt: (group, forked) =>
      database.once((tx) =>
        tx.run(async () => {
          const key = cursorKey(group, forked)
          await tx.lock(names.cursors, key)
          const cursor = tx.get(names.cursors, key) as StoredCursor | undefined
          if (cursor?.halted !== null || cursor.position !== forked.position) return false
          tx.put(names.cursors, key, { ...cursor, halted: forked.reason })
          return true
        }),
      ),
    halted: async (group) =>
      cursorsOf(group).flatMap(({ source, lane, position, halted }) =>
        halted === null ? [] : [{ source, lane, position, reason: halted }],
      ),
    parked: async (group, limit, { cause, after } = {}) =>
      summaries(group)
        .filter((key) => (cause === undefined || key.cause === cause) && (!after || byKey(after, key) < 0))
        .slice(0, limit),
    parkedCauses: async (group) =>
      [...groupBy(summaries(group), ({ cause }) => cause).values()].map(causeIn).toSorted(mostKeys),
    parkedKey: async (group, key) => summaries(group).find((found) => byKey(found, key) === 0),
    parkedMessages: async (group, key, after, limit) =>
      parkedOf(group)
        .filter((message) => byKey(message, key) === 0 && message.position > after)
        .slice(0, limit)
        .map(messageOf),
  }
}

function byKey(a: ParkedKey, b: ParkedKey): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1
  return a.key === b.key ? 0 : a.key < b.key ? -1 : 1
}

function summary(messages: readonly StoredParked[]): ParkedSummary {
  const { source, key, lane, error, type, parkedAt } = messages[0]!
  return { source, key, lane, messages: messages.length, type, error, cause: causeOf(error), since: parkedAt }
}

function causeIn(keys: readonly ParkedSummary[]): ParkedCause {
  const [{ cause, since, source, key, error }] = keys.toSorted((a, b) => a.since - b.since) as [ParkedSummary]
  const messages = keys.reduce((sum, each) => sum + each.messages, 0)
  return { cause, keys: keys.length, messages, oldest: since, example: { source, key, error } }
}

const mostKeys = (a: ParkedCause, b: ParkedCause): number =>
  b.keys - a.keys || a.oldest - b.oldest || (a.cause < b.cause ? -1 : 1)
