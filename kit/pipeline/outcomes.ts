/**
 * Finished tasks as a source: what an effect answered, or a timer whose time has come. The task row is locked by its fencing
 * token first: whoever lost the lease changes nothing (I11).
 *
 *   done, due, cancel       → decide, then done or cancelled
 *   retry, attempts left    → open again after the backoff; no decision
 *   retry, last attempt     → dead-lettered, and the decision is told 'exhausted'
 *   the decision throws     → dead-lettered with the outcome, for an operator
 */
import { halve } from '../core/collections.ts'
import type { Random } from '../core/prng.ts'
import { storableText } from '../database/values.ts'
import { forever, nextDelayMs, taskBackoff } from '../policy/backoff.ts'
import type { Effect, FinishedTask, TaskResult } from '../task/outcome.ts'
import type { Settlement } from '../task/port.ts'
import type { Claim, Input, Result, Source } from './input.ts'
import type { TaskInput } from './decision.ts'
import { describe } from './messages.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** When a snooze names no usable time. */
const SNOOZE_MS = 60_000
/** The year 3000. */
const LATEST_MS = 32_503_680_000_000

interface FinishedInput extends Input {
  readonly finished: FinishedTask
  readonly result: TaskResult
}

export interface OutcomeOptions {
  readonly effects: ReadonlyMap<string, Effect>
  readonly random: Random
}

export function outcomeSource(options: OutcomeOptions): Source<readonly FinishedTask[]> {
  const inputsOf = (finished: readonly FinishedTask[]) => finished.flatMap((one) => inputOf(one, options.effects))
  return {
    kind: 'task',
    candidates: inputsOf,
    rowsFirst: true,
    split: (selection) => (selection.length > 1 ? halve(selection) : undefined),
    async claim(work, selection) {
      const held = await work.tasks.lock(selection.map(({ task }) => ({ id: task.id, token: task.token })))
      // By token too: a runner that lost a lease and claimed the task anew may bring both answers in one batch.
      const tokens = new Map(held.map(({ id, token }) => [id, token]))
      return new OutcomeClaim(
        selection.filter(({ task }) => tokens.get(task.id) === task.token),
        inputsOf,
        options,
      )
    },
  }
}

/** The input of a finished task, or nothing when it will merely be tried again. */
function inputOf(finished: FinishedTask, effects: ReadonlyMap<string, Effect>): FinishedInput[] {
  const { task, outcome } = finished
  const result = resultOf(finished, effects)
  if (!result) return []
  const data: TaskInput<object> = { taskId: task.id, data: task.data, result }
  // A task decides once per end: the token tells a timer's firings apart, so that each derives ids of its own.
  const id = `${task.id}:${task.token}`
  const input = { id, kind: 'task', type: task.type, data, requestId: task.requestId, finished, result } as const
  return [outcome.kind === 'due' ? { ...input, notBefore: task.dueAt } : input]
}

function resultOf({ task, outcome }: FinishedTask, effects: ReadonlyMap<string, Effect>): TaskResult | undefined {
  switch (outcome.kind) {
    case 'due':
      return { kind: 'due' }
    case 'done':
      return { kind: 'done', result: outcome.result }
    case 'cancel':
      return { kind: 'cancelled', reason: storableText(outcome.reason) }
    case 'snooze':
      return undefined
    case 'retry': {
      const attempts = effects.get(task.type)?.backoff.attempts ?? Number.POSITIVE_INFINITY
      return task.attempt >= attempts ? { kind: 'exhausted', reason: storableText(outcome.reason) } : undefined
    }
  }
}

class OutcomeClaim implements Claim {
  readonly inputs: readonly FinishedInput[]
  readonly settles: boolean
  readonly #held: readonly FinishedTask[]
  readonly #options: OutcomeOptions

  constructor(
    held: readonly FinishedTask[],
    inputsOf: (finished: readonly FinishedTask[]) => FinishedInput[],
    options: OutcomeOptions,
  ) {
    this.#held = held
    this.#options = options
    this.inputs = inputsOf(held)
    this.settles = held.length > 0
  }

  settle(work: UnitOfWork, results: readonly Result[], now: number): Promise<void> {
    const decided = new Set(results.map(({ input }) => (input as FinishedInput).finished))
    const again = this.#held.filter((finished) => !decided.has(finished)).map((finished) => this.#reopen(finished, now))
    return work.tasks.settle([...results.map(settlementOf), ...again])
  }

  #reopen({ task, outcome }: FinishedTask, now: number): Settlement {
    const hold = { id: task.id, token: task.token, state: 'open' } as const
    if (outcome.kind === 'snooze') {
      return {
        ...hold,
        dueAt: sensible(outcome.untilMs) ? outcome.untilMs : now + SNOOZE_MS,
        error: null,
        refund: true,
      }
    }
    if (outcome.kind !== 'retry') throw new Error(`A task that ended with ${outcome.kind} does not reopen`)
    const backoff = this.#options.effects.get(task.type)?.backoff ?? forever(taskBackoff)
    const asked = sensible(outcome.afterMs) ? outcome.afterMs : undefined
    const delayMs = asked ?? nextDelayMs(backoff, task.attempt, this.#options.random) ?? backoff.capMs
    return { ...hold, dueAt: now + delayMs, error: storableText(outcome.reason), refund: false }
  }
}

/** Effects make times of what providers say (`Retry-After`); what is no time must not stop the tasks beside it. */
const sensible = (ms: number | undefined): ms is number => ms !== undefined && ms >= 0 && ms <= LATEST_MS

function settlementOf(result: Result): Settlement {
  const { finished, result: ended } = result.input as FinishedInput
  const hold = { id: finished.task.id, token: finished.task.token, outcome: ended }
  if (result.kind === 'aside') return { ...hold, state: 'dead', error: describe(result.error) }
  if (ended.kind === 'exhausted') return { ...hold, state: 'dead', error: ended.reason }
  if (ended.kind === 'cancelled') return { ...hold, state: 'cancelled', error: ended.reason }
  return { ...hold, state: 'done', error: null }
}
