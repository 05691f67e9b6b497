/** The log over memory: the same lanes and dense positions, heads locked in lane order as the last act. */
import { laneOf } from '../core/hash.ts'
import type { MemoryDatabase, MemoryTransaction } from '../database/memory.ts'
import type { Message } from './message.ts'
import type { LaneHead, LogReader, LogWriter } from './port.ts'

const headsTable = (schema: string): string => `${schema}.lanes`
const laneTable = (schema: string, lane: number): string => `${schema}.messages.${lane}`

export function memoryLog(schema: string, lanes: number): (tx: MemoryTransaction) => LogWriter {
  return (tx) => ({
    append: (messages) =>
      tx.run(async () => {
        const touched = [...new Set(messages.map((m) => laneOf(m.key, lanes)))].toSorted((a, b) => a - b)
        const heads = new Map<number, number>()
        for (const lane of touched) {
          await tx.lock(headsTable(schema), String(lane))
          heads.set(lane, headOf(tx.get(headsTable(schema), String(lane))))
        }
        for (const pending of messages) {
          const lane = laneOf(pending.key, lanes)
          const position = heads.get(lane)! + 1
          heads.set(lane, position)
          // Through JSON and back, as through PostgreSQL: a decision must not share objects with its readers.
          const data = JSON.parse(JSON.stringify(pending.data)) as object
          const stored: Message = { ...pending, data, source: schema, lane, position }
          tx.put(laneTable(schema, lane), String(position), stored)
        }
        for (const [lane, head] of heads) tx.put(headsTable(schema), String(lane), { lane, head })
        return [...heads].map(([lane, head]) => ({ lane, head }))
      }),
  })
}

export function memoryLogReader(database: MemoryDatabase, source: string, lanes: number): LogReader {
  const heads = (): LaneHead[] =>
    Array.from({ length: lanes }, (_, lane) => ({
      lane,
      head: headOf(database.committed(headsTable(source)).get(String(lane))),
    }))
  return {
    source,
    heads: async () => heads(),
    async read(ranges, limit) {
      const found: Message[] = []
      for (const { lane, from } of ranges) {
        const messages = database.committed(laneTable(source, lane))
        const head = headOf(database.committed(headsTable(source)).get(String(lane)))
        for (let position = from; position <= head && found.length < limit; position++) {
          const message = messages.get(String(position))
          if (message) found.push(message as Message)
        }
      }
      return found
    },
  }
}

const headOf = (row: object | undefined): number => (row as LaneHead | undefined)?.head ?? 0
