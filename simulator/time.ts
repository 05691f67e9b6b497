/**
 * Virtual time, and the one scheduler of a simulation. Nothing waits for real: the next timer runs as soon as everything that
 * only waits for promises has run. Timers of one moment run in an order drawn from the seed, so whatever may happen in another
 * order does, in some run.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { sleepOn, type Clock, type Timers } from '@cauce/kit/core/clock'
import type { Random } from '@cauce/kit/core/prng'

interface Entry {
  readonly due: number
  readonly order: number
  task: (() => void) | undefined
}

const before = (a: Entry, b: Entry): boolean => a.due < b.due || (a.due === b.due && a.order < b.order)

/** 2026-01-01T00:00Z. */
const START_MS = 1_767_225_600_000

export class SimTime implements Clock, Timers {
  #elapsed = 0
  readonly #heap: Entry[] = []
  readonly #random: Random
  #turns = 0

  constructor(random: Random) {
    this.#random = random
  }

  now(): number {
    return START_MS + Math.floor(this.#elapsed)
  }

  monotonic(): number {
    return this.#elapsed
  }

  /** Timers that have run. */
  get turns(): number {
    return this.#turns
  }

  after(ms: number, task: () => void): () => void {
    const entry: Entry = { due: this.#elapsed + Math.max(0, ms), order: this.#random.next(), task }
    this.#push(entry)
    return () => {
      entry.task = undefined
    }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn((wait, task) => this.after(wait, task), ms, signal)
  }

  /** Runs the next timer and all that follows from it. False when none is left. */
  async step(): Promise<boolean> {
    for (;;) {
      const entry = this.#heap[0]
      if (!entry) return false
      this.#pop()
      if (!entry.task) continue
      this.#elapsed = Math.max(this.#elapsed, entry.due)
      this.#turns += 1
      entry.task()
      // A turn of the event loop comes when no promise is left to run.
      await turn()
      return true
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}
