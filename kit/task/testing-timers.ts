/** What every queue of tasks must do with timers (K4), and tell those who look. */
import { beforeEach, expect, it } from 'vitest'
import { done, hold, HOUR_MS, LEASE_MS, none, type TaskBench } from './testing-bench.ts'

export function timerSuite(current: () => TaskBench): void {
  let bench: TaskBench
  beforeEach(() => {
    bench = current()
  })

  it('are moved by name: one row, the last data, attempts from the start', async () => {
    await bench.schedule('t', -1000, { version: 1 })
    await bench.claimOne()
    await bench.schedule('t', HOUR_MS, { version: 2 })
    expect(await bench.claim()).toEqual([])
    await bench.adapter.pass(HOUR_MS)
    const [task, ...others] = await bench.claim()
    expect(others).toEqual([])
    expect(task).toMatchObject({ data: { version: 2 }, attempt: 1, id: bench.id('t') })
  })

  it('moved or cancelled while somebody has claimed them are no longer that one’s', async () => {
    for (const change of [() => bench.schedule('t', HOUR_MS), () => bench.unschedule('t')]) {
      await bench.schedule('t', -1000)
      const claimed = await bench.claimOne()
      await change()
      expect(await bench.lock(claimed)).toEqual([])
      expect(await bench.queue.extend([hold(claimed)], LEASE_MS)).toEqual([])
      await bench.settle(done(claimed))
      expect(await bench.stored('t')).not.toMatchObject({ state: 'done' })
    }
  })

  it('cancelled are due no more', async () => {
    await bench.schedule('t', 1000)
    await bench.unschedule('t', 'nobody')
    await bench.adapter.pass(HOUR_MS)
    expect(await bench.claim()).toEqual([])
    expect((await bench.stored('t')).state).toBe('cancelled')
    expect(await bench.queue.nextDueInMs([bench.type])).toBeUndefined()
  })

  it('set anew after a cancellation are a third one’s, not the first one’s', async () => {
    await bench.schedule('t', -1000, { version: 1 })
    const paused = await bench.claimOne()
    await bench.unschedule('t')
    await bench.schedule('t', -1000, { version: 2 })
    const current = await bench.claimOne()
    expect(current.token).toBeGreaterThan(paused.token)
    expect(await bench.lock(paused)).toEqual([])
    await bench.settle(done(paused))
    expect(await bench.stored('t')).toMatchObject({ state: 'open', token: current.token })
    await bench.settle(done(current))
    expect((await bench.stored('t')).state).toBe('done')
  })

  it('set anew after they fired begin anew, without the old outcome', async () => {
    await bench.schedule('t', -1000)
    const first = await bench.claimOne()
    await bench.settle({ ...hold(first), state: 'dead', outcome: { kind: 'due' }, error: 'a bug' })
    await bench.schedule('t', -1000)
    expect(await bench.stored('t')).toMatchObject({ state: 'open', outcome: null, error: null, attempt: 0 })
    const second = await bench.claimOne()
    expect(second.token).toBeGreaterThan(first.token)
  })

  it('that are over stay as they ended when they are cancelled', async () => {
    await bench.schedule('t', -1000)
    await bench.settle(done(await bench.claimOne()))
    await bench.unschedule('t')
    expect((await bench.stored('t')).state).toBe('done')
  })

  it('set in opposite order by many at once do not lock each other out', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `t${i}`)
    const setAll = (order: readonly string[]) =>
      bench.within((tasks, at) =>
        tasks.apply({
          ...none,
          scheduled: order.map((timer) => ({ ...bench.pending(timer, at), dueAt: at + HOUR_MS })),
        }),
      )
    await Promise.all(Array.from({ length: 10 }, (_, i) => setAll(i % 2 ? names : names.toReversed())))
    expect(await bench.stored('t0')).toMatchObject({ state: 'open', token: 9 })
  })
}

export function lookingSuite(current: () => TaskBench): void {
  let bench: TaskBench
  beforeEach(() => {
    bench = current()
  })

  it('tells when the next is due: at least 0, leases included, nothing when there is none', async () => {
    expect(await bench.queue.nextDueInMs([bench.type])).toBeUndefined()
    await bench.enqueue('late', 600_000)
    const later = (await bench.queue.nextDueInMs([bench.type]))!
    expect(later).toBeGreaterThan(590_000)
    expect(later).toBeLessThanOrEqual(600_000)
    await bench.enqueue('over', -5000)
    expect(await bench.queue.nextDueInMs([bench.type])).toBe(0)
    await bench.claimOne()
    const lease = (await bench.queue.nextDueInMs([bench.type, 'unknown']))!
    expect(lease).toBeGreaterThan(LEASE_MS - 5000)
    expect(lease).toBeLessThanOrEqual(LEASE_MS)
  })

  it('finds all that is about some keys, whatever became of it, oldest first', async () => {
    const [first, second] = [bench.id('key1'), bench.id('key2')]
    await bench.enqueue('a', -100, { key: first })
    await bench.settle(done(await bench.claimOne()))
    await bench.enqueue('b', 60_000, { key: second })
    await bench.enqueue('c', 0, { key: bench.id('key3') })
    const found = await bench.queue.findByKey([second, first, 'nobody'], 10)
    expect(found.map(({ id, state }) => [id, state])).toEqual([
      [bench.id('a'), 'done'],
      [bench.id('b'), 'open'],
    ])
    expect(found[0]).toEqual(await bench.queue.find(bench.id('a')))
    expect(await bench.queue.findByKey([first, second], 1)).toHaveLength(1)
  })

  it('counts what is open and what is dead, by type', async () => {
    for (const task of ['a', 'b', 'c', 'd']) await bench.enqueue(task)
    await bench.settle(done(await bench.claimOne()))
    await bench.settle({ ...hold(await bench.claimOne()), state: 'dead', outcome: null, error: 'a bug' })
    const mine = (await bench.queue.stats()).filter((stat) => stat.type === bench.type)
    expect(mine.toSorted((a, b) => (a.state < b.state ? -1 : 1))).toEqual([
      { type: bench.type, state: 'dead', count: 1 },
      { type: bench.type, state: 'open', count: 2 },
    ])
  })
}
