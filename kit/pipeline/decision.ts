/**
 * Decisions: pure functions from (input, rows, context) to what shall be. No clock, no randomness, no I/O, no mutation:
 * the same input, rows and `now` give the same decision, byte for byte (I14).
 */
import type { Change, RowRef, Table } from '../database/table.ts'
import type { MessageType, NewMessage } from '../log/message.ts'
import type { TaskResult } from '../task/outcome.ts'
import type { NewTask, TaskChange, Timer } from '../task/port.ts'

/** The rows that `lock` named, with the changes of earlier decisions of the same batch. */
export interface Rows {
  /** Undefined when there is no such row. Throws when the input did not name it: that would be an unlocked read. */
  get<Row extends object>(table: Table<Row>, key: string): Row | undefined
}

export interface Context {
  /** Milliseconds, the database's clock at the claim; never before a claimed timer's due time. */
  readonly now: number
  /** The input's id: ids of what this decision makes are derived from it. */
  readonly inputId: string
  readonly requestId: string
}

export interface Accepted {
  readonly kind: 'accepted'
  readonly changes: readonly Change[]
  readonly messages: readonly NewMessage[]
  readonly tasks: readonly TaskChange[]
  /** What the caller of a command is told. */
  readonly reply: unknown
}

export interface Rejected {
  readonly kind: 'rejected'
  /** From the service's catalogue; http.ts gives it a status. */
  readonly code: string
  readonly detail: string
  /** False when the answer must not be stored under the idempotency key, because it may change. */
  readonly keep: boolean
}

export type Decision = Accepted | Rejected

export interface Acceptance {
  readonly changes?: readonly Change[]
  readonly messages?: readonly NewMessage[]
  readonly tasks?: readonly TaskChange[]
  readonly reply?: unknown
}

export function accept({ changes = [], messages = [], tasks = [], reply }: Acceptance): Accepted {
  return { kind: 'accepted', changes, messages, tasks, reply }
}

/** Accepted, and nothing changes: the input was seen before, or no longer matters. */
export const unchanged: Accepted = accept({})

export function reject(code: string, detail: string, { keep = true } = {}): Rejected {
  return { kind: 'rejected', code, detail, keep }
}

export const enqueue = (task: NewTask): TaskChange => ({ kind: 'enqueue', task })
export const schedule = (timer: Timer): TaskChange => ({ kind: 'schedule', timer })
export const unschedule = (timerId: string): TaskChange => ({ kind: 'unschedule', timerId })

export interface Handler<Data> {
  /**
   * Names the rows an input needs. Called again after a table was loaded when it asked `rows` for one; then it may only add
   * rows of later tables in the service's order.
   */
  lock(data: Data, rows: Rows): readonly RowRef[]
  decide(data: Data, rows: Rows, context: Context): Decision
}

/** What the decision of a finished task sees. */
export interface TaskInput<Data> {
  readonly taskId: string
  readonly data: Data
  readonly result: TaskResult
}

/** A handler with the type of input it is for. */
export interface Decider extends Handler<never> {
  readonly type: string
}

/** `on(StockReserved, { lock, decide })` for messages. */
export function on<Data extends object>(type: MessageType<Data>, handler: Handler<Data>): Decider {
  return { type: type.type, ...handler }
}

/** `onCommand<CreateOrder>('CreateOrder', { lock, decide })`. */
export function onCommand<Data>(type: string, handler: Handler<Data>): Decider {
  return { type, ...handler }
}

/** `onTask<Booking>('book-shipment', { lock, decide })`: for the result of an effect, or a timer come due. */
export function onTask<Data>(type: string, handler: Handler<TaskInput<Data>>): Decider {
  return { type, ...handler }
}

/** A decision as text, tables by their names: two that are the same have the same. */
export const decisionText = (decision: Decision): string =>
  JSON.stringify(decision, (_, value: unknown) => (isTable(value) ? value.name : value))

const isTable = (value: unknown): value is { readonly name: string } =>
  typeof value === 'object' && value !== null && 'keyColumn' in value
