/**
 * The runs of labs, in memory: a run is a process on this machine, and no state of the shop. What is true of them:
 *
 *   1. One at a time. From its start until its process has gone a run is `running`, and another one is refused.
 *   2. The last event of every run is its result, or why there is none; whoever reads the events sees how it ended.
 *   3. Events are numbered from 0, without a hole. Progress is told 20 times a second at most.
 *   4. The last 20 runs are kept. A key is kept for a day with the answer to it, which a repeat gets again; it is gone when the
 *      server ends, and with it the run.
 */
import { days, minutes, type Clock, type Timers } from '@cauce/kit/core/clock'
import { prefixed, type IdSource } from '@cauce/kit/core/ids'
import { verdict, type KeyRecord, type KeyVerdict, type StoredReply } from '@cauce/kit/idempotency/port'
import type { RunCommand } from '@cauce/labs/contract'
import type { LabProcess, LabProgram } from './labs-program.ts'
import type { LabEvent, Run } from './labs-schemas.ts'

export interface LabRunsOptions {
  readonly program: Pick<LabProgram, 'start'>
  readonly ids: IdSource
  readonly clock: Clock
  readonly timers: Timers
}

const KEPT_RUNS = 20
const KEPT_KEYS = 1_000
const KEY_TTL_MS = days(1)
const PROGRESS_APART_MS = 50
/** No lab takes a quarter of this, whatever its parameters. */
const LIMIT_MS = minutes(5)

export class LabRuns {
  readonly #options: LabRunsOptions
  readonly #runs = new Map<string, LabRun>()
  readonly #keys = new Map<string, KeyRecord>()
  #current: LabRun | undefined
  #closed = false

  constructor(options: LabRunsOptions) {
    this.#options = options
  }

  /** The one that runs. */
  get current(): LabRun | undefined {
    return this.#current
  }

  /** Whether this server is about to end: no run begins. */
  get closed(): boolean {
    return this.#closed
  }

  find(id: string): LabRun | undefined {
    return this.#runs.get(id)
  }

  /** There must be no current one. */
  start(command: RunCommand): LabRun {
    if (this.#current || this.#closed) throw new Error('A lab runs, or the server ends')
    const run = new LabRun(prefixed('run', this.#options.ids.draw()), command, this.#options)
    this.#current = run
    this.#runs.set(run.id, run)
    const [oldest] = this.#runs.keys()
    if (this.#runs.size > KEPT_RUNS && oldest !== undefined) this.#runs.delete(oldest)
    void run.ended.then(() => {
      this.#current = undefined
    })
    return run
  }

  /** What a key has been used for. */
  answered(key: string, fingerprint: string): KeyVerdict {
    return verdict(this.#keys.get(key), fingerprint, this.#options.clock.now())
  }

  keep(id: string, fingerprint: string, requestId: string, reply: StoredReply): void {
    this.#keys.delete(id)
    this.#keys.set(id, { id, fingerprint, requestId, expiresAt: this.#options.clock.now() + KEY_TTL_MS, ...reply })
    const [oldest] = this.#keys.keys()
    if (this.#keys.size > KEPT_KEYS && oldest !== undefined) this.#keys.delete(oldest)
  }

  /** Ends what runs, without waiting for it. */
  close(): void {
    this.#closed = true
    this.#current?.stop()
  }
}

type Outcome = Pick<Run, 'result' | 'error'> & { readonly status: Exclude<Run['status'], 'running'> }

export class LabRun {
  readonly id: string
  /** Its process has gone, and with it all that it started. */
  readonly ended: Promise<void>
  readonly #command: RunCommand
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #process: LabProcess
  readonly #events: LabEvent[] = []
  readonly #watchers = new Set<() => void>()
  #finishedAt: number | undefined
  #outcome: Outcome | undefined
  #stopping: 'cancelled' | 'late' | undefined
  #lastProgressMs = -Infinity

  constructor(id: string, command: RunCommand, { program, clock, timers }: LabRunsOptions) {
    this.id = id
    this.#command = command
    this.#clock = clock
    this.#startedAt = clock.now()
    this.#process = program.start([command], (event) => this.#hear(event))
    const cancelLimit = timers.after(LIMIT_MS, () => this.#stop('late'))
    this.ended = this.#process.ended
      .catch((error: unknown) => `It did not start. ${(error as Error).message}`)
      .then((problem) => {
        cancelLimit()
        this.#finish(problem)
      })
  }

  get running(): boolean {
    return this.#finishedAt === undefined
  }

  /** How many events there are so far. */
  get told(): number {
    return this.#events.length
  }

  event(index: number): LabEvent | undefined {
    return this.#events[index]
  }

  /** Calls `changed` when there are more events, and when it has ended. Returns how to stop. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => void this.#watchers.delete(changed)
  }

  /** Ends it early. It is over when its process has gone. */
  stop(): void {
    this.#stop('cancelled')
  }

  show(): Run {
    const { id: lab, seed, size } = this.#command
    const { status, result, error } =
      this.running || !this.#outcome ? { status: 'running' as const, result: null, error: null } : this.#outcome
    return {
      id: this.id,
      lab,
      status,
      seed,
      size,
      startedAt: new Date(this.#startedAt).toISOString(),
      finishedAt: this.#finishedAt === undefined ? null : new Date(this.#finishedAt).toISOString(),
      result,
      error,
    }
  }

  #stop(why: 'cancelled' | 'late'): void {
    if (!this.running || this.#stopping) return
    this.#stopping = why
    this.#process.stop()
  }

  #hear(event: LabEvent): void {
    // Nothing comes after the last one (2).
    if (this.#outcome) return
    if (event.type === 'progress' && event.done < event.total && this.#isSoon()) return
    this.#outcome = outcomeOf(event, this.#stopping)
    this.#events.push(event)
    this.#tell()
  }

  #isSoon(): boolean {
    const now = this.#clock.monotonic()
    if (now - this.#lastProgressMs < PROGRESS_APART_MS) return true
    this.#lastProgressMs = now
    return false
  }

  #finish(problem: string | undefined): void {
    if (!this.#outcome) {
      const code = this.#stopping === 'cancelled' ? 'interrupted' : 'broken'
      const message = this.#stopping ? 'Interrupted' : (problem ?? 'It ended without a result')
      this.#hear({ type: 'failed', code, message })
    }
    this.#finishedAt = this.#clock.now()
    this.#tell()
  }

  #tell(): void {
    for (const changed of this.#watchers) changed()
  }
}

function outcomeOf(event: LabEvent, stopping: 'cancelled' | 'late' | undefined): Outcome | undefined {
  if (event.type === 'result')
    return { status: event.result.verdict === 'pass' ? 'passed' : 'failed', result: event.result, error: null }
  if (event.type !== 'failed') return undefined
  if (stopping === 'late')
    return { status: 'broken', result: null, error: `It did not end within ${LIMIT_MS / 1000} s, and was ended` }
  return { status: stopping ? 'cancelled' : 'broken', result: null, error: event.message }
}
