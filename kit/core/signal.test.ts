import { describe, expect, it } from 'vitest'
import { ManualTime } from './manual-time.ts'
import { Signal } from './signal.ts'

const make = () => {
  const time = new ManualTime()
  const abort = new AbortController()
  return { time, signal: new Signal(time), abort }
}

/** How long the wait took, in manual time. */
async function waited(time: ManualTime, wait: Promise<void>): Promise<number> {
  const start = time.monotonic()
  await time.finish(wait)
  return time.monotonic() - start
}

describe('a signal', () => {
  it('waits for its longest time when nobody notifies', async () => {
    const { time, signal, abort } = make()
    expect(await waited(time, signal.wait(1000, abort.signal))).toBe(1000)
  })

  it('wakes the waiter at once', async () => {
    const { time, signal, abort } = make()
    time.after(30, () => signal.notify())
    expect(await waited(time, signal.wait(1000, abort.signal))).toBe(30)
    expect(time.pending).toBe(0)
  })

  it('keeps a notification that comes while nobody waits, once', async () => {
    const { time, signal, abort } = make()
    signal.notify()
    signal.notify()
    expect(await waited(time, signal.wait(1000, abort.signal))).toBe(0)
    expect(await waited(time, signal.wait(1000, abort.signal))).toBe(1000)
  })

  it('keeps a notification that comes between waking and looking around', async () => {
    const { time, signal, abort } = make()
    const first = signal.wait(1000, abort.signal)
    signal.notify()
    await first
    signal.notify()
    expect(await waited(time, signal.wait(1000, abort.signal))).toBe(0)
  })

  it('wakes when it is aborted, also before', async () => {
    const { time, signal, abort } = make()
    time.after(10, () => abort.abort())
    expect(await waited(time, signal.wait(1000, abort.signal))).toBe(10)
    expect(await waited(time, signal.wait(1000, abort.signal))).toBe(0)
  })

  it('leaves no timer and no listener behind', async () => {
    const { time, signal, abort } = make()
    let listeners = 0
    const { addEventListener, removeEventListener } = abort.signal
    abort.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners++
      addEventListener.apply(abort.signal, args)
    }
    abort.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners--
      removeEventListener.apply(abort.signal, args)
    }
    for (let i = 0; i < 5; i++) {
      const wait = signal.wait(1000, abort.signal)
      signal.notify()
      await wait
    }
    expect([listeners, time.pending]).toEqual([0, 0])
  })
})
