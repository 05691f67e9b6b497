/**
 * The retry budget: retries may be 10 % of the calls plus 3 a second, whatever each caller's own policy would allow. When a
 * dependency fails for everyone, per-call retries multiply the load exactly when it is least wanted; the budget bounds the sum.
 *
 * A token bucket as a value: time comes in, a new state comes out. Invariants:
 *   1. 0 <= tokens <= limit: quiet hours do not save up a storm.
 *   2. Over any span, granted retries <= limit + ratio * calls + perSecond * seconds.
 *   3. A clock that stands still or goes back adds nothing and takes nothing.
 */

export interface BudgetPolicy {
  /** Retries earned by each first call. */
  readonly ratio: number
  /** Retries earned by each second. */
  readonly perSecond: number
  /** The most that can be saved up. */
  readonly limit: number
}

export interface Budget {
  readonly tokens: number
  /** When `tokens` was last brought up to date, in ms of the clock that is passed in. */
  readonly atMs: number
}

/** 10 % and 3 a second; at most ten seconds' worth is saved. */
export const retryBudget: BudgetPolicy = { ratio: 0.1, perSecond: 3, limit: 30 }

/** A full budget: the first failures after a start may be retried. */
export const fullBudget = (policy: BudgetPolicy, nowMs: number): Budget => ({ tokens: policy.limit, atMs: nowMs })

/** After one first call (not a retry) was made. */
export function afterCall(policy: BudgetPolicy, budget: Budget, nowMs: number): Budget {
  return refill(policy, budget, nowMs, policy.ratio)
}

/** Asks for one retry: whether it is granted, and the budget afterwards. */
export function takeRetry(policy: BudgetPolicy, budget: Budget, nowMs: number): { granted: boolean; budget: Budget } {
  const now = refill(policy, budget, nowMs, 0)
  if (now.tokens < 1) return { granted: false, budget: now }
  return { granted: true, budget: { ...now, tokens: now.tokens - 1 } }
}

function refill(policy: BudgetPolicy, budget: Budget, nowMs: number, earned: number): Budget {
  const atMs = Math.max(budget.atMs, nowMs)
  const tokens = budget.tokens + earned + ((atMs - budget.atMs) / 1000) * policy.perSecond
  return { tokens: Math.min(policy.limit, tokens), atMs }
}
