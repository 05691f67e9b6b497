/**
 * A saga's runner: makes the deciders that move its instances, out of the pure machine and a binding to the row that embeds
 * the state. Every event type of every version is listened to; one timer row per instance wakes it at its deadline.
 *
 * The timer is not moved at every step: it comes due at the deadline it was set for, finds a later one in the row, and is set
 * again. A busy saga so writes it twice, at its begin and at its end.
 */
import type { Change, RowRef, Table } from '../database/table.ts'
import type { NewMessage } from '../log/message.ts'
import {
  accept,
  schedule,
  unchanged,
  unschedule,
  type Accepted,
  type Context,
  type Decider,
  type Rows,
} from '../pipeline/decision.ts'
import type { TaskChange } from '../task/port.ts'
import {
  hasEnded,
  onDeadline,
  onEvent,
  type Failure,
  type Move,
  type SagaDefinition,
  type SagaState,
} from './machine.ts'

export interface SagaBinding<Row extends object> {
  readonly table: Table<Row>
  /** Every version that an instance may still have begun with. */
  readonly definitions: readonly SagaDefinition<Row>[]
  /** Type of the deadline timer's task. */
  readonly timer: string
  /** The instance an event is about. */
  idOf(data: object): string
  stateOf(row: Row): SagaState
  withState(row: Row, state: SagaState, context: Context): Row
  /** Facts the row copies from an event, whether or not the saga still cares. */
  noting(row: Row, event: { readonly type: string; readonly data: object }): Row
  /** What to say and to do when it has ended. */
  ended(row: Row): { readonly messages: readonly NewMessage[]; readonly tasks: readonly TaskChange[] }
  /** What to say when an operator should look. */
  alarm(row: Row, reason: string): NewMessage
  /** Why a deadline cancels. */
  readonly deadline: Failure
}

export const timerId = (timer: string, id: string): string => `${timer}:${id}`

/** The definition an instance began with. Throws for a version that is no longer known: the message parks. */
export function definitionOf<Row extends object>(binding: SagaBinding<Row>, state: SagaState): SagaDefinition<Row> {
  const found = binding.definitions.find(({ version }) => version === state.version)
  if (found) return found
  throw new Error(
    `Version ${state.version} of saga ${binding.definitions[0]?.name} is not known here. ` +
      'Deploy a server that knows it, then redrive',
  )
}

/** A moved instance as a decision: the row, what it asks, its timer. */
export function moved<Row extends object>(binding: SagaBinding<Row>, row: Row, move: Move, context: Context): Accepted {
  const next = binding.withState(row, move.state, context)
  const id = binding.table.keyOf(row)
  const ended = hasEnded(move.state) && !hasEnded(binding.stateOf(row)) ? binding.ended(next) : undefined
  const messages = [
    ...move.messages,
    ...(move.alarm === undefined ? [] : [binding.alarm(next, move.alarm)]),
    ...(ended?.messages ?? []),
  ]
  const tasks = ended ? [unschedule(timerId(binding.timer, id)), ...ended.tasks] : []
  return accept({ changes: [binding.table.update(next)], messages, tasks, reply: next })
}

/** The timer of a new or overdue instance. */
export function deadlineTimer<Row extends object>(binding: SagaBinding<Row>, row: Row): TaskChange[] {
  const { deadlineAt } = binding.stateOf(row)
  if (deadlineAt === null) return []
  const key = binding.table.keyOf(row)
  return [schedule({ id: timerId(binding.timer, key), type: binding.timer, key, data: { id: key }, dueAt: deadlineAt })]
}

export function sagaMessages<Row extends object>(binding: SagaBinding<Row>): Decider[] {
  const types = new Set(
    binding.definitions.flatMap((saga) =>
      Object.values(saga.steps).flatMap((step) => [...Object.keys(step.on), ...(step.undo?.until ?? [])]),
    ),
  )
  return [...types].map((type) => ({
    type,
    lock: (data: object): RowRef[] => [binding.table.key(binding.idOf(data))],
    decide(data: object, rows: Rows, context: Context): Accepted {
      const row = rows.get(binding.table, binding.idOf(data))
      // Not ours: participants answer whoever asked, and others may ask too.
      if (!row) return unchanged
      const event = { type, data }
      const noted = binding.noting(row, event)
      const state = binding.stateOf(row)
      const move = onEvent(definitionOf(binding, state), state, event, noted, context.now)
      if (move) return moved(binding, noted, move, context)
      if (noted === row) return unchanged
      return accept({ changes: [binding.table.update(binding.withState(noted, state, context))] as Change[] })
    },
  }))
}

export function sagaTimer<Row extends object>(binding: SagaBinding<Row>): Decider {
  return {
    type: binding.timer,
    lock: ({ data }: { data: { id: string } }): RowRef[] => [binding.table.key(data.id)],
    decide({ data }: { data: { id: string } }, rows: Rows, context: Context): Accepted {
      const row = rows.get(binding.table, data.id)
      if (!row) return unchanged
      const state = binding.stateOf(row)
      if (hasEnded(state)) return unchanged
      const move = onDeadline(definitionOf(binding, state), state, binding.deadline, row, context.now)
      if (!move) return accept({ tasks: deadlineTimer(binding, row) })
      const decision = moved(binding, row, move, context)
      return {
        ...decision,
        tasks: [...decision.tasks, ...deadlineTimer(binding, binding.withState(row, move.state, context))],
      }
    },
  }
}
