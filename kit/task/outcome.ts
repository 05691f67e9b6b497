/**
 * What an effect says of itself. Whether to try again is in the type, never guessed from an exception: a throw counts as an
 * unknown outcome and is retried with the same key.
 */
import type { Backoff } from '../policy/backoff.ts'
import type { Task } from './port.ts'

export type Outcome =
  /** Happened; `result` goes to the decision. */
  | { readonly kind: 'done'; readonly result: object }
  /** Did not happen, or nobody knows: again with the same key, after `afterMs` or the policy's backoff. */
  | { readonly kind: 'retry'; readonly reason: string; readonly afterMs?: number }
  /** Not now, and not an attempt: again at `untilMs`. */
  | { readonly kind: 'snooze'; readonly untilMs: number }
  /** Will never happen; the decision is told. */
  | { readonly kind: 'cancel'; readonly reason: string }

export const done = (result: object = {}): Outcome => ({ kind: 'done', result })
export const retry = (reason: string, afterMs?: number): Outcome =>
  afterMs === undefined ? { kind: 'retry', reason } : { kind: 'retry', reason, afterMs }
export const snooze = (untilMs: number): Outcome => ({ kind: 'snooze', untilMs })
export const cancel = (reason: string): Outcome => ({ kind: 'cancel', reason })

export interface EffectContext {
  /** The provider's idempotency key: the task's id. */
  readonly key: string
  /** 1 for the first. */
  readonly attempt: number
  /** How long ago it was enqueued, in milliseconds: a provider may have forgotten the key of an old one. */
  readonly ageMs: number
  readonly requestId: string
  /** Aborted when the lease is lost or the process drains: the answer no longer counts. */
  readonly signal: AbortSignal
}

/** A task type with an effect. */
export interface Effect {
  readonly type: string
  run(data: object, context: EffectContext): Promise<Outcome>
  /** After its last attempt the task is dead-lettered and its decision is told; Infinity for what may never be given up. */
  readonly backoff: Backoff
  /** Longest run of one attempt. The lease is extended while it runs. */
  readonly timeoutMs: number
  /** Most runs at once in this process. */
  readonly concurrency: number
}

/** What the decision gets to see of a finished task. */
export type TaskResult =
  | { readonly kind: 'done'; readonly result: object }
  | { readonly kind: 'cancelled'; readonly reason: string }
  /** The last attempt failed. Whether it happened is unknown. */
  | { readonly kind: 'exhausted'; readonly reason: string }
  /** A timer's time has come. */
  | { readonly kind: 'due' }

/** A task with what its effect said, on its way into the pipeline. */
export interface FinishedTask {
  readonly task: Task
  readonly outcome: Outcome | { readonly kind: 'due' }
}
