/**
 * The latest messages of logs, kept in the process that wrote them: its readers need not ask the database for what was in its
 * hands a moment ago. Most of a busy server's reading is of that kind.
 *
 * M1 What is kept was committed, and is dense in each lane. A read is answered from here only when all of it is here, up to the
 *    heads that the same reader was told; otherwise the log is asked.
 * M2 Heads are always asked of the log: others write it too. A lane that does not go on from what is kept is forgotten.
 * M3 When the log cannot be asked, everything of it is forgotten: it may come back as something else.
 */
import { laneOf } from '../core/hash.ts'
import { groupBy } from '../core/collections.ts'
import type { Message } from './message.ts'
import type { LaneHead, LaneRange, LogReader, PendingMessage } from './port.ts'

/** Of one lane. */
const MOST_KEPT = 128

export class RecentMessages {
  readonly #logs = new Map<string, Map<number, Message[]>>()

  /** What a committed transaction appended to the log of `source`, in its order, and the heads it moved to. */
  add(source: string, messages: readonly PendingMessage[], heads: readonly LaneHead[], lanes: number): void {
    const kept = this.#keptOf(source)
    const byLane = groupBy(messages, ({ key }) => laneOf(key, lanes))
    for (const { lane, head } of heads) {
      const appended = byLane.get(lane) ?? []
      const first = head - appended.length + 1
      const before = kept.get(lane)
      const last = before?.at(-1)?.position ?? 0
      const placed = appended.map(({ type, key, data, id, requestId, causeId, at }, i): Message => ({
        source,
        lane,
        position: first + i,
        id,
        type,
        key,
        data,
        requestId,
        causeId,
        at,
      }))
      if (before && first === last + 1) {
        before.push(...placed)
        if (before.length > 2 * MOST_KEPT) before.splice(0, before.length - MOST_KEPT)
      } else if (first > last) kept.set(lane, placed)
      else kept.delete(lane)
    }
  }

  /** The same log, read from here when it can be. */
  reader(log: LogReader): LogReader {
    const { source } = log
    const kept = this.#keptOf(source)
    let told: ReadonlyMap<number, number> = new Map()
    return {
      source,
      heads: async () => {
        try {
          const heads = await log.heads()
          told = new Map(heads.map(({ lane, head }) => [lane, head]))
          return heads
        } catch (error) {
          kept.clear()
          throw error
        }
      },
      read: async (ranges, limit) => readKept(kept, told, ranges, limit) ?? log.read(ranges, limit),
    }
  }

  #keptOf(source: string): Map<number, Message[]> {
    let kept = this.#logs.get(source)
    if (!kept) this.#logs.set(source, (kept = new Map<number, Message[]>()))
    return kept
  }
}

/** Undefined when something of it is not kept. */
function readKept(
  kept: ReadonlyMap<number, readonly Message[]>,
  told: ReadonlyMap<number, number>,
  ranges: readonly LaneRange[],
  limit: number,
): Message[] | undefined {
  const found: Message[] = []
  for (const { lane, from } of ranges) {
    if (found.length === limit) return found
    const messages = kept.get(lane)
    const [first] = messages ?? []
    const head = told.get(lane)
    if (!messages || !first || head === undefined) return undefined
    if (from < first.position || first.position + messages.length - 1 < head) return undefined
    const at = from - first.position
    found.push(...messages.slice(at, at + limit - found.length))
  }
  return found
}
