import { describe, expect, it } from 'vitest'
import { ManualTime } from './manual-time.ts'

describe('manual time', () => {
  it('runs what is due, in order of time and then of setting', async () => {
    const time = new ManualTime(1000)
    const ran: string[] = []
    time.after(20, () => ran.push('c'))
    time.after(10, () => ran.push('a'))
    time.after(10, () => ran.push('b'))
    await time.advance(10)
    expect(ran).toEqual(['a', 'b'])
    await time.advance(9)
    expect(ran).toEqual(['a', 'b'])
    await time.advance(1)
    expect(ran).toEqual(['a', 'b', 'c'])
    expect([time.now(), time.monotonic(), time.pending]).toEqual([1020, 20, 0])
  })

  it('shows a timer the moment it was set for, and runs what timers set and promises continue', async () => {
    const time = new ManualTime(0)
    const seen: number[] = []
    const work = async () => {
      for (let i = 0; i < 3; i++) {
        await time.sleep(7)
        await Promise.resolve()
        seen.push(time.monotonic())
      }
    }
    void work()
    await time.advance(100)
    expect(seen).toEqual([7, 14, 21])
    expect(time.monotonic()).toBe(100)
  })

  it('cancels timers, and wakes sleepers whose signal aborts', async () => {
    const time = new ManualTime()
    let ran = 0
    time.after(5, () => ran++)()
    const abort = new AbortController()
    const sleeping = time.sleep(1000, abort.signal)
    abort.abort()
    await sleeping
    await time.sleep(1000, abort.signal)
    await time.advance(2000)
    expect([ran, time.pending]).toEqual([0, 0])
  })

  it('jumps the wall clock alone', async () => {
    const time = new ManualTime(5000)
    let woken = false
    time.after(10, () => (woken = true))
    time.jump(-3000)
    await time.advance(9)
    expect([time.now(), time.monotonic(), woken]).toEqual([2009, 9, false])
  })

  it('finishes a promise by moving from timer to timer', async () => {
    const time = new ManualTime()
    expect(await time.finish(time.sleep(60_000).then(() => 'done'))).toBe('done')
    expect(time.monotonic()).toBe(60_000)
    await expect(time.finish(Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    await expect(time.finish(new Promise(() => undefined))).rejects.toThrow('Nothing is due')
    await expect(time.finish(time.sleep(500), 100)).rejects.toThrow('Not within 100 ms')
  })

  it('reports a loop that never rests', async () => {
    const time = new ManualTime()
    const restless = () => void time.after(0, restless)
    restless()
    await expect(time.advance(1)).rejects.toThrow('without rest')
  })
})
