import { expect, test } from 'vitest'
import { afterCall, fullBudget, retryBudget, takeRetry } from './budget.ts'
import type { Budget } from './budget.ts'

function drain(budget: Budget, nowMs: number): { granted: number; budget: Budget } {
  for (let granted = 0; ; granted++) {
    const answer = takeRetry(retryBudget, budget, nowMs)
    if (!answer.granted) return { granted, budget: answer.budget }
    budget = answer.budget
  }
}

test('a full budget grants its limit and no more', () => {
  expect(drain(fullBudget(retryBudget, 0), 0).granted).toBe(30)
})

test('three retries a second are earned by waiting', () => {
  const { budget } = drain(fullBudget(retryBudget, 0), 0)
  expect(drain(budget, 2_000).granted).toBe(6)
})

test('one retry is earned by ten calls', () => {
  let { budget } = drain(fullBudget(retryBudget, 0), 0)
  for (let i = 0; i < 101; i++) budget = afterCall(retryBudget, budget, 0) // one more than 100: 0.1 is not exact in binary
  expect(drain(budget, 0).granted).toBe(10)
})

test('a clock that goes back earns nothing', () => {
  const { budget } = drain(fullBudget(retryBudget, 10_000), 10_000)
  expect(takeRetry(retryBudget, budget, 0).granted).toBe(false)
  expect(takeRetry(retryBudget, takeRetry(retryBudget, budget, 0).budget, 10_000).granted).toBe(false)
})
