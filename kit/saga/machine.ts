/**
 * A saga as a pure state machine: where an instance stands, what it waits for, what undoes it.
 *
 *   step ──event──▶ next step ─ … ─▶ completed
 *    │ failed, cancelled, deadline (before the point of no return)
 *    ▼
 *   compensating ──each undo answered, last step first──▶ cancelled
 *
 * S1 The point of no return is the step marked `pivot`: from its entry on nobody can cancel, a deadline asks again and raises
 *    an alarm, and only an event of its own that fails compensates.
 * S2 A step that failed has nothing to undo; a step that was asked and not answered has, because its answer may come late.
 * S3 Compensation goes in reverse order, one undo at a time, and does not fail: it asks again until it is answered.
 * S4 Answers that no longer matter change nothing.
 * S5 An instance keeps the version of the definition it began with.
 * S6 A step whose entry is refused (`refuses`) is not begun, and the instance compensates: what is promised past the point of no
 *    return must still be possible.
 */
import type { NewMessage } from '../log/message.ts'

export interface Failure {
  readonly code: string
  readonly message: string
}

/** What an instance keeps. A row of the owner's table embeds it. */
export interface SagaState {
  /** A step's name, or one of the three below. */
  readonly status: string
  readonly version: number
  /** Event types still awaited, in a step that waits for several. */
  readonly waiting: readonly string[]
  /** Steps still to undo; the first is being undone. */
  readonly undo: readonly string[]
  readonly failure: Failure | null
  /** Milliseconds; when to look at it again. Null once it has ended. */
  readonly deadlineAt: number | null
}

export const COMPENSATING = 'compensating'
export const COMPLETED = 'completed'
export const CANCELLED = 'cancelled'

export const hasEnded = ({ status }: SagaState): boolean => status === COMPLETED || status === CANCELLED

/** Where an event leads. */
export type Route =
  | { readonly kind: 'go'; readonly to: string }
  /** Goes on when all events of this step have come. `as`: counts as this one of them. */
  | { readonly kind: 'all'; readonly to: string; readonly as?: string }
  /** Compensates. The event's own `code` and `message` say why, when it has them. */
  | { readonly kind: 'fail'; readonly code: string }

export const go = (to: string): Route => ({ kind: 'go', to })
export const all = (to: string): Route => ({ kind: 'all', to })
/** `instead('completed', 'PaymentCaptured')`: this event comes where that one was waited for. */
export const instead = (to: string, as: string): Route => ({ kind: 'all', to, as })
export const fail = (code: string): Route => ({ kind: 'fail', code })

export interface Step<Subject> {
  /** Why it must not be begun now; undefined when it may. */
  readonly refuses?: (subject: Subject, now: number) => Failure | undefined
  /** The questions asked on entry, and again when the deadline passes after the point of no return. */
  readonly ask: (subject: Subject) => readonly NewMessage[]
  readonly on: Readonly<Record<string, Route>>
  /** How long until the deadline. */
  readonly withinMs: number
  /** The point of no return. */
  readonly pivot?: boolean
  readonly undo?: {
    readonly ask: (subject: Subject) => NewMessage
    /** Events that say it is undone. */
    readonly until: readonly string[]
  }
}

export interface SagaDefinition<Subject> {
  readonly name: string
  readonly version: number
  /** In order; the first is where an instance begins. */
  readonly steps: Readonly<Record<string, Step<Subject>>>
  /** How often an unanswered undo is asked again. */
  readonly undoAgainMs: number
}

export interface Move {
  readonly state: SagaState
  readonly messages: readonly NewMessage[]
  /** An operator should look: what is overdue. */
  readonly alarm?: string
}

/** A new instance: in its first step, its question asked. */
export function begin<Subject>(saga: SagaDefinition<Subject>, subject: Subject, now: number): Move {
  const [first] = Object.keys(saga.steps)
  if (first === undefined) throw new Error(`Saga ${saga.name} has no steps`)
  const state: SagaState = {
    status: first,
    version: saga.version,
    waiting: [],
    undo: [],
    failure: null,
    deadlineAt: null,
  }
  return enter(saga, state, first, subject, now)
}

/** Undefined when the event no longer matters (S4). */
export function onEvent<Subject>(
  saga: SagaDefinition<Subject>,
  state: SagaState,
  event: { readonly type: string; readonly data: object },
  subject: Subject,
  now: number,
): Move | undefined {
  if (state.status === COMPENSATING) return onUndone(saga, state, event.type, subject, now)
  const route = saga.steps[state.status]?.on[event.type]
  if (!route) return undefined
  if (route.kind === 'fail') {
    const { code = route.code, message = '' } = event.data as Partial<Failure>
    return compensate(saga, state, { code, message }, stepsBefore(saga, state.status), subject, now)
  }
  if (route.kind === 'go') return enter(saga, state, route.to, subject, now)
  const awaited = route.as ?? event.type
  const waiting = state.waiting.filter((type) => type !== awaited)
  if (waiting.length === state.waiting.length) return undefined
  if (waiting.length === 0) return enter(saga, state, route.to, subject, now)
  return { state: { ...state, waiting }, messages: [] }
}

