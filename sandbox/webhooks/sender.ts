/**
 * Tells an endpoint every change of every charge, at least once.
 *
 * W1. What is owed is in the charge's own row: stored with the change, taken out once it was told. So a kill loses none, and a
 *     restart goes on with what is owed.
 * W2. The changes of one charge go one after the other, each until it is answered 2xx or given up; different charges do not
 *     wait for each other. At most `atOnce` calls are under way.
 * W3. Any other answer, and none within `answerWithinMs`, is a failure: tried again after growing delays, `backoff.attempts`
 *     times in all, which takes about seven minutes. A restart, or a new endpoint, begins to count anew.
 * W4. Without an endpoint nothing is sent and nothing new is owed.
 */
import { setMaxListeners } from 'node:events'
import type { Clock, Timers } from '@cauce/kit/core/clock'
import type { Random } from '@cauce/kit/core/prng'
import { jsonClient, type JsonClient } from '@cauce/kit/client/json-client'
import { nextDelayMs, type Backoff } from '@cauce/kit/policy/backoff'
import type { Charges } from '../card/charges.ts'
import type { ChargeEvent, ChargeRow } from '../card/rows.ts'
import type { Faults } from '../faults.ts'
import { NotStored } from '../storage/journal.ts'
import type { Store } from '../storage/store.ts'
import type { Endpoint, EndpointAddress } from './endpoint.ts'
import { bodyOf, signatureOf } from './message.ts'

export interface SenderOptions {
  readonly charges: Charges
  readonly endpoint: Endpoint
  readonly store: Store
  readonly faults: Faults
  readonly timers: Timers
  readonly clock: Clock
  readonly random: Random
}

const atOnce = 5
const answerWithinMs = 5_000
const backoff: Backoff = { baseMs: 500, capMs: 60_000, attempts: 20 }
/** How long a reordered change waits for the next one of its charge. */
const holdMs = 1_000

/** What goes to one endpoint until another one is set. */
interface Round {
  readonly address: EndpointAddress
  readonly client: JsonClient
  readonly path: string
  readonly stop: AbortController
  /** Charges that are being worked on. */
  readonly keys: Set<string>
}

type WebhookFate = ReturnType<typeof Faults.prototype.fate<'webhooks'>>

export class Sender {
  readonly #options: SenderOptions
  readonly #work = new Set<Promise<void>>()
  #round: Round | undefined
  #closed = false
  #free = atOnce
  readonly #waiting: (() => void)[] = []

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** Begins with everything owed, at the endpoint as it is now. */
  restart(): void {
    this.#round?.stop.abort()
    this.#round = undefined
    const { endpoint, charges } = this.#options
    if (this.#closed || !endpoint.address) return
    const { origin, pathname, search } = new URL(endpoint.address.url)
    const stop = new AbortController()
    setMaxListeners(0, stop.signal) // every charge that waits for its next try listens
    this.#round = {
      address: endpoint.address,
      client: jsonClient({ url: origin, connections: atOnce }),
      path: `${pathname}${search}`,
      stop,
      keys: new Set(),
    }
    for (const key of charges.owing()) this.notify(key)
  }

  /** The charge has changed: something may be owed. */
  notify(key: string): void {
    const round = this.#round
    if (!round || round.keys.has(key) || !this.#row(key)?.owed.length) return
    round.keys.add(key)
    const work = this.#tellAll(key, round).finally(() => this.#work.delete(work))
    this.#work.add(work)
  }

  /** Lets go of what is owed, and waits for the calls under way to end. */
  async close(): Promise<void> {
    this.#closed = true
    this.#round?.stop.abort()
    this.#round = undefined
    await Promise.all(this.#work)
  }

  #row(key: string): ChargeRow | undefined {
    return this.#options.charges.get(key)
  }

  async #tellAll(key: string, round: Round): Promise<void> {
    const { store, charges, timers, faults } = this.#options
    const { signal } = round.stop
    for (let row = this.#row(key); row?.owed.length && !signal.aborted; row = this.#row(key)) {
      const fate = faults.fate('webhooks')
      await fate.delay(signal)
      const event = await this.#choose(key, fate, signal)
      if (!event) continue
      const outcome = await this.#tell(key, event, round)
      if (!outcome) break
      if (outcome === 'delivered' && fate.strikes('duplicateRate')) await this.#post(key, event, round)
      try {
        await store.change(charges, key, () => charges.decideTold(key, event.sequence, outcome))
      } catch (error) {
        if (!(error instanceof NotStored)) throw error
        await timers.sleep(backoff.baseMs, signal) // then it is told once more
      }
    }
    round.keys.delete(key)
  }

  /** The first that is owed, or the second. */
  async #choose(key: string, fate: WebhookFate, signal: AbortSignal): Promise<ChargeEvent | undefined> {
    const reordered = fate.planned('reorderRate')
    if (reordered && this.#row(key)?.owed.length === 1) await this.#options.timers.sleep(holdMs, signal)
    const [first, second] = this.#row(key)?.owed ?? []
    return second && fate.strikes('reorderRate') ? second : first
  }

  /** Undefined when it was stopped before the end. */
  async #tell(key: string, event: ChargeEvent, round: Round): Promise<'delivered' | 'failed' | undefined> {
    const { timers, random } = this.#options
    const { signal } = round.stop
    for (let attempt = 1; !signal.aborted; attempt++) {
      if (await this.#post(key, event, round)) return 'delivered'
      const delayMs = nextDelayMs(backoff, attempt, random)
      if (delayMs === undefined) return 'failed'
      await timers.sleep(delayMs, signal)
    }
    return undefined
  }

  async #post(key: string, event: ChargeEvent, { address, client, path, stop }: Round): Promise<boolean> {
    const { clock, timers } = this.#options
    const row = this.#row(key)
    if (!row) return false
    await this.#place()
    const late = new AbortController()
    const abort = () => late.abort()
    const cancel = timers.after(answerWithinMs, abort)
    stop.signal.addEventListener('abort', abort, { once: true })
    try {
      if (stop.signal.aborted) return false
      const body = bodyOf(row, event)
      const headers = { 'cauce-signature': signatureOf(address.secret, clock.now(), body) }
      const { status } = await client.post(path, body, headers, late.signal)
      return status >= 200 && status < 300
    } catch {
      return false // no answer: whether it was taken is not known, so it is told again
    } finally {
      cancel()
      stop.signal.removeEventListener('abort', abort)
      this.#release()
    }
  }

  async #place(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
