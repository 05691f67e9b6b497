/**
 * Keeps a view up to date, and builds it. Any number of processes run the same view: its lanes are shared as those of any
 * consumer group, and each step of a build is done by one of them.
 */
import { laneName } from '../consumer/next.ts'
import { poll } from '../consumer/poll.ts'
import type { Backlog, Forked, GroupReader } from '../consumer/port.ts'
import { postgresCursors, postgresGroups } from '../consumer/postgres.ts'
import type { Clock, Timers } from '../core/clock.ts'
import { hash32 } from '../core/hash.ts'
import type { Random } from '../core/prng.ts'
import type { Signal } from '../core/signal.ts'
import { isUnavailable } from '../database/errors.ts'
import type { Pool } from '../database/pool.ts'
import type { LogReader } from '../log/port.ts'
import { applyBatch, type ApplyOptions } from './apply.ts'
import { doStep } from './build.ts'
import { groupOf, hashOf, statementsOf, type Projection } from './definition.ts'
import { registryOf, type Registry } from './registry.ts'
import { appliedBy, nextStep, type Generation } from './steps.ts'

/** Most messages of one transaction. */
const BATCH = 1000
/** An idle runner looks this often even when nobody signals. */
const IDLE_MS = 5000
/** How old what is known of the generations may be. */
const KNOWN_MS = 1000
/** After a batch that was not full the next one is left to grow: views are read seldom, and what they cost is the transaction. */
const PACE_MS = 20
const BACKOFF_MS = { first: 100, most: 30_000 }

export interface ProjectionObserver {
  onApplied?(group: string, messages: number): void
  onForked?(group: string, forked: Forked): void
  /** A lane stands still (J4). */
  onStopped?(group: string, lane: string, error: Error, retryInMs: number): void
  /** The generation that is read from now on. */
  onSwitched?(group: string): void
  onError?(error: Error): void
}

export interface RunnerOptions {
  /** For the pipeline: its statements are look-ups. */
  readonly pool: Pool
  readonly schema: string
  readonly definition: Projection
  readonly readers: readonly LogReader[]
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  /** Notified when one of the logs has grown, or when somebody wants a rebuild. */
  readonly wake: Signal
  readonly observer?: ProjectionObserver
}

/** Works until `signal` aborts; the transaction in hand is finished first. */
export async function runProjection(options: RunnerOptions, signal: AbortSignal): Promise<void> {
  const runner = new Runner(options)
  const { timers, wake, observer } = options
  let backoffMs = BACKOFF_MS.first
  while (!signal.aborted) {
    try {
      const { worked, applied, restMs } = await runner.turn()
      backoffMs = BACKOFF_MS.first
      if (!worked) await wake.wait(Math.min(IDLE_MS, restMs), signal)
      else if (applied > 0 && applied < BATCH) await timers.sleep(PACE_MS, signal)
    } catch (error) {
      observer?.onError?.(error as Error)
      await timers.sleep(backoffMs, signal)
      backoffMs = Math.min(backoffMs * 2, 2000)
    }
  }
}

interface Turn {
  readonly worked: boolean
  readonly applied: number
  /** Until a lane that stands still is tried again. */
  readonly restMs: number
}

interface Rest {
  readonly untilMs: number
  readonly backoffMs: number
}

export class Runner {
  readonly #options: RunnerOptions
  readonly #definition: string
  readonly #registry: Registry
  readonly #groups: GroupReader
  readonly #apply: ApplyOptions
  #known: { readonly rows: readonly Generation[]; readonly atMs: number } | undefined
  #starting = true
  #start: number
  /** Lanes that stand still, by group and lane. */
  readonly #resting = new Map<string, Rest>()

  constructor(options: RunnerOptions) {
    const { pool, schema, definition, timers, random } = options
    this.#options = options
    this.#definition = hashOf(definition)
    this.#registry = registryOf(pool, schema)
    this.#groups = postgresGroups(pool, schema)
    this.#apply = { pool, schema, timers, cursors: postgresCursors(schema) }
    this.#start = hash32(`${definition.name}${random.next()}`)
  }

