/**
 * Runs tasks: claims what is due, performs the effects outside any transaction, hands what they answered to the pipeline.
 *
 * R1 A lease is extended while its effect runs; when that fails the effect's signal aborts and its answer is dropped.
 * R2 An effect that throws or outlives its time has an unknown outcome: it is retried with the same key. It is not waited
 *    for, so one that ignores its signal keeps neither its place nor its lease.
 * R3 An answer that could not be settled (the database is away) is kept and tried again while the lease lasts; after that
 *    the task is claimed anew and the provider asked again with the same key.
 * R4 Each type has its own places (bulkhead), and timers need none: a slow provider delays nobody else. No more timers are
 *    claimed than can soon be settled.
 * R5 At the end nothing new is claimed; effects get 10 s, then their signal; answers get 5 s to be settled.
 * R6 Claims and settlements are few and large when there is much to do: places are filled a quarter at a time while more is
 *    due than fits, and small settlements of a busy runner are 5 ms apart. An idle one acts at once.
 */
import { systemClock, type Clock, type Timers } from '../core/clock.ts'
import type { Signal } from '../core/signal.ts'
import { retry, type Effect, type FinishedTask, type Outcome } from './outcome.ts'
import type { Task, TaskQueue } from './port.ts'

const IDLE_MS = 5000
/** Something is due and somebody else has it. */
const CONTENDED_MS = 10
const MOST_TIMERS = 500
const SETTLE_AGAIN_MS = 500
/** R6: fewer outcomes than this, with more than that under way, wait for company. */
const FEW_OUTCOMES = 16
const BUSY = 8
const COLLECT_MS = 5
const DRAIN_MS = { effects: 10_000, answers: 5000 }
const outcomes: ReadonlySet<unknown> = new Set<Outcome['kind']>(['done', 'retry', 'snooze', 'cancel'])

export interface TaskRunnerOptions {
  readonly queue: TaskQueue
  readonly effects: ReadonlyMap<string, Effect>
  /** Task types without an effect: due is done. */
  readonly timerTypes: readonly string[]
  /** Puts outcomes through the pipeline. Throws when the database is away. */
  readonly settle: (finished: readonly FinishedTask[]) => Promise<void>
  /** Measures attempts. */
  readonly clock?: Clock
  readonly timers: Timers
  /** Notified when tasks were enqueued. */
  readonly wake: Signal
  /**
   * How long a claim holds without being extended: what a task waits for whose process was killed. Defaults to 10 s; one that is
   * only slow extends it, and one that was paused for longer is asked again under the same key.
   */
  readonly leaseMs?: number
  readonly onAttempt?: (task: Task, outcome: Outcome, ms: number) => void
  readonly onError?: (error: Error) => void
}

interface Running {
  readonly task: Task
  readonly abort: AbortController
  /** By the monotonic clock, never later than the database's end of the lease. */
  leaseEndMs: number
}

interface Claimable {
  readonly types: readonly string[]
  readonly limit: number
}

export class TaskRunner {
  readonly #options: TaskRunnerOptions
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #running = new Set<Running>()
  readonly #active = new Map<string, number>()
  /** Types of which more was due than fitted. */
  readonly #full = new Set<string>()
  #finished: FinishedTask[] = []
  #settling: Promise<void> | undefined
  #draining = false

  constructor(options: TaskRunnerOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#leaseMs = options.leaseMs ?? 10_000
  }

