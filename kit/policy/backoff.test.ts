import { describe, expect, test } from 'vitest'
import { seeded } from '../core/prng.ts'
import { forever, longestDelayMs, nextDelayMs, requestBackoff, taskBackoff } from './backoff.ts'

const always = (value: number) => ({ next: () => value })

describe('backoff', () => {
  test('the bound doubles from the base to the cap', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7].map((attempt) => longestDelayMs(requestBackoff, attempt))
    expect(bounds).toEqual([50, 100, 200, 400, 800, 1600, 2000])
    expect(longestDelayMs(taskBackoff, 11)).toBe(900_000)
  })

  test('the delay is anywhere between nothing and the bound', () => {
    expect(nextDelayMs(requestBackoff, 2, always(0))).toBe(0)
    expect(nextDelayMs(requestBackoff, 2, always(0.999))).toBe(99)
  })

  test('a call inside a request is made three times at most', () => {
    expect(nextDelayMs(requestBackoff, 2, always(0.5))).toBe(50)
    expect(nextDelayMs(requestBackoff, 3, always(0.5))).toBeUndefined()
  })

  test('work without a last attempt backs off to the cap for ever', () => {
    expect(nextDelayMs(forever(taskBackoff), 100_000, always(0.5))).toBe(450_000)
  })

  test('the same seed gives the same delays', () => {
    const delays = (seed: number) => {
      const random = seeded(seed, 'backoff')
      return Array.from({ length: 10 }, (_, i) => nextDelayMs(taskBackoff, i + 1, random))
    }
    expect(delays(7)).toEqual(delays(7))
    expect(delays(7)).not.toEqual(delays(8))
  })
})
