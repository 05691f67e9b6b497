/**
 * Finds out which orders have ended, without asking for each again and again. Orders end roughly in the order in which they
 * were placed, so what is open lies between the oldest open one and the newest: that stretch of the operator's list is read,
 * a hundred orders a request. When only few in a long stretch are open, they are read one by one.
 *
 *   1. Every order counts once, when it is first seen completed or cancelled.
 *   2. Looking takes at most a fifth of the time: the pause is four times what the last look took, 100 ms to 5 s.
 */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import type { Order } from '@cauce/orders/contract'
import type { Api } from '../http/api.ts'
import { operator } from '../http/tokens.ts'
import { hasEnded } from '../order-view.ts'
import { concurrently } from './concurrently.ts'

const PAGE = 100
/** One page costs the server about as much as this many single orders. */
const PAGE_WORTH = 8
const SINGLES_AT_ONCE = 8
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [100, 5_000]

export interface FollowOptions {
  readonly api: Api
  readonly clock: Clock
  readonly timers: Timers
  onEnded(order: Order): void
}

export class Follower {
  readonly #options: FollowOptions
  /** Ids of accepted orders, in the order of acceptance. */
  readonly #accepted: string[] = []
  readonly #open = new Set<string>()

  constructor(options: FollowOptions) {
    this.#options = options
  }

  get open(): number {
    return this.#open.size
  }

  add(id: string): void {
    this.#accepted.push(id)
    this.#open.add(id)
  }

  /** Looks until `until` says that it is over. */
  async run(until: () => boolean): Promise<void> {
    const { clock, timers } = this.#options
    while (!until()) {
      const begunMs = clock.monotonic()
      await this.look()
      const tookMs = clock.monotonic() - begunMs
      if (!until()) await timers.sleep(Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, tookMs * 4)))
    }
  }

  async look(): Promise<void> {
    if (this.#open.size === 0) return
    const oldest = [...this.#open].reduce((a, b) => (a < b ? a : b))
    const stretch = this.#accepted.reduce((count, id) => (id >= oldest ? count + 1 : count), 0)
    const pages = Math.ceil(stretch / PAGE)
    if (this.#open.size <= pages * PAGE_WORTH) return this.#readSingles([...this.#open])
    await this.#readPages(oldest, pages * 2 + 2)
  }

  /** From the newest to the oldest open one. Others order too, so there is a limit; the next look goes on. */
  async #readPages(oldest: string, mostPages: number): Promise<void> {
    let cursor: string | undefined
    for (let page = 0; page < mostPages; page++) {
      const { items, nextCursor } = await this.#options.api.orders(operator, { limit: PAGE, cursor })
      for (const order of items) this.#note(order)
      const last = items.at(-1)
      if (nextCursor === null || last === undefined || last.id <= oldest) return
      cursor = nextCursor
    }
    await this.#readSingles([...this.#open].slice(0, PAGE))
  }

  async #readSingles(ids: readonly string[]): Promise<void> {
    await concurrently(ids, SINGLES_AT_ONCE, async (id) => this.#note(await this.#options.api.order(operator, id)))
  }

  #note(order: Order): void {
    if (hasEnded(order) && this.#open.delete(order.id)) this.#options.onEnded(order)
  }
}
