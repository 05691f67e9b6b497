/**
 * Consumers in processes of their own, each led from here: it takes a turn, which ends when it finds nothing that it may take,
 * and it can be held at each point on the way, or killed there.
 */
import type { Timers } from '@cauce/kit/core/clock'
import type { LabDatabase } from '../harness/database.ts'
import type { LabProcess, Told } from '../harness/process.ts'

/**
 * Whoever says nothing for so long waits for somebody else, who stands at a point and holds a lock. Long, because a slow
 * machine must not be taken for one that waits; only code that does wait pays for it.
 */
const SILENCE_MS = 2_000

export class Member {
  readonly name: string
  readonly #process: LabProcess
  readonly #timers: Timers
  #next: Promise<Told> | undefined
  #inTurn = false

  constructor(name: string, process: LabProcess, timers: Timers) {
    this.name = name
    this.#process = process
    this.#timers = timers
  }

  /** Begins a turn, unless it is still in one. @param task what the child is told with it */
  begin(task: object = {}): void {
    if (this.#inTurn) return
    this.#inTurn = true
    this.#process.tell(task)
  }

  /** Resolves when it can take turns. */
  async ready(): Promise<this> {
    await this.#hear(this.#process.next())
    return this
  }

  /** Where it stands when it has come to its next point; undefined when its turn is over. */
  toPoint(): Promise<string | undefined> {
    return this.#hear((this.#next ??= this.#process.next()))
  }

  /** As `toPoint`, and undefined too when it says nothing for long, or has no turn. */
  async toPointOrSilence(): Promise<string | undefined> {
    if (!this.#inTurn) return undefined
    this.#next ??= this.#process.next()
    const heard = new AbortController()
    const silence = this.#timers.sleep(SILENCE_MS, heard.signal).then(() => undefined)
    const told = await Promise.race([this.#next, silence])
    heard.abort()
    return told && this.#hear(this.#next)
  }

  async #hear(next: Promise<Told>): Promise<string | undefined> {
    const told = await next
    this.#next = undefined
    if (told.kind === 'ended') throw new Error(`${this.name} ended with ${told.code}\n${told.error}`)
    if (told.kind === 'at') return told.name
    this.#inTurn = false
    return undefined
  }

  /** Lets it go on from its point. */
  go(): void {
    this.#process.go()
  }

  /** Lets it pass point after point, until its turn is over or it waits for somebody. Gives the points it passed. */
  async rest(passed: (point: string) => void = () => undefined): Promise<number> {
    for (let points = 0; ; points++) {
      const point = await this.toPointOrSilence()
      if (point === undefined) return points
      passed(point)
      this.go()
    }
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.#process.kill()
  }
}

/** Turn after turn, until a round brings `done` no further. @param task what each is told */
export async function settle(
  members: readonly Member[],
  done: () => Promise<number>,
  task: object = {},
): Promise<void> {
  for (let before = -1, now = await done(); now > before;) {
    before = now
    for (const member of members) member.begin(task)
    await Promise.all(members.map((member) => member.rest()))
    now = await done()
  }
}

/** The URL of a database, for connections that say whose they are. */
export function namedUrl(url: string, name: string): string {
  const named = new URL(url)
  named.searchParams.set('application_name', name)
  return named.href
}

/** Resolves when PostgreSQL has noticed that whoever had connections of this name is dead, and has undone what they had begun. */
export async function isGone(query: LabDatabase['query'], name: string, timers: Timers): Promise<void> {
  const backends = `SELECT FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()`
  while ((await query(backends, [name])).length > 0) await timers.sleep(5)
}
