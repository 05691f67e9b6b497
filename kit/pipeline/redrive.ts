/**
 * Parked messages of one key as a source: applied again in order under the lane's cursor row, so nothing that arrives can
 * overtake. The first that fails again keeps itself and all behind it parked. The lane is the parked messages' own: under
 * another lane's cursor they would be applied but stay parked.
 */
import type { LaneRef, ParkedKey, ParkedMessage } from '../consumer/port.ts'
import type { Claim, Input, Result, Source } from './input.ts'
import { describe, messageInput, type MessageInput } from './messages.ts'
import type { Transactions, UnitOfWork } from './unit-of-work.ts'
import type { Pipeline } from './pipeline.ts'

const MOST = 100

interface Selection {
  readonly lane: LaneRef
  readonly key: ParkedKey
  readonly messages: readonly ParkedMessage[]
}

function redriveSource(group: string): Source<Selection> {
  return {
    kind: 'message',
    candidates: ({ messages }) => messages.map(messageInput),
    // One at a time when the database refuses something: the order within the key must hold.
    split: (selection) =>
      selection.messages.length > 1
        ? [
            { ...selection, messages: selection.messages.slice(0, 1) },
            { ...selection, messages: selection.messages.slice(1) },
          ]
        : undefined,
    async claim(work, { lane, key, messages }) {
      const cursor = await work.cursors.lockOne(group, lane)
      const parked = await work.cursors.parkedMessages(group, key, messages.length)
      // Only a prefix of what is parked now may be applied.
      const same = parked.filter((message, i) => message.id === messages[i]?.id)
      return new RedriveClaim(group, lane, cursor ? same : [])
    },
  }
}

class RedriveClaim implements Claim {
  readonly inputs: readonly MessageInput[]
  readonly #group: string
  readonly #lane: LaneRef
  #failed = false

  constructor(group: string, lane: LaneRef, messages: readonly ParkedMessage[]) {
    this.#group = group
    this.#lane = lane
    this.inputs = messages.map(messageInput)
  }

  admits(): boolean {
    return !this.#failed
  }

  refused(_input: Input): void {
    this.#failed = true
  }

  settle(work: UnitOfWork, results: readonly Result[]): Promise<void> {
    const applied = results
      .filter((result) => result.kind === 'decided')
      .map(({ input }) => (input as MessageInput).message.id)
    const failed = results.flatMap((result) =>
      result.kind === 'aside' ? [{ ...(result.input as MessageInput).message, error: describe(result.error) }] : [],
    )
    return work.cursors.unpark(this.#group, this.#lane, applied, failed)
  }
}

export interface Redriven {
  readonly applied: number
  /** The error of the message that failed again, when one did. */
  readonly error: string | undefined
}

/** Applies the parked messages of a key until none remain or one fails again. */
export async function redriveKey(
  pipeline: Pipeline,
  transactions: Transactions,
  group: string,
  key: ParkedKey,
): Promise<Redriven> {
  let applied = 0
  for (;;) {
    const messages = await inTransaction(transactions, (work) => work.cursors.parkedMessages(group, key, MOST))
    const [first] = messages
    if (!first) return { applied, error: undefined }
    const results = await pipeline.run(redriveSource(group), { lane: first, key, messages })
    applied += results.filter((result) => result.kind === 'decided').length
    const failed = results.find((result) => result.kind === 'aside')
    if (failed) return { applied, error: describe(failed.error) }
  }
}

/** Removes parked messages of a key without applying them. Gives how many of the ids there were. */
export async function discardParked(
  transactions: Transactions,
  group: string,
  key: ParkedKey,
  ids: readonly string[],
): Promise<number> {
  return inTransaction(transactions, async (work) => {
    await work.begun
    const [first] = await work.cursors.parkedMessages(group, key, 1)
    if (!first) return 0
    await work.cursors.lockOne(group, first)
    const parked = await work.cursors.parkedMessages(group, key, Number.MAX_SAFE_INTEGER)
    const present = parked.filter((message) => ids.includes(message.id)).map((message) => message.id)
    await work.cursors.unpark(group, first, present, [])
    return present.length
  })
}

async function inTransaction<T>(transactions: Transactions, run: (work: UnitOfWork) => Promise<T>): Promise<T> {
  const work = await transactions.begin()
  try {
    const result = await run(work)
    await work.commit()
    return result
  } catch (error) {
    await work.rollback()
    throw error
  }
}
