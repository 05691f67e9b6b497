/** Consumer groups over memory. */
import type { MemoryDatabase, MemoryTransaction } from '../database/memory.ts'
import { groupBy } from '../core/collections.ts'
import type { Cursor, CursorStore, GroupReader, LaneRef, ParkedMessage } from './port.ts'

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
    async parked(group, limit) {
      const mine = [...database.committed(names.parked)].filter(([key]) => key.startsWith(`${group}/`))
      const rows = mine.map(([, row]) => row as StoredParked).toSorted(inOrder)
      return [...groupBy(rows, ({ source, key }) => `${source}/${key}`).values()].slice(0, limit).map((messages) => {
        const { source, key, lane, error, type, parkedAt } = messages[0]!
        return { source, key, lane, error, type, since: parkedAt, messages: messages.length }
      })
    },
  }
}
