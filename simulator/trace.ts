/** What happened, in order: its hash tells two runs apart, its end tells a failure's story. */
import { createHash } from 'node:crypto'

export interface TraceLine {
  readonly atMs: number
  readonly who: string
  readonly what: string
}

/** What is kept for a timeline. */
const KEPT = 400

export class Trace {
  readonly #hash = createHash('sha256')
  readonly #lines: TraceLine[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  add(who: string, what: string): void {
    const atMs = this.#now()
    this.#hash.update(`${atMs} ${who} ${what}\n`)
    this.#lines.push({ atMs, who, what })
    if (this.#lines.length > 2 * KEPT) this.#lines.splice(0, KEPT)
  }

  get lines(): readonly TraceLine[] {
    return this.#lines
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}

/** An invariant does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
  /** Of design: `I3`. */
  readonly invariant: string

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`)
    this.invariant = invariant
  }
}