  /** One look around: the next step of a build, and what there is to apply. */
  async turn(): Promise<Turn> {
    const rows = await this.#generations()
    const step = nextStep(rows, this.#definition, this.#starting)
    const stepped = step ? await doStep(this.#options, step, this.#starting) : false
    if (stepped) {
      this.#known = undefined
      if (step?.kind === 'switch') this.#options.observer?.onSwitched?.(this.#groupOf(step.generation))
    }
    let applied = 0
    for (const { generation } of appliedBy(await this.#generations(), this.#definition)) {
      applied += await this.#applyTo(generation)
    }
    const now = this.#options.clock.monotonic()
    const restMs = Math.min(Infinity, ...[...this.#resting.values()].map(({ untilMs }) => Math.max(1, untilMs - now)))
    return { worked: stepped || applied > 0, applied, restMs }
  }

  #groupOf(generation: number): string {
    return groupOf(this.#options.definition.name, generation)
  }

  async #generations(): Promise<readonly Generation[]> {
    const now = this.#options.clock.monotonic()
    if (!this.#known || now - this.#known.atMs >= KNOWN_MS) {
      const rows = await this.#registry.list(this.#options.definition.name)
      this.#known = { rows, atMs: now }
      // From the moment that its own definition is there, a process leaves others alone.
      if (rows.some((row) => row.definition === this.#definition && row.state !== 'retired')) this.#starting = false
    }
    return this.#known.rows
  }

  async #applyTo(generation: number): Promise<number> {
    const { readers, observer } = this.#options
    const group = this.#groupOf(generation)
    const { backlogs, forked } = await poll(this.#groups, group, readers, BATCH, this.#start++)
    for (const lane of forked) if (await this.#groups.halt(group, lane)) observer?.onForked?.(group, lane)
    const now = this.#options.clock.monotonic()
    const due = backlogs.filter((lane) => (this.#resting.get(nameOf(group, lane))?.untilMs ?? 0) <= now)
    if (due.length === 0) return 0
    const applied = await this.#applyLanes(generation, due)
    if (applied > 0) observer?.onApplied?.(group, applied)
    return applied
  }

  /** Together if it can be, else lane by lane: one that cannot be applied must not stop the others (J4). */
  async #applyLanes(generation: number, lanes: readonly Backlog[]): Promise<number> {
    const { schema, definition } = this.#options
    const target = { definition, generation, statements: statementsOf(schema, definition, generation) }
    try {
      const applied = await applyBatch(this.#apply, target, lanes)
      await this.#recovered(generation, lanes)
      return applied
    } catch (error) {
      if (isUnavailable(error)) throw error
      const [lane] = lanes
      if (lanes.length === 1 && lane) await this.#stop(generation, lane, error as Error)
      let applied = 0
      if (lanes.length > 1) for (const each of lanes) applied += await this.#applyLanes(generation, [each])
      return applied
    }
  }

  async #stop(generation: number, lane: Backlog, error: Error): Promise<void> {
    const group = this.#groupOf(generation)
    const name = nameOf(group, lane)
    const backoffMs = Math.min((this.#resting.get(name)?.backoffMs ?? BACKOFF_MS.first / 2) * 2, BACKOFF_MS.most)
    this.#resting.set(name, { untilMs: this.#options.clock.monotonic() + backoffMs, backoffMs })
    this.#options.observer?.onStopped?.(group, laneName(lane), error, backoffMs)
    await this.#registry.setError(this.#options.definition.name, generation, `${laneName(lane)}: ${error.message}`)
  }

  async #recovered(generation: number, lanes: readonly Backlog[]): Promise<void> {
    const group = this.#groupOf(generation)
    const went = lanes.filter((lane) => this.#resting.delete(nameOf(group, lane)))
    const others = [...this.#resting.keys()].some((name) => name.startsWith(`${group} `))
    if (went.length > 0 && !others) await this.#registry.setError(this.#options.definition.name, generation, null)
  }
}

const nameOf = (group: string, lane: Backlog): string => `${group} ${laneName(lane)}`
