/**
 * When what is killed, and the one who does it.
 *
 *   1. A kill comes when so many orders have been answered: it falls into the middle of the work however fast the machine is.
 *   2. One at a time: the next waits until the last victim serves again. None is left out: those that are late come at the end.
 *   3. The kill itself happens in the very turn in which its order was answered.
 */
import { seeded } from '@cauce/kit/core/prng'

export type Victim = 'server' | 'database'

export interface Kill {
  readonly victim: Victim
  /** How many orders have been answered by then. */
  readonly at: number
}

export interface KillOptions {
  readonly orders: number
  readonly server: number
  readonly database: number
  readonly seed: number
}

/** Spread over the orders, the database's among the server's. */
export function planKills({ orders, server, database, seed }: KillOptions): Kill[] {
  const random = seeded(seed, 'kills')
  const count = server + database
  const ofDatabase = new Set(
    Array.from({ length: database }, (_, index) => Math.floor(((index + 0.5) * count) / database)),
  )
  return Array.from({ length: count }, (_, index) => ({
    victim: ofDatabase.has(index) ? 'database' : 'server',
    at: Math.max(1, Math.floor((orders * (index + 0.25 + random.next() / 2)) / count)),
  }))
}

export interface Killer {
  /** So many orders have been answered. */
  answered(count: number): void
  /** Carries out what is left. @throws what went wrong in any strike */
  finish(): Promise<void>
  /** Rejects when a strike goes wrong; never resolves. */
  readonly failed: Promise<never>
}

/** `strike` kills before it first waits, and resolves when the victim serves again. */
export function startKiller(kills: readonly Kill[], strike: (kill: Kill, answered: number) => Promise<void>): Killer {
  const waiting = [...kills]
  let answered = 0
  let busy = false
  let working: Promise<void> = Promise.resolve()
  let fail: (reason: unknown) => void = () => undefined
  const failed = new Promise<never>((_, reject) => (fail = reject))
  failed.catch(() => undefined) // Whoever is interested looks at it; nobody must.

  async function work(until: number): Promise<void> {
    busy = true
    try {
      for (let kill = waiting[0]; kill && kill.at <= Math.max(until, answered); kill = waiting[0]) {
        waiting.shift()
        await strike(kill, answered)
      }
    } catch (error) {
      waiting.length = 0
      fail(error)
    } finally {
      busy = false
    }
  }
  return {
    failed,
    answered(count) {
      answered = count
      if (!busy) working = work(0)
    },
    async finish() {
      await working
      await Promise.race([failed, work(Infinity)])
    },
  }
}
