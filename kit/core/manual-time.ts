/**
 * Time that stands still until it is told to move: a clock and timers for unit tests.
 *
 *   const time = new ManualTime()
 *   const database = new MemoryDatabase({ clock: time, timers: time })
 *   await time.advance(30_000)                    // what is due in the next 30 s runs, in order
 *   const result = await time.finish(promise)     // moves from timer to timer until the promise is settled
 *
 * Between two timers everything runs that only waits for promises. What waits for the outside world (a socket, a file) is
 * not waited for. Timers of one moment run in the order in which they were set.
 */
import { sleepOn, type Clock, type Timers } from './clock.ts'

interface Entry {
  readonly dueMs: number
  readonly task: () => void
}

/** More timers than this in one `advance` or `finish` is a loop that never rests. */
const MOST_TIMERS = 10_000

export class ManualTime implements Clock, Timers {
  #elapsedMs = 0
  #wallMs: number
  /** By order of setting. */
  readonly #entries = new Set<Entry>()

  /** `startMs`: the wall clock's first value. Defaults to 2026-01-01T00:00Z. */
  constructor(startMs = 1_767_225_600_000) {
    this.#wallMs = startMs
  }

  now(): number {
    return this.#wallMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  after(ms: number, task: () => void): () => void {
    const entry = { dueMs: this.#elapsedMs + Math.max(0, ms), task }
    this.#entries.add(entry)
    return () => void this.#entries.delete(entry)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((wait, task) => this.after(wait, task), ms, signal)
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#entries.size
  }

  /** Sets the wall clock forward or back, as an adjustment would. Timers and `monotonic` do not notice. */
  jump(ms: number): void {
    this.#wallMs += ms
  }

  /** Lets `ms` pass and runs what becomes due. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsedMs + ms
    for (let ran = 0; ; ran++) {
      await this.settle()
      const next = this.#next()
      if (!next || next.dueMs > end) break
      this.#run(next, ran)
    }
    this.#elapsedMs = end
  }

  /** Moves from timer to timer until the promise is settled. Throws when that takes longer than `withinMs`, or never happens. */
  async finish<T>(promise: Promise<T>, withinMs = 3_600_000): Promise<T> {
    const end = this.#elapsedMs + withinMs
    let settled = false
    const note = () => {
      settled = true
    }
    promise.then(note, note)
    for (let ran = 0; ; ran++) {
      await this.settle()
      if (settled) return promise
      const next = this.#next()
      if (!next) throw new Error('Nothing is due any more, and the promise is not settled')
      if (next.dueMs > end) throw new Error(`Not within ${withinMs} ms of manual time`)
      this.#run(next, ran)
    }
  }

  /** Runs everything that only waits for promises: a turn of the event loop comes when none of it is left. */
  settle(): Promise<void> {
    return new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', () => {
        port1.close()
        resolve()
      })
      port2.postMessage(null)
    })
  }

  #next(): Entry | undefined {
    let first: Entry | undefined
    for (const entry of this.#entries) if (!first || entry.dueMs < first.dueMs) first = entry
    return first
  }

  #run(entry: Entry, ran: number): void {
    if (ran >= MOST_TIMERS) throw new Error(`${MOST_TIMERS} timers ran: something waits in a loop without rest`)
    this.#entries.delete(entry)
    this.#elapsedMs = Math.max(this.#elapsedMs, entry.dueMs)
    entry.task()
  }
}
