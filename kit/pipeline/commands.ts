/**
 * Commands from outside, committed in groups: while one transaction is in flight arrivals collect, and the next takes them
 * all. An idle system commits at once; a busy one commits hundreds together, without anybody waiting on purpose.
 *
 * The idempotency key is looked at before any other rule. A batch may hold the same key several times: the first is decided,
 * the others get its answer.
 */
import { halve } from '../core/collections.ts'
import { verdict, type ExpiredKey, type KeyRecord, type StoredReply } from '../idempotency/port.ts'
import type { LaneHead } from '../log/port.ts'
import type { Decision } from './decision.ts'
import type { Claim, Input, Result, Source } from './input.ts'
import type { Pipeline } from './pipeline.ts'
import type { UnitOfWork } from './unit-of-work.ts'

const MOST_INPUTS = 500

export interface CommandKey {
  /** Hash of (principal, method, route, key). */
  readonly id: string
  /** Hash of what is asked. */
  readonly fingerprint: string
  readonly ttlMs: number
}

export interface Command {
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly requestId: string
  readonly key?: CommandKey
  /** The answer to a decision, as it will be sent and stored. Pure. */
  render(decision: Decision): StoredReply
}

export type CommandAnswer =
  | {
      readonly kind: 'answered'
      readonly reply: StoredReply
      readonly replayed: boolean
      /** The decision, unless the answer was replayed. */
      readonly decision: Decision | undefined
      /** What to wait for to read this write elsewhere. */
      readonly heads: readonly LaneHead[]
    }
  /** The key was used for another request. */
  | { readonly kind: 'reused' }

/** More commands wait than may: the caller should answer 503 and Retry-After. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
}

interface Waiting {
  readonly command: Command
  readonly resolve: (answer: CommandAnswer) => void
  readonly reject: (error: Error) => void
}

export class CommandQueue {
  readonly #pipeline: Pipeline
  readonly #limit: number
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  /** `limit`: most commands that may wait. */
  constructor(pipeline: Pipeline, limit = 20_000) {
    this.#pipeline = pipeline
    this.#limit = limit
  }

  get depth(): number {
    return this.#waiting.length
  }

  /** Rejects with the decision's own error, with DatabaseUnavailableError, or with QueueFullError. */
  submit(command: Command): Promise<CommandAnswer> {
    if (this.#waiting.length >= this.#limit) return Promise.reject(new QueueFullError('Too many commands are waiting'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #drain(): Promise<void> {
    // Requests that arrived in the same turn of the event loop join the first transaction.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MOST_INPUTS)
      this.#waiting = this.#waiting.slice(MOST_INPUTS)
      try {
        await this.#pipeline.run(commandSource, batch)
      } catch (error) {
        // Those already answered ignore this.
        for (const { reject } of batch) reject(error as Error)
      }
    }
    // In the same turn as the last look at the queue: a command that comes later starts anew.
    this.#running = undefined
  }
}

const inputOf = ({ command }: Waiting): Input => ({
  id: command.id,
  kind: 'command',
  type: command.type,
  data: command.data,
  requestId: command.requestId,
})

export const commandSource: Source<readonly Waiting[]> = {
  kind: 'command',
  candidates: (selection) => selection.map(inputOf),
  split: (selection) => (selection.length > 1 ? halve(selection) : undefined),
  async claim(work, selection) {
    const ids = [...new Set(selection.flatMap(({ command }) => (command.key ? [command.key.id] : [])))]
    const [now, records] = await Promise.all([work.begun, ids.length > 0 ? work.keys.read(ids) : []])
    return new CommandClaim(selection, new Map(records.map((record) => [record.id, record])), now)
  },
}

class CommandClaim implements Claim {
  readonly inputs: readonly Input[]
  /** Decided here, by input id. */
  readonly #fresh = new Map<string, Waiting>()
  /** Same key and request as a fresh one of this batch, by key id. */
  readonly #followers = new Map<string, Waiting[]>()
  readonly #answers: [Waiting, CommandAnswer][] = []
  readonly #replies = new Map<string, { reply: StoredReply; decision: Decision }>()
  readonly #expired: ExpiredKey[] = []

  constructor(selection: readonly Waiting[], stored: ReadonlyMap<string, KeyRecord>, now: number) {
    const firstOfKey = new Map<string, Waiting>()
    for (const waiting of selection) {
      const { id, key } = waiting.command
      if (this.#fresh.has(id)) {
        waiting.reject(new Error(`Two commands have the id ${id}: draw one for each`))
        continue
      }
      const first = key && firstOfKey.get(key.id)
      if (key && first) {
        if (first.command.key!.fingerprint === key.fingerprint) this.#followers.get(key.id)!.push(waiting)
        else this.#answers.push([waiting, { kind: 'reused' }])
        continue
      }
      const found = key && stored.get(key.id)
      const said = key ? verdict(found, key.fingerprint, now) : { kind: 'fresh' as const }
      if (said.kind === 'fresh') {
        this.#fresh.set(id, waiting)
        if (key) {
          firstOfKey.set(key.id, waiting)
          this.#followers.set(key.id, [])
          if (found) this.#expired.push(found)
        }
      } else if (said.kind === 'reused') this.#answers.push([waiting, said])
      else {
        const replayed = {
          kind: 'answered',
          reply: said.reply,
          replayed: true,
          decision: undefined,
          heads: [],
        } as const
        this.#answers.push([waiting, replayed])
      }
    }
    this.inputs = [...this.#fresh.values()].map(inputOf)
  }

  decided(input: Input, decision: Decision): void {
    const { command } = this.#fresh.get(input.id)!
    this.#replies.set(input.id, { reply: command.render(decision), decision })
  }

  settle(work: UnitOfWork, results: readonly Result[], now: number): Promise<void> {
    const records: KeyRecord[] = []
    for (const result of results) {
      if (result.kind !== 'decided') continue
      const { decision, input } = result
      const { command } = this.#fresh.get(input.id)!
      const { reply } = this.#replies.get(input.id)!
      if (!command.key || (decision.kind === 'rejected' && !decision.keep)) continue
      const { id, fingerprint, ttlMs } = command.key
      records.push({ ...reply, id, fingerprint, requestId: command.requestId, expiresAt: now + ttlMs })
    }
    return work.keys.write(records, this.#expired)
  }

  committed(results: readonly Result[], heads: readonly LaneHead[]): void {
    for (const [waiting, answer] of this.#answers) waiting.resolve(answer)
    for (const result of results) {
      const { command, resolve, reject } = this.#fresh.get(result.input.id)!
      const followers = command.key ? (this.#followers.get(command.key.id) ?? []) : []
      if (result.kind === 'aside') {
        for (const waiting of [{ reject }, ...followers]) waiting.reject(result.error)
        continue
      }
      const { reply, decision } = this.#replies.get(result.input.id)!
      resolve({ kind: 'answered', reply, replayed: false, decision, heads })
      for (const follower of followers) {
        follower.resolve({ kind: 'answered', reply, replayed: true, decision: undefined, heads })
      }
    }
  }
}
