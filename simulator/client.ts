/**
 * Clients of the simulated world: they send a command to some server, give up when no answer comes, and send it again under the
 * same key until there is one. They remember what they were answered, and hold the servers to it (I9).
 */
import { integerBetween } from '@cauce/kit/core/prng'
import { isUnavailable } from '@cauce/kit/database/errors'
import { QueueFullError, type Command, type CommandAnswer } from '@cauce/kit/pipeline/commands'
import type { Decision } from '@cauce/kit/pipeline/decision'
import type { Violate } from './checks/check.ts'
import type { ServiceName, World } from './world.ts'

export interface Asked {
  readonly service: ServiceName
  readonly type: string
  readonly data: object
  /** Who asks. */
  readonly principal: string
  /** Undefined for what needs none. */
  readonly key?: string
}

/** What a command came to: the decision's outcome as it was answered. */
export interface Outcome {
  readonly kind: 'accepted' | 'rejected'
  readonly code?: string
  readonly id?: string
}

const TRIES = 200
const KEY_TTL_MS = 7 * 24 * 3_600_000

export class Clients {
  readonly #world: World
  readonly #violate: Violate
  readonly #scope: (principal: string, key: string) => string
  /** By key, the body of its answer. */
  readonly #answers = new Map<string, string>()
  /** Orders that were answered 202: none of them may be missing. */
  readonly accepted = new Set<string>()
  /** Commands without an answer yet. */
  waiting = 0

  constructor(world: World, violate: Violate, scope = (principal: string, key: string) => `${principal}/${key}`) {
    this.#world = world
    this.#violate = violate
    this.#scope = scope
  }

  /** Sends it until it is answered. */
  async ask(asked: Asked): Promise<Outcome> {
    const { time, faults } = this.#world
    this.waiting += 1
    try {
      if (asked.key !== undefined && faults.strikes('clientRepeat')) {
        time.after(integerBetween(faults.random, 0, 2_000), () => void this.#send(asked).catch(() => undefined))
      }
      for (let tries = 0; tries < TRIES; tries++) {
        const impatient = faults.strikes('clientRepeat')
        const answer = await this.#answerWithin(asked, impatient ? 200 : 10_000)
        if (answer) return this.#heard(asked, answer)
        await time.sleep(integerBetween(faults.random, 50, 2_000))
      }
      this.#violate('I4', `${asked.type} was never answered`)
      return { kind: 'rejected', code: 'no-answer' }
    } finally {
      this.waiting -= 1
    }
  }

  async #answerWithin(asked: Asked, ms: number): Promise<CommandAnswer | undefined> {
    try {
      return await Promise.race([this.#send(asked), this.#world.time.sleep(ms).then(() => undefined)])
    } catch (error) {
      if (!isUnavailable(error) && !(error instanceof QueueFullError))
        this.#violate('P2', `${asked.type} failed: ${(error as Error).stack ?? String(error)}`)
      return undefined
    }
  }

  async #send({ service, type, data, principal, key }: Asked): Promise<CommandAnswer | undefined> {
    const { time, faults, ids } = this.#world
    await time.sleep(integerBetween(faults.random, 1, 10))
    const server = this.#world.anyServer()
    if (!server) return undefined
    const id = ids.draw()
    const command: Command = {
      id,
      type,
      data,
      requestId: `req-${id}`,
      ...(key === undefined
        ? {}
        : { key: { id: this.#scope(principal, key), fingerprint: JSON.stringify(data), ttlMs: KEY_TTL_MS } }),
      render: (decision) => ({ status: 200, headers: {}, body: JSON.stringify(outcomeOf(decision)) }),
    }
    const answer = await server.services[service].commands.submit(command)
    if (key !== undefined) this.#compare(`${principal}/${key}`, type, answer)
    return answer
  }

  /** Every answer under a key, also one that nobody waits for any more, is the first one again (I9). */
  #compare(key: string, type: string, answer: CommandAnswer): void {
    if (answer.kind === 'reused') return this.#violate('I9', `${type} under ${key} was taken for another request`)
    const { body } = answer.reply
    // What could not be found yet is not kept: it may be there next time.
    if ((JSON.parse(body) as Outcome).code === 'unknown-sku') return
    const before = this.#answers.get(key)
    if (before !== undefined && before !== body) this.#violate('I9', `${key} was answered ${before}, then ${body}`)
    this.#answers.set(key, body)
  }

  #heard({ type }: Asked, answer: CommandAnswer): Outcome {
    if (answer.kind === 'reused') return { kind: 'rejected', code: 'key-reused' }
    const said = JSON.parse(answer.reply.body) as Outcome
    if (type === 'CreateOrder' && said.id !== undefined) this.accepted.add(said.id)
    this.#world.trace.add('client', `${type} ${said.kind} ${said.code ?? said.id ?? ''}`)
    return said
  }
}

function outcomeOf(decision: Decision): Outcome {
  if (decision.kind === 'rejected') return { kind: 'rejected', code: decision.code }
  const { id } = (decision.reply ?? {}) as { id?: unknown }
  return { kind: 'accepted', ...(typeof id === 'string' ? { id } : {}) }
}
