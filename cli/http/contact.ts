/**
 * Whether the server is there, as all requests of one command see it together.
 *
 *   never heard ──answer──▶ in contact ◄──answer── away
 *                                └─────failure──────▲
 *
 * 1. A server that was never heard and refuses is not waited for: it is probably not running, and nothing was sent.
 * 2. Once heard, it is waited for until `patienceMs` have passed since the last answer of any request. It may have been killed
 *    and be starting again.
 * 3. Going away and coming back are each told once, the first only when it lasts longer than a moment.
 */
import type { Clock } from '@cauce/kit/core/clock'

export interface ContactOptions {
  readonly clock: Clock
  readonly patienceMs: number
  onAway?(reason: string): void
  onBack?(awayMs: number): void
}

/** A hiccup shorter than this is not worth a line. */
const MOMENT_MS = 1_000

export class Contact {
  readonly #options: ContactOptions
  #heard = false
  #lastMs: number
  #awaySince: number | undefined
  #told = false

  constructor(options: ContactOptions) {
    this.#options = options
    this.#lastMs = options.clock.monotonic()
  }

  get everHeard(): boolean {
    return this.#heard
  }

  /** How long nothing has been heard, 0 while in contact. */
  get awayMs(): number {
    return this.#awaySince === undefined ? 0 : this.#options.clock.monotonic() - this.#awaySince
  }

  answered(): void {
    const { awayMs } = this
    this.#heard = true
    this.#lastMs = this.#options.clock.monotonic()
    this.#awaySince = undefined
    if (this.#told) this.#options.onBack?.(awayMs)
    this.#told = false
  }

  /** Notes a failure of a request that began at `begunMs`. Returns whether to go on trying. */
  failed(reason: string, begunMs: number): boolean {
    const now = this.#options.clock.monotonic()
    this.#awaySince ??= now
    if (!this.#told && now - this.#awaySince >= MOMENT_MS) {
      this.#told = true
      this.#options.onAway?.(reason)
    }
    return now - Math.max(begunMs, this.#lastMs) < this.#options.patienceMs
  }
}