/** Undefined when it is past the point of no return (S1). An instance that is compensating or cancelled stays as it is. */
export function onCancel<Subject>(
  saga: SagaDefinition<Subject>,
  state: SagaState,
  failure: Failure,
  subject: Subject,
  now: number,
): Move | undefined {
  if (state.status === COMPENSATING || state.status === CANCELLED) return { state, messages: [] }
  if (state.status === COMPLETED || isPastReturn(saga, state.status)) return undefined
  return compensate(saga, state, failure, stepsUpTo(saga, state.status), subject, now)
}

/** Undefined when the deadline is not due, or the instance has ended: the timer is stale. */
export function onDeadline<Subject>(
  saga: SagaDefinition<Subject>,
  state: SagaState,
  failure: Failure,
  subject: Subject,
  now: number,
): Move | undefined {
  if (state.deadlineAt === null || now < state.deadlineAt) return undefined
  if (state.status === COMPENSATING) {
    const [current] = state.undo
    const ask = current === undefined ? undefined : saga.steps[current]?.undo?.ask(subject)
    const next = { ...state, deadlineAt: now + saga.undoAgainMs }
    return { state: next, messages: ask ? [ask] : [], alarm: `undoing ${current ?? 'nothing'} is overdue` }
  }
  const step = stepOf(saga, state.status)
  if (!isPastReturn(saga, state.status)) {
    return compensate(saga, state, failure, stepsUpTo(saga, state.status), subject, now)
  }
  const next = { ...state, deadlineAt: now + step.withinMs }
  return { state: next, messages: step.ask(subject), alarm: `${state.status} is overdue` }
}

function onUndone<Subject>(
  saga: SagaDefinition<Subject>,
  state: SagaState,
  type: string,
  subject: Subject,
  now: number,
): Move | undefined {
  const [current, ...rest] = state.undo
  if (current === undefined || !saga.steps[current]?.undo?.until.includes(type)) return undefined
  return undoNext(saga, state, rest, subject, now)
}

function enter<Subject>(
  saga: SagaDefinition<Subject>,
  state: SagaState,
  to: string,
  subject: Subject,
  now: number,
): Move {
  if (to === COMPLETED) return { state: { ...state, status: COMPLETED, waiting: [], deadlineAt: null }, messages: [] }
  const step = stepOf(saga, to)
  const refusal = step.refuses?.(subject, now)
  if (refusal) return compensate(saga, state, refusal, stepsBefore(saga, to), subject, now)
  const waiting = Object.entries(step.on).flatMap(([type, route]) =>
    route.kind === 'all' && route.as === undefined ? [type] : [],
  )
  return { state: { ...state, status: to, waiting, deadlineAt: now + step.withinMs }, messages: step.ask(subject) }
}

function compensate<Subject>(
  saga: SagaDefinition<Subject>,
  state: SagaState,
  failure: Failure,
  steps: readonly string[],
  subject: Subject,
  now: number,
): Move {
  const undo = steps.filter((name) => saga.steps[name]?.undo).toReversed()
  return undoNext(saga, { ...state, failure, waiting: [] }, undo, subject, now)
}

function undoNext<Subject>(
  saga: SagaDefinition<Subject>,
  state: SagaState,
  undo: readonly string[],
  subject: Subject,
  now: number,
): Move {
  const [current] = undo
  if (current === undefined) return { state: { ...state, status: CANCELLED, undo, deadlineAt: null }, messages: [] }
  const ask = stepOf(saga, current).undo!.ask(subject)
  return { state: { ...state, status: COMPENSATING, undo, deadlineAt: now + saga.undoAgainMs }, messages: [ask] }
}

function stepOf<Subject>(saga: SagaDefinition<Subject>, name: string): Step<Subject> {
  const step = saga.steps[name]
  if (!step) throw new Error(`Saga ${saga.name} version ${saga.version} has no step ${name}`)
  return step
}

const stepsBefore = (saga: SagaDefinition<never>, name: string): string[] => {
  const names = Object.keys(saga.steps)
  return names.slice(0, names.indexOf(name))
}

const stepsUpTo = (saga: SagaDefinition<never>, name: string): string[] => [...stepsBefore(saga, name), name]

const isPastReturn = (saga: SagaDefinition<never>, name: string): boolean =>
  stepsUpTo(saga, name).some((step) => saga.steps[step]?.pivot === true)
