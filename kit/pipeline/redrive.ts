/**
 * Parked messages of one key as a source: applied again in order under the lane's cursor row, so nothing that arrives can
 * overtake. The first that fails again keeps itself and all behind it parked. The lane is the parked messages' own: under
 * another lane's cursor they would be applied but stay parked.
 */
import type { GroupReader, LaneRef, ParkedFilter, ParkedKey, ParkedMessage } from '../consumer/port.ts'
import type { Claim, Input, Result, Source } from './input.ts'
import { describe, messageInput, type MessageInput } from './messages.ts'
import { inTransaction, type Transactions, type UnitOfWork } from './unit-of-work.ts'
import type { Pipeline } from './pipeline.ts'

const MOST = 100
/** Of a redrive of many keys: a request should be answered within seconds. */
const MOST_KEYS = 50
const ENOUGH_MESSAGES = 2000

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

export interface RedrivenKeys {
  readonly keys: number
  readonly applied: number
  /** Keys whose next message failed again. */
  readonly failed: number
  /** Where to go on; undefined when all were tried. */
  readonly next: ParkedKey | undefined
}

export interface KeysOptions {
  readonly pipeline: Pipeline
  readonly transactions: Transactions
  readonly groups: GroupReader
  readonly group: string
}

/**
 * Redrives the keys of a group, one after the other, as many as can soon be done. Each is tried once: those that fail again
 * stay where they are. When the database goes away in the middle, what was done until then is the answer.
 */
export async function redriveKeys(options: KeysOptions, filter: ParkedFilter): Promise<RedrivenKeys> {
  const { pipeline, transactions, groups, group } = options
  const found = await groups.parked(group, MOST_KEYS + 1, filter)
  let { after } = filter
  let [keys, applied, failed] = [0, 0, 0]
  const told = (next: ParkedKey | undefined): RedrivenKeys => ({ keys, applied, failed, next })
  for (const { source, key } of found) {
    if (keys === MOST_KEYS || applied >= ENOUGH_MESSAGES) return told(after)
    try {
      const redriven = await redriveKey(pipeline, transactions, group, { source, key })
      applied += redriven.applied
      if (redriven.error !== undefined) failed++
    } catch (error) {
      if (keys === 0) throw error
      return told(after)
    }
    keys++
    after = { source, key }
  }
  return told(undefined)
}

/**
 * Removes parked messages of a key without applying them, all when no ids are given. Gives how many there were; `tell` is
 * asked to record it in the same transaction, unless there were none.
 */
export async function discardParked(
  transactions: Transactions,
  group: string,
  key: ParkedKey,
  ids: readonly string[] | undefined,
  tell?: (work: UnitOfWork, discarded: number) => Promise<void>,
): Promise<number> {
  return inTransaction(transactions, async (work) => {
    const [first] = await work.cursors.parkedMessages(group, key, 1)
    if (!first) return 0
    await work.cursors.lockOne(group, first)
    const parked = await work.cursors.parkedMessages(group, key, Number.MAX_SAFE_INTEGER)
    const present = parked.map(({ id }) => id).filter((id) => ids?.includes(id) ?? true)
    if (present.length === 0) return 0
    await work.cursors.unpark(group, first, present, [])
    await tell?.(work, present.length)
    return present.length
  })
}
