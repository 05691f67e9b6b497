/** How far the runs are and how long the rest will take: from the time that this lab, or else any lab of this size, took so far. */
import type { SeedOutcome, Size } from './batch.ts'

interface Mean {
  sum: number
  count: number
}

/** Before anything is known. */
const GUESS_MS: Readonly<Record<Size, number>> = { default: 4_000, small: 1_500 }

export class Progress {
  readonly #left = new Map<string, number>()
  readonly #means = new Map<string, Mean>()
  readonly #jobs: number
  done = 0

  constructor(
    planned: readonly { readonly lab: string; readonly size: Size; readonly seeds: readonly number[] }[],
    jobs: number,
  ) {
    this.#jobs = jobs
    for (const { lab, size, seeds } of planned) {
      const key = keyOf(lab, size)
      this.#left.set(key, (this.#left.get(key) ?? 0) + seeds.length)
    }
  }

  get total(): number {
    return this.done + [...this.#left.values()].reduce((sum, count) => sum + count, 0)
  }

  add({ lab, size, ms }: Pick<SeedOutcome, 'lab' | 'size' | 'ms'>): void {
    this.done++
    const key = keyOf(lab, size)
    this.#left.set(key, (this.#left.get(key) ?? 1) - 1)
    for (const name of [key, size]) {
      const mean = this.#means.get(name) ?? { sum: 0, count: 0 }
      this.#means.set(name, { sum: mean.sum + ms, count: mean.count + 1 })
    }
  }

  get leftMs(): number {
    let ms = 0
    for (const [key, count] of this.#left) {
      const size: Size = key.endsWith(' small') ? 'small' : 'default'
      ms += count * (this.#mean(key) ?? this.#mean(size) ?? GUESS_MS[size])
    }
    return ms / this.#jobs
  }

  #mean(of: string): number | undefined {
    const mean = this.#means.get(of)
    return mean && mean.sum / mean.count
  }
}

const keyOf = (lab: string, size: Size): string => `${lab} ${size}`

export function durationOf(ms: number): string {
  const s = Math.round(ms / 1000)
  if (s < 90) return `${s} s`
  return s < 5_400 ? `${Math.round(s / 60)} min` : `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`
}
