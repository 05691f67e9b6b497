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
  /** When it was enqueued. */
  readonly createdAt: number
  /** How long before the claim that was, by the database's clock. */
  readonly ageMs: number
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
  /** Dead tasks back to open with fresh attempts. Gives the ids of those that were dead. */
  redrive(ids: readonly string[]): Promise<readonly string[]>
  /** Ends dead tasks as cancelled, without a decision. Gives the ids of those that were dead. */
  discard(ids: readonly string[], reason: string): Promise<readonly string[]>
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
  /** The full row of one task, for operators. */
  find(id: string): Promise<StoredTask | undefined>
  /** All tasks about any of these, oldest first, at most `limit`. */
  findByKey(keys: readonly string[], limit: number): Promise<readonly StoredTask[]>
  /** Dead tasks, those first that died first, at most `limit`. */
  dead(limit: number, filter?: DeadFilter): Promise<readonly DeadTask[]>
  findDead(id: string): Promise<DeadTask | undefined>
  /** Dead tasks by type and cause, most first. */
  deadCauses(): Promise<readonly DeadCause[]>
}

export interface StoredTask extends Omit<Task, 'token' | 'ageMs'> {
  readonly token: number
  readonly state: 'open' | 'done' | 'dead' | 'cancelled'
  readonly outcome: object | null
  readonly error: string | null
}

/** The place of a dead task among all: by when it died, then by id. */
export interface DeadPlace {
  readonly since: number
  readonly id: string
}

export interface DeadFilter {
  readonly type?: string | undefined
  readonly cause?: string | undefined
  /** Only those behind this one. */
  readonly after?: DeadPlace | undefined
}

export interface DeadTask extends DeadPlace {
  readonly type: string
  readonly key: string
  readonly data: object
  readonly attempt: number
  readonly requestId: string
  readonly outcome: object | null
  readonly error: string
  /** `causeOf(error)`. */
  readonly cause: string
}

export interface DeadCause {
  readonly type: string
  readonly cause: string
  readonly tasks: number
  /** When the first of them died. */
  readonly oldest: number
  /** Its id. */
  readonly example: string
}
