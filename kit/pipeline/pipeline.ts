/**
 * The one transaction: claim → load rows → decide → save → settle → append → commit. Every change of domain state goes
 * through here, whatever its cause, in two round trips for a batch of any size.
 *
 * P1 Claim first: nothing is decided on a source that is not locked and verified in this transaction.
 * P2 A rejection is data. A throw sets its input alone aside. Neighbours go on.
 * P3 Only data that the database refuses is an input's fault; such a batch is bisected, each half a new transaction that
 *    claims again. A row that appeared meanwhile is loaded and decided again first. Lost races are retried whole.
 *    So is a batch in which a lock follows from what an earlier input did: locks are named before the first decision.
 * P4 An unknown COMMIT is run again from the claim: its locks wait for the old backend, and key, cursor or token tell.
 * P5 The lanes' heads are the last locks before COMMIT, in one flush with everything that is written. COMMIT is sent only
 *    when everything before it was.
 */
import { systemClock, type Clock, type Timers } from '../core/clock.ts'
import type { Random } from '../core/prng.ts'
import { blame, CommitUnknownError, type Blame } from '../database/errors.ts'
import type { Table } from '../database/table.ts'
import type { LaneHead, PendingMessage } from '../log/port.ts'
import type { PendingTask, PendingTimer } from '../task/port.ts'
import { unchanged, type Accepted, type Handler } from './decision.ts'
import { derivedId } from './derive.ts'
import type { Claim, Input, Result, Source } from './input.ts'
import { loadRows } from './load.ts'
import { allSent, together, type Transactions, type UnitOfWork } from './unit-of-work.ts'
import { DecisionError, UnnamedRowError, WorkingSet } from './working-set.ts'

const RETRIES: Record<Blame, number> = { appeared: 5, contention: 5, 'unknown-commit': 3, input: 0, unavailable: 0 }

export interface Committed {
  readonly kind: Input['kind']
  readonly results: readonly Result[]
  /** What was appended, in order, and the new heads of its lanes. */
  readonly messages: readonly PendingMessage[]
  readonly heads: readonly LaneHead[]
}

export interface PipelineOptions {
  readonly transactions: Transactions
  /** In the order in which every transaction of the service locks them. */
  readonly tables: readonly Table<object>[]
  readonly handler: (input: Input) => Handler<never> | undefined
  readonly timers: Timers
  readonly random: Random
  /** Measures `ms`. */
  readonly clock?: Clock
  /** Called after each commit. */
  readonly onCommit?: (committed: Committed, effects: { tasks: number; ms: number }) => void
}

interface Effects {
  readonly messages: PendingMessage[]
  readonly enqueued: PendingTask[]
  readonly scheduled: PendingTimer[]
  readonly unscheduled: string[]
}

export class Pipeline {
  readonly #options: PipelineOptions

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  /**
   * Runs a selection to the end and gives one result per claimed input. Throws when the database is away (nobody is blamed);
   * whatever was committed before that stays, and its results were told to the source's claim.
   */
  run<S>(source: Source<S>, selection: S): Promise<readonly Result[]> {
    return this.#run(source, selection, new Map())
  }

