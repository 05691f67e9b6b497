/**
 * Messages of a log as a source: the lanes' cursors are locked, what others applied meanwhile is dropped, and the cursors
 * move in the transaction that applies the messages.
 *
 * A message whose decision throws is parked with its error, and so is every later one of its (source, key): nothing of a key
 * overtakes, nothing is dropped, and no other key waits (I8).
 */
import { laneName, turnsOf } from '../consumer/next.ts'
import type { Backlog, Cursor, ParkedMessage } from '../consumer/port.ts'
import { groupBy, halve } from '../core/collections.ts'
import { storableText } from '../database/values.ts'
import type { Message } from '../log/message.ts'
import type { Claim, Input, Result, Source } from './input.ts'
import type { UnitOfWork } from './unit-of-work.ts'

export interface MessageInput extends Input {
  readonly message: Message
}

/** A message's id is unique in its own log only; the input's id names the source too. */
export const messageInput = (message: Message): MessageInput => ({
  id: `${message.source}:${message.id}`,
  kind: 'message',
  type: message.type,
  data: message.data,
  requestId: message.requestId,
  message,
})

const keyName = ({ source, key }: { source: string; key: string }): string => `${source}/${key}`

export function messageSource(group: string): Source<readonly Backlog[]> {
  return {
    kind: 'message',
    candidates: (selection) => selection.flatMap(({ messages }) => messages.map(messageInput)),
    split: splitBacklogs,
    async claim(work, selection) {
      const cursors = await work.cursors.lock(group, selection)
      const withParked = cursors.filter((cursor) => cursor.parked > 0)
      const parked = withParked.length > 0 ? await work.cursors.parkedKeys(group, withParked) : []
      return new MessageClaim(group, selection, cursors, parked.map(keyName))
    },
  }
}

function splitBacklogs(selection: readonly Backlog[]): readonly [Backlog[], Backlog[]] | undefined {
  if (selection.length > 1) return halve(selection)
  const [only] = selection
  if (!only || only.messages.length < 2) return undefined
  const [first, second] = halve(only.messages)
  return [[{ ...only, messages: first }], [{ ...only, messages: second }]]
}

class MessageClaim implements Claim {
  readonly inputs: readonly MessageInput[]
  readonly #group: string
  readonly #cursors: readonly Cursor[]
  /** Keys with parked messages, those of this batch included. */
  readonly #parkedKeys: Set<string>

  constructor(group: string, selection: readonly Backlog[], cursors: readonly Cursor[], parkedKeys: readonly string[]) {
    this.#group = group
    this.#parkedKeys = new Set(parkedKeys)
    const turns = turnsOf(selection, cursors)
    this.inputs = turns.flatMap(({ messages }) => messages.map(messageInput))
    this.#cursors = turns.map(({ cursor }) => cursor)
  }

  admits(input: Input): boolean {
    return !this.#parkedKeys.has(keyName((input as MessageInput).message))
  }

  refused(input: Input): void {
    this.#parkedKeys.add(keyName((input as MessageInput).message))
  }

  settle(work: UnitOfWork, results: readonly Result[]): Promise<void> {
    const parked = results.flatMap((result) => toParked(result))
    const parkedPerLane = groupBy(parked, laneName)
    const last = new Map(this.inputs.map(({ message }) => [laneName(message), message]))
    const moved = this.#cursors.map((cursor) => {
      const { position, id } = last.get(laneName(cursor))!
      const added = parkedPerLane.get(laneName(cursor))?.length ?? 0
      return { source: cursor.source, lane: cursor.lane, position, messageId: id, parked: cursor.parked + added }
    })
    return work.cursors.move(this.#group, moved, parked)
  }
}

function toParked(result: Result): ParkedMessage[] {
  const { message } = result.input as MessageInput
  if (result.kind === 'aside') return [{ ...message, error: describe(result.error) }]
  if (result.kind === 'held') return [{ ...message, error: 'waits behind an earlier message of its key' }]
  return []
}

/** An error as an operator should read it. */
export function describe(error: Error): string {
  const code = (error as { code?: unknown }).code
  return storableText(`${error.name}${typeof code === 'string' ? ` ${code}` : ''}: ${error.message}`)
}
