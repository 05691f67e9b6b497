/**
 * Tasks: effects on the outside world, and timers. A row enqueued in the transaction that decided it.
 *
 *   open ──claim──▶ open, leased ──settle──▶ done | dead | cancelled
 *    ▲                   │ retry, snooze, lease over
 *    └───────────────────┘
 *
 * K1 `dueAt` is the moment a task may be claimed next; a claim moves it to the end of the lease, so an abandoned task comes
 *    back by itself. All by the database's clock.
 * K2 Every claim takes the next fencing token; a holder can settle or extend only with the current one.
 * K3 The id is derived from the deciding input, and is the provider's idempotency key: a retry cannot charge twice.
 * K4 A timer is a task without an effect that is due later; it has a name of its own and is moved or cancelled by it. Its
 *    row stays, so that its tokens go on (K2).
 */

/** What a decision returns. `type` names the effect or the timer. */
export interface NewTask {
  readonly type: string
  /** What the task is about: the order or payment id. */
  readonly key: string
  readonly data: object
  /** Milliseconds since the epoch; now when absent. */
  readonly dueAt?: number
}

export interface Timer {
  /** Names the one timer row: scheduling again moves it. */
  readonly id: string
  readonly type: string
  readonly key: string
  readonly data: object
  readonly dueAt: number
}

export type TaskChange =
  | { readonly kind: 'enqueue'; readonly task: NewTask }
  | { readonly kind: 'schedule'; readonly timer: Timer }
  | { readonly kind: 'unschedule'; readonly timerId: string }

export interface PendingTask extends NewTask {
  readonly id: string
  readonly requestId: string
  readonly causeId: string
  /** `now` of the decision. */
  readonly at: number
}

export interface Task {
  readonly id: string
  readonly type: string
  readonly key: string
  readonly data: object
  /** Attempts begun, this one included. A snooze gives its attempt back. */
  readonly attempt: number
  readonly token: number
  /** When it was due: the claim has moved the row's own `dueAt` to the end of the lease. */
  readonly dueAt: number
  readonly requestId: string
}

/** Identifies a claim. */
export interface TaskHold {
  readonly id: string
  readonly token: number
}

export type Settlement = TaskHold &
  (
    | { readonly state: 'done' | 'cancelled' | 'dead'; readonly outcome: object | null; readonly error: string | null }
    /** Comes back at `dueAt`; with `refund` the attempt does not count. */
    | { readonly state: 'open'; readonly dueAt: number; readonly error: string | null; readonly refund: boolean }
  )

/** Within a transaction. */
export interface TaskStore {
  apply(changes: {
    enqueued: readonly PendingTask[]
    scheduled: readonly PendingTimer[]
    unscheduled: readonly string[]
  }): Promise<void>
  /** Locks the tasks whose token is still current; the others are gone (K2). */
  lock(holds: readonly TaskHold[]): Promise<readonly TaskHold[]>
  settle(settlements: readonly Settlement[]): Promise<void>
}

export interface PendingTimer extends Timer {
  readonly requestId: string
  readonly causeId: string
  readonly at: number
}

export interface TaskStats {
  readonly type: string
  readonly state: 'open' | 'dead'
  readonly count: number
}

/** Outside a transaction of a decision: each call is a transaction of its own. */
export interface TaskQueue {
  /** Claims up to `limit` due tasks of these types, oldest first. */
  claim(types: readonly string[], limit: number, leaseMs: number): Promise<readonly Task[]>
  /** Moves the end of these leases to `leaseMs` from now. Gives the ids still held. */
  extend(holds: readonly TaskHold[], leaseMs: number): Promise<readonly string[]>
  /** Milliseconds until the next task of these types is due, at least 0; undefined when there is none. */
  nextDueInMs(types: readonly string[]): Promise<number | undefined>
  /** How many tasks are open and how many dead, per type. Those that ended well are not counted. */
  stats(): Promise<readonly TaskStats[]>
  /** A dead task back to open with fresh attempts. True when there was one. */
  redrive(id: string): Promise<boolean>
  /** The full row of one task, for operators. */
  find(id: string): Promise<StoredTask | undefined>
}

export interface StoredTask extends Omit<Task, 'token'> {
  readonly token: number
  readonly state: 'open' | 'done' | 'dead' | 'cancelled'
  readonly outcome: object | null
  readonly error: string | null
}
