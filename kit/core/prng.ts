/**
 * Randomness as a parameter. `seeded` gives the same numbers for the same seed on every machine (sfc32, public domain,
 * passes PractRand); `systemRandom` is for production, where only spread matters. Neither is for secrets.
 */

export interface Random {
  /** A float in [0, 1). */
  next(): number
}

export const systemRandom: Random = { next: () => Math.random() }

/** A deterministic stream. Separate concerns take separate streams: `seeded(seed, 'faults')`. */
export function seeded(seed: number, stream = ''): Random {
  let a = 0x9e3779b9
  let b = seed | 0
  let c = 0x243f6a88
  let counter = 1
  for (let i = 0; i < stream.length; i++) a = Math.imul(a ^ stream.charCodeAt(i), 0x85ebca6b)
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }
  for (let i = 0; i < 15; i++) next()
  return { next }
}

/** An integer in [low, high], both included. */
export function integerBetween(random: Random, low: number, high: number): number {
  return low + Math.floor(random.next() * (high - low + 1))
}

/** One element of a non-empty list. */
export function pick<T>(random: Random, items: readonly [T, ...T[]] | readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)]
  if (item === undefined) throw new RangeError('pick: the list is empty')
  return item
}