  async #run<S>(source: Source<S>, selection: S, refused: Map<string, Error>): Promise<readonly Result[]> {
    const tries: Partial<Record<Blame, number>> = {}
    for (;;) {
      try {
        return await this.#attempt(source, selection, refused)
      } catch (error) {
        if (error instanceof EarlierChange) {
          const parted = await this.#runParted(source, selection, refused)
          if (parted) return parted
          refused.set(error.input.id, error.cause)
          continue
        }
        const kind = blame(error)
        const count = (tries[kind] = (tries[kind] ?? 0) + 1)
        if (count <= RETRIES[kind]) {
          if (kind !== 'appeared') await this.#options.timers.sleep(this.#options.random.next() * 10 * 2 ** count)
          continue
        }
        if (kind !== 'input' && kind !== 'appeared') throw error
        const parted = await this.#runParted(source, selection, refused)
        if (parted) return parted
        const [culprit] = source.candidates(selection)
        if (!culprit || refused.has(culprit.id)) throw error
        refused.set(culprit.id, error as Error)
      }
    }
  }

  /** Each half by itself, in order. Undefined when it cannot be parted. */
  async #runParted<S>(source: Source<S>, selection: S, refused: Map<string, Error>): Promise<Result[] | undefined> {
    const halves = source.split(selection)
    if (!halves) return undefined
    const first = await this.#run(source, halves[0], refused)
    return [...first, ...(await this.#run(source, halves[1], refused))]
  }

  async #attempt<S>(source: Source<S>, selection: S, refused: ReadonlyMap<string, Error>): Promise<readonly Result[]> {
    const { transactions, tables, handler, clock = systemClock } = this.#options
    const startedAt = clock.monotonic()
    const work = await transactions.begin()
    try {
      const set = new WorkingSet()
      const candidates = source.candidates(selection).filter((input) => !refused.has(input.id))
      const load = () => loadRows(work.rows, set, tables, candidates, handler)
      // Statements run in the order of these calls; both are verified before anything is decided (P1).
      const loading = source.rowsFirst ? load() : undefined
      const claiming = source.claim(work, selection)
      const [now, claim, unloadable] = await together([work.begun, claiming, loading ?? load()])
      if (claim.inputs.length === 0 && claim.settles !== true) {
        await work.rollback()
        claim.committed?.([], [])
        return []
      }
      const effects: Effects = { messages: [], enqueued: [], scheduled: [], unscheduled: [] }
      const errors = new Map([...unloadable, ...refused])
      const results = claim.inputs.map((input) => this.#decide(claim, input, set, now, errors, effects))
      const heads = await this.#save(work, set, claim, results, now, effects)
      claim.committed?.(results, heads)
      const tasks = effects.enqueued.length + effects.scheduled.length
      this.#options.onCommit?.(
        { kind: source.kind, results, messages: effects.messages, heads },
        { tasks, ms: clock.monotonic() - startedAt },
      )
      return results
    } catch (error) {
      await work.rollback()
      throw error
    }
  }

  #decide(
    claim: Claim,
    input: Input,
    set: WorkingSet,
    now: number,
    errors: ReadonlyMap<string, Error>,
    effects: Effects,
  ): Result {
    if (claim.admits?.(input) === false) return { kind: 'held', input }
    try {
      const error = errors.get(input.id)
      if (error) throw error
      const decide = this.#options.handler(input)
      // A group moves past messages that mean nothing to it.
      if (!decide && input.kind === 'message') return { kind: 'decided', input, decision: unchanged }
      if (!decide) throw new Error(`Nothing handles ${input.kind} ${input.type}`)
      const context = { now: Math.max(now, input.notBefore ?? 0), inputId: input.id, requestId: input.requestId }
      const decision = decide.decide(input.data as never, set, context)
      // A promise, say: decisions are pure, so nothing in them can wait.
      if (!['accepted', 'rejected'].includes(decision?.kind)) throw new DecisionError(`${input.type} gave no decision`)
      claim.decided?.(input, decision)
      if (decision.kind === 'accepted') {
        // All that can throw comes before the first change, and the changes go in whole or not at all.
        const made = effectsOf(input, decision, context.now)
        set.apply(decision.changes)
        collect(effects, made)
      }
      return { kind: 'decided', input, decision }
    } catch (error) {
      if (error instanceof UnnamedRowError && set.isChanged && !errors.has(input.id))
        throw new EarlierChange(input, error)
      claim.refused?.(input)
      return { kind: 'aside', input, error: error instanceof Error ? error : new Error(String(error)) }
    }
  }

  async #save(
    work: UnitOfWork,
    set: WorkingSet,
    claim: Claim,
    results: readonly Result[],
    now: number,
    effects: Effects,
  ): Promise<readonly LaneHead[]> {
    const saves = this.#options.tables.map((table) => work.rows.save(table, set.changes(table)))
    const settled = [work.tasks.apply(effects), claim.settle(work, results, now)]
    const appended = work.log.append(effects.messages)
    const writes = [...saves, ...settled, appended]
    await allSent(writes)
    const commit = work.commit()
    // A connection that breaks now is first noticed by some statement before COMMIT, but the doubt is COMMIT's (P4).
    const doubt = commit.catch((error: unknown) => (error instanceof CommitUnknownError ? error : undefined))
    await together([...writes, commit]).catch(async (error: unknown) => {
      throw (blame(error) === 'unavailable' && (await doubt)) || error
    })
    return appended
  }
}

/** An input needed a row that it would have named after what was decided before it: it belongs into a batch of its own. */
class EarlierChange extends Error {
  override readonly name = 'EarlierChange'
  readonly input: Input
  override readonly cause: Error
  constructor(input: Input, cause: Error) {
    super(cause.message)
    this.input = input
    this.cause = cause
  }
}

interface Made {
  readonly messages: readonly PendingMessage[]
  readonly tasks: readonly (
    | { readonly kind: 'enqueue'; readonly task: PendingTask }
    | { readonly kind: 'schedule'; readonly timer: PendingTimer }
    | { readonly kind: 'unschedule'; readonly timerId: string }
  )[]
}

/** Gives a decision's messages and tasks their ids, derived from the input and their place. */
function effectsOf(input: Input, decision: Accepted, at: number): Made {
  const origin = { requestId: input.requestId, causeId: input.id, at }
  return {
    messages: decision.messages.map((message, i) => ({
      type: message.type,
      key: message.key,
      data: message.data,
      ...origin,
      id: derivedId(input.id, 'message', i),
    })),
    tasks: decision.tasks.map((change, i) => {
      if (change.kind === 'unschedule') return change
      if (change.kind === 'schedule') return { kind: 'schedule', timer: { ...change.timer, ...origin } }
      return { kind: 'enqueue', task: { ...change.task, ...origin, id: derivedId(input.id, 'task', i) } }
    }),
  }
}

/** Adds to what the batch makes. The last word of a batch on a timer counts. */
function collect(effects: Effects, { messages, tasks }: Made): void {
  effects.messages.push(...messages)
  for (const change of tasks) {
    if (change.kind === 'enqueue') effects.enqueued.push(change.task)
    else if (change.kind === 'schedule') {
      remove(effects.unscheduled, (id) => id === change.timer.id)
      remove(effects.scheduled, (timer) => timer.id === change.timer.id)
      effects.scheduled.push(change.timer)
    } else {
      remove(effects.scheduled, (timer) => timer.id === change.timerId)
      effects.unscheduled.push(change.timerId)
    }
  }
}

function remove<T>(list: T[], matches: (item: T) => boolean): void {
  const at = list.findIndex(matches)
  if (at >= 0) list.splice(at, 1)
}
