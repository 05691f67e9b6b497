import { expect } from 'vitest'
import { fc, test } from '@fast-check/vitest'
import { nextDelayMs } from './backoff.ts'
import { afterCall, fullBudget, retryBudget, takeRetry } from './budget.ts'
import type { Budget } from './budget.ts'
import { openMs } from './call.ts'

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const policy = fc.record({
  baseMs: fc.integer({ min: 1, max: 10_000 }),
  capMs: fc.integer({ min: 1, max: 1_000_000 }),
  attempts: fc.integer({ min: 1, max: 50 }),
})

test.prop([policy, fc.integer({ min: 1, max: 60 }), unit])(
  'a delay is a whole number within the cap, or there is none',
  (p, attempt, r) => {
    const delay = nextDelayMs(p, attempt, { next: () => r })
    if (attempt >= p.attempts) expect(delay).toBeUndefined()
    else {
      expect(Number.isInteger(delay)).toBe(true)
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThan(p.capMs)
    }
  },
)

test.prop([fc.integer({ min: 1, max: 2_000 }), unit])('the breaker stays open between 5 and 60 seconds', (time, r) => {
  expect(openMs(time, { next: () => r })).toBeGreaterThanOrEqual(5_000)
  expect(openMs(time, { next: () => r })).toBeLessThanOrEqual(60_000)
})

const step = fc.oneof(
  fc.record({ kind: fc.constant('call' as const), ms: fc.integer({ min: -500, max: 2_000 }) }),
  fc.record({ kind: fc.constant('retry' as const), ms: fc.integer({ min: -500, max: 2_000 }) }),
)

test.prop([fc.array(step, { maxLength: 300 })])('retries never exceed what calls and time earned', (steps) => {
  let now = 0
  let latest = 0
  let calls = 0
  let granted = 0
  let budget: Budget = fullBudget(retryBudget, now)
  for (const { kind, ms } of steps) {
    now += ms // also backwards: a clock that jumps back must earn nothing
    latest = Math.max(latest, now)
    if (kind === 'call') {
      calls++
      budget = afterCall(retryBudget, budget, now)
    } else {
      const answer = takeRetry(retryBudget, budget, now)
      budget = answer.budget
      if (answer.granted) granted++
    }
    expect(budget.tokens).toBeGreaterThanOrEqual(0)
    expect(budget.tokens).toBeLessThanOrEqual(retryBudget.limit)
    const earned = retryBudget.limit + retryBudget.ratio * calls + (retryBudget.perSecond * latest) / 1000
    expect(granted).toBeLessThanOrEqual(earned + 1e-6)
  }
})
