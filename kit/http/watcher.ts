/**
 * Telling many who wait about changes of single resources, at the price of one query: what is watched is looked at together,
 * when somebody says that something changed, 50 ms apart at least, and every second at the latest, because signals get lost.
 * Nobody who waits holds a connection to the database.
 */
import type { Timers } from '../core/clock.ts'
import { Signal } from '../core/signal.ts'

const APART_MS = 50
const AT_LEAST_EVERY_MS = 1000

export interface Versioned {
  readonly id: string
  readonly version: number
}

export interface WatcherOptions<Item extends Versioned> {
  /** Of these, the ones that are at a later version by now. */
  look(known: readonly Versioned[]): Promise<readonly Item[]>
  readonly timers: Timers
  /** A look failed; the next one is a second later. */
  readonly onError?: (error: Error) => void
}

interface Watch<Item> {
  version: number
  readonly changed: (item: Item) => void
}

export class Watcher<Item extends Versioned> {
  readonly #options: WatcherOptions<Item>
  readonly #wake: Signal
  readonly #watches = new Map<string, Set<Watch<Item>>>()
  #running: AbortController | undefined

  constructor(options: WatcherOptions<Item>) {
    this.#options = options
    this.#wake = new Signal(options.timers)
  }

  /** How many resources are watched. */
  get size(): number {
    return this.#watches.size
  }

  /** Calls `changed` with every later version that is seen. Returns how to stop. */
  watch({ id, version }: Versioned, changed: (item: Item) => void): () => void {
    const watch = { version, changed }
    const others = this.#watches.get(id) ?? new Set()
    this.#watches.set(id, others.add(watch))
    // It may have changed since it was read.
    this.#wake.notify()
    if (!this.#running) void this.#run((this.#running = new AbortController()))
    return () => {
      others.delete(watch)
      if (others.size === 0 && this.#watches.get(id) === others) this.#watches.delete(id)
      if (this.#watches.size === 0) this.close()
    }
  }

  /** Something may have changed. */
  wake(): void {
    this.#wake.notify()
  }

  /** Stops looking; watching again starts anew. */
  close(): void {
    this.#running?.abort()
    this.#running = undefined
  }

  async #run({ signal }: AbortController): Promise<void> {
    const { timers } = this.#options
    while (!signal.aborted) {
      await this.#wake.wait(AT_LEAST_EVERY_MS, signal)
      if (signal.aborted) return
      const failed = await this.#look().then(
        () => false,
        (error: unknown) => {
          this.#options.onError?.(error as Error)
          return true
        },
      )
      await timers.sleep(failed ? AT_LEAST_EVERY_MS : APART_MS, signal)
    }
  }

  async #look(): Promise<void> {
    const known = [...this.#watches].map(([id, watches]) => ({
      id,
      version: Math.min(...[...watches].map(({ version }) => version)),
    }))
    for (const item of await this.#options.look(known)) {
      for (const watch of this.#watches.get(item.id) ?? []) {
        if (item.version <= watch.version) continue
        watch.version = item.version
        watch.changed(item)
      }
    }
  }
}
