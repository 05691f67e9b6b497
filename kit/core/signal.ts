/**
 * A wake-up. Signals make work prompt, polling makes it certain: whoever waits gives a longest time and looks around anyway.
 * A notification that comes while nobody waits is kept, so none is missed between looking and waiting.
 */
import type { Timers } from './clock.ts'

export class Signal {
  readonly #timers: Timers
  #pending = false
  #wake: (() => void) | undefined

  constructor(timers: Timers) {
    this.#timers = timers
  }

  notify(): void {
    this.#pending = true
    this.#wake?.()
  }

  /** Resolves at the next notification, after `ms`, or when `abort` aborts. For one waiter at a time. */
  async wait(ms: number, abort: AbortSignal): Promise<void> {
    if (!this.#pending && !abort.aborted) {
      const woken = new AbortController()
      const wake = () => woken.abort()
      this.#wake = wake
      abort.addEventListener('abort', wake, { once: true })
      await this.#timers.sleep(ms, woken.signal)
      abort.removeEventListener('abort', wake)
      this.#wake = undefined
    }
    this.#pending = false
  }
}
