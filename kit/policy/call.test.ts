import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CallAborted, ProviderBusy, ProviderTimedOut, ProviderUnavailable, openMs, providerPolicy } from './call.ts'

const half = { next: () => 0.5 }
const fails = () => Promise.reject(new Error('503'))
const works = () => Promise.resolve('ok')
const never = () => new Promise<never>(() => {})

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

const policy = (more: Partial<Parameters<typeof providerPolicy>[0]> = {}) =>
  providerPolicy({ name: 'cards', timeoutMs: 1_000, concurrency: 2, random: half, ...more })

async function failing(guard: ReturnType<typeof policy>, times: number) {
  for (let i = 0; i < times; i++) await guard.call(fails).catch(() => {})
}

describe('timeout', () => {
  test('an answer in time is passed on', async () => {
    expect(await policy().call(works)).toBe('ok')
  })

  test('no answer in time is an unknown outcome, and the call is told to stop', async () => {
    let told = false
    const call = policy().call((signal) => {
      signal.addEventListener('abort', () => (told = true))
      return never()
    })
    const outcome = expect(call).rejects.toThrow(ProviderTimedOut)
    await vi.advanceTimersByTimeAsync(1_000)
    await outcome
    expect(told).toBe(true)
  })

  test('a caller that gives up gets CallAborted, which is not held against the provider', async () => {
    const guard = policy({ concurrency: 100 })
    for (let i = 0; i < 40; i++) {
      const stop = new AbortController()
      const call = guard.call(never, stop.signal)
      const outcome = expect(call).rejects.toThrow(CallAborted)
      stop.abort()
      await outcome
    }
    expect(guard.state()).toBe('closed')
    await expect(guard.call(works, AbortSignal.abort())).rejects.toThrow(CallAborted)
  })
})

describe('bulkhead', () => {
  test('one call too many is refused at once and never made', async () => {
    const guard = policy()
    const made = vi.fn(never)
    const running = [guard.call(made).catch(() => {}), guard.call(made).catch(() => {})]
    await expect(guard.call(made)).rejects.toThrow(ProviderBusy)
    expect(made).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all(running)
    expect(await guard.call(works)).toBe('ok')
  })

  test('being busy is not the provider failing', async () => {
    const guard = policy({ concurrency: 1 })
    const running = guard.call(never).catch(() => {})
    for (let i = 0; i < 50; i++) await guard.call(works).catch(() => {})
    expect(guard.state()).toBe('closed')
    await vi.advanceTimersByTimeAsync(1_000)
    await running
  })
})

describe('breaker', () => {
  test('stays closed below 20 calls, opens at half of 20', async () => {
    const states: string[] = []
    const guard = policy({ onState: (state) => states.push(state) })
    for (let i = 0; i < 10; i++) await guard.call(works)
    await failing(guard, 9)
    expect(guard.state()).toBe('closed')
    await failing(guard, 1)
    expect(guard.state()).toBe('open')
    expect(states).toEqual(['open'])
  })

  test('stays closed when fewer than half fail', async () => {
    const guard = policy()
    for (let i = 0; i < 100; i++) {
      await guard.call(works)
      await guard.call(works)
      await failing(guard, 1)
    }
    expect(guard.state()).toBe('closed')
  })

  test('open: not called, and says when to come back; then one probe closes it', async () => {
    const guard = policy()
    await failing(guard, 20)
    const made = vi.fn(works)
    const refusal = await guard.call(made).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ProviderUnavailable)
    expect((refusal as ProviderUnavailable).retryAfterMs).toBe(openMs(1, half))
    expect(made).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(openMs(1, half))
    expect(await guard.call(made)).toBe('ok')
    expect(guard.state()).toBe('closed')
  })

  test('a probe that fails opens it for twice as long', async () => {
    const guard = policy()
    await failing(guard, 20)
    await vi.advanceTimersByTimeAsync(openMs(1, half))
    await failing(guard, 1)
    const refusal = await guard.call(works).catch((error: unknown) => error)
    expect((refusal as ProviderUnavailable).retryAfterMs).toBe(openMs(2, half))
  })

  test('a rejection that is not a failure does not count', async () => {
    class Declined extends Error {}
    const guard = policy({ isFailure: (error) => !(error instanceof Declined) })
    for (let i = 0; i < 40; i++) await guard.call(() => Promise.reject(new Declined())).catch(() => {})
    expect(guard.state()).toBe('closed')
  })

  test('open times double from 5 s to 60 s', () => {
    const none = { next: () => 0 }
    expect([1, 2, 3, 4, 5, 6].map((time) => openMs(time, none))).toEqual([
      5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
    ])
  })
})