  /** Works until `signal` aborts, then waits for the effects in flight and settles them (R5). */
  async run(signal: AbortSignal): Promise<void> {
    const { timers, wake, onError } = this.#options
    const stopped = new AbortController()
    const beating = this.#beat(stopped.signal)
    while (!signal.aborted) {
      try {
        await this.#claim()
        await wake.wait(await this.#waitMs(), signal)
      } catch (error) {
        onError?.(error as Error)
        await timers.sleep(SETTLE_AGAIN_MS, signal)
      }
    }
    this.#draining = true
    const end = this.#clock.monotonic() + DRAIN_MS.effects
    while (this.#running.size > 0 && this.#clock.monotonic() < end) await timers.sleep(20)
    for (const { abort } of this.#running) abort.abort(new Error('the process stops'))
    while (this.#running.size > 0) await timers.sleep(1)
    await this.#settling
    stopped.abort()
    await beating
  }

  #free({ type, concurrency }: Effect): number {
    return concurrency - (this.#active.get(type) ?? 0)
  }

  /** What could start now (R4). */
  #claimable(): Claimable[] {
    const { effects, timerTypes } = this.#options
    const claimable = [...effects.values()].map((effect): Claimable => ({
      types: [effect.type],
      limit: this.#free(effect),
    }))
    if (timerTypes.length > 0) claimable.push({ types: timerTypes, limit: MOST_TIMERS - this.#finished.length })
    return claimable.filter(({ limit }) => limit > 0)
  }

  async #claim(): Promise<void> {
    const { queue, effects } = this.#options
    const leaseEndMs = this.#clock.monotonic() + this.#leaseMs
    const claims = this.#claimable().map(async ({ types, limit }) => {
      const claimed = await queue.claim(types, limit, this.#leaseMs)
      for (const type of types) {
        if (claimed.length < limit) this.#full.delete(type)
        else this.#full.add(type)
      }
      return claimed
    })
    const settled = await Promise.allSettled(claims)
    // What was claimed is done even when another claim failed.
    const tasks = settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    for (const task of tasks) {
      const effect = effects.get(task.type)
      if (effect) void this.#perform(task, effect, leaseEndMs)
      else this.#finish({ task, outcome: { kind: 'due' } })
    }
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Places that become free wake the runner by themselves. */
  async #waitMs(): Promise<number> {
    const types = this.#claimable().flatMap((claimable) => claimable.types)
    if (types.length === 0) return IDLE_MS
    const next = (await this.#options.queue.nextDueInMs(types)) ?? IDLE_MS
    return next === 0 ? CONTENDED_MS : Math.min(next, IDLE_MS)
  }

  async #perform(task: Task, effect: Effect, leaseEndMs: number): Promise<void> {
    const startedAt = this.#clock.monotonic()
    const running = { task, abort: new AbortController(), leaseEndMs }
    this.#running.add(running)
    this.#active.set(task.type, (this.#active.get(task.type) ?? 0) + 1)
    const outcome = await this.#outcomeOf(running, effect)
    this.#running.delete(running)
    this.#active.set(task.type, this.#active.get(task.type)! - 1)
    this.#options.onAttempt?.(task, outcome, this.#clock.monotonic() - startedAt)
    this.#finish({ task, outcome })
    if (this.#full.has(task.type) && this.#free(effect) * 4 >= effect.concurrency) this.#options.wake.notify()
  }

  /** Never rejects (R2). */
  async #outcomeOf({ task, abort }: Running, effect: Effect): Promise<Outcome> {
    const stopTimeout = this.#options.timers.after(effect.timeoutMs, () =>
      abort.abort(new Error(`no answer within ${effect.timeoutMs} ms`)),
    )
    const aborted = new Promise<never>((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error), { once: true })
    })
    try {
      const { attempt, ageMs, id: key, requestId } = task
      const answer = await Promise.race([
        effect.run(task.data, { key, attempt, ageMs, requestId, signal: abort.signal }),
        aborted,
      ])
      if (!outcomes.has((answer as Partial<Outcome> | undefined)?.kind))
        throw new Error(`${effect.type} gave no outcome`)
      return answer
    } catch (error) {
      const cause = (abort.signal.aborted ? abort.signal.reason : error) as unknown
      return retry(cause instanceof Error ? cause.message : String(cause))
    } finally {
      stopTimeout()
    }
  }

  /** Outcomes settle in groups: while one transaction runs, the next group collects. */
  #finish(finished: FinishedTask): void {
    this.#finished.push(finished)
    this.#settling ??= this.#settleAll()
  }

  async #settleAll(): Promise<void> {
    await Promise.resolve()
    for (let failures = 0; this.#finished.length > 0;) {
      const timersWaited = this.#finished.length >= MOST_TIMERS
      if (this.#finished.length < FEW_OUTCOMES && this.#running.size > BUSY && !this.#draining) {
        await this.#options.timers.sleep(COLLECT_MS)
      }
      const batch = this.#finished.splice(0, MOST_TIMERS)
      try {
        await this.#options.settle(batch)
        failures = 0
      } catch (error) {
        this.#options.onError?.(error as Error)
        failures++
        // R3: past the lease somebody else asks again; keeping the answers longer would only fill memory.
        const keepMs = this.#draining ? Math.min(DRAIN_MS.answers, this.#leaseMs) : this.#leaseMs
        if (failures * SETTLE_AGAIN_MS < keepMs) this.#finished.unshift(...batch)
        await this.#options.timers.sleep(SETTLE_AGAIN_MS)
      }
      // What will be tried again may be due before the next look.
      if (timersWaited || batch.some(({ outcome }) => outcome.kind === 'retry' || outcome.kind === 'snooze')) {
        this.#options.wake.notify()
      }
    }
    // In the same turn as the last look: an answer that comes later starts anew.
    this.#settling = undefined
  }

  async #beat(stopped: AbortSignal): Promise<void> {
    while (!stopped.aborted) {
      await this.#options.timers.sleep(this.#leaseMs / 3, stopped)
      const running = [...this.#running]
      if (running.length === 0) continue
      const leaseEndMs = this.#clock.monotonic() + this.#leaseMs
      try {
        const holds = running.map(({ task }) => ({ id: task.id, token: task.token }))
        const held = new Set(await this.#options.queue.extend(holds, this.#leaseMs))
        for (const one of running) one.leaseEndMs = held.has(one.task.id) ? leaseEndMs : 0
      } catch (error) {
        this.#options.onError?.(error as Error)
      }
      const now = this.#clock.monotonic()
      for (const one of running) if (one.leaseEndMs <= now) one.abort.abort(new Error('the lease was lost'))
    }
  }
}
