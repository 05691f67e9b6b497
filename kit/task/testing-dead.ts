/** What every queue of tasks must do with the dead: list them, tell their causes, open them again, end them for good. */
import { beforeEach, expect, it } from 'vitest'
import type { DeadTask, Task } from './port.ts'
import { done, hold, type TaskBench } from './testing-bench.ts'

export function deadSuite(current: () => TaskBench): void {
  let bench: TaskBench
  beforeEach(() => {
    bench = current()
  })

  /** Claims a new task and lets it die of these errors, one after the other. */
  const die = async (...deaths: readonly (readonly [task: string, error: string])[]): Promise<Task[]> => {
    const tasks: Task[] = []
    for (const [name, error] of deaths) {
      await bench.enqueue(name)
      const task = await bench.claimOne()
      await bench.settle({ ...hold(task), state: 'dead', outcome: { kind: 'exhausted', reason: error }, error })
      tasks.push(task)
    }
    return tasks
  }
  const redrive = (...names: readonly string[]) => bench.within((tasks) => tasks.redrive(names.map((n) => bench.id(n))))
  const discard = (...names: readonly string[]) =>
    bench.within((tasks) =>
      tasks.discard(
        names.map((name) => bench.id(name)),
        'no longer wanted',
      ),
    )
  const all = (cause?: string) => bench.queue.dead(100, { type: bench.type, cause })
  const idsOf = (tasks: readonly DeadTask[]) => tasks.map(({ id }) => id)
  const pages = async (size: number, cause?: string): Promise<string[]> => {
    const ids: string[] = []
    for (let after: DeadTask | undefined; ;) {
      const page = await bench.queue.dead(size, { type: bench.type, cause, after })
      expect(page.length).toBeLessThanOrEqual(size)
      ids.push(...idsOf(page))
      after = page.at(-1)
      if (!after) return ids
    }
  }

  it('are listed whole, those first that died first', async () => {
    await die(['b', 'Error: no answer after 7 ms'], ['a', 'Error: no answer after 9 ms'])
    await bench.enqueue('open')
    const tasks = await all()
    expect(tasks).toHaveLength(2)
    const b = tasks.find(({ id }) => id === bench.id('b'))!
    expect(b).toEqual({
      id: bench.id('b'),
      type: bench.type,
      key: 'ord_1',
      data: { task: 'b' },
      attempt: 1,
      requestId: 'request',
      outcome: { kind: 'exhausted', reason: 'Error: no answer after 7 ms' },
      error: 'Error: no answer after 7 ms',
      cause: 'Error: no answer after # ms',
      since: expect.any(Number),
    })
    expect(await bench.queue.findDead(b.id)).toEqual(b)
    const places = tasks.map(({ since, id }) => ({ since, id }))
    expect(places).toEqual(places.toSorted((x, y) => x.since - y.since || (x.id < y.id ? -1 : 1)))
    expect(idsOf(await bench.queue.dead(1, { type: bench.type }))).toEqual([tasks[0]!.id])
    expect(await bench.queue.dead(10, { type: 'another' })).toEqual([])
  })

  it('come page by page, each once, also when many died at the same time', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `n${i}`)
    for (const name of names) await bench.enqueue(name)
    const tasks = await bench.claim()
    await bench.settle(
      ...tasks.map((task, i) => ({
        ...hold(task),
        state: 'dead' as const,
        outcome: null,
        error: i % 2 ? 'odd' : 'even',
      })),
    )
    await die(['late', 'odd'])
    const expected = idsOf(await all())
    expect(expected).toHaveLength(8)
    for (const size of [1, 2, 3, 8]) expect(await pages(size)).toEqual(expected)
    expect(await pages(2, 'odd')).toEqual(idsOf(await all('odd')))
    expect(await all('odd')).toHaveLength(4)
  })

  it('are counted by cause, with the one that died first', async () => {
    await die(['a', 'Error: 1'], ['b', 'TypeError: x'], ['c', 'Error: 2'])
    const causes = (await bench.queue.deadCauses()).filter(({ type }) => type === bench.type)
    const [first] = await all('Error: #')
    expect(causes).toEqual([
      { type: bench.type, cause: 'Error: #', tasks: 2, oldest: first!.since, example: first!.id },
      expect.objectContaining({ cause: 'TypeError: x', tasks: 1, example: bench.id('b') }),
    ])
  })

  it('redriven are open at once, with fresh attempts and the next token; what is not dead stays', async () => {
    await bench.enqueue('a')
    const task = await bench.claimOne()
    expect(await redrive('a')).toEqual([])
    await bench.settle({ ...hold(task), state: 'dead', outcome: { kind: 'exhausted' }, error: 'down' })
    expect(await redrive('a', 'nobody')).toEqual([bench.id('a')])
    expect(await redrive('a')).toEqual([])
    expect(await all()).toEqual([])
    const again = await bench.claimOne()
    expect([again.attempt, again.token > task.token]).toEqual([1, true])
    await bench.settle(done(again))
    expect(await redrive('a')).toEqual([])
    expect(await bench.queue.find('nobody')).toBeUndefined()
  })

  it('discarded are cancelled with the reason and what they had failed with, and come back no more', async () => {
    const [a] = await die(['a', 'down'], ['b', 'down'])
    expect(await discard('a', 'nobody')).toEqual([bench.id('a')])
    const stored = await bench.stored('a')
    expect(stored).toMatchObject({
      state: 'cancelled',
      error: 'discarded: no longer wanted; before: down',
      outcome: { kind: 'exhausted', reason: 'down' },
    })
    expect(stored.token).toBeGreaterThan(a!.token)
    expect(await discard('a')).toEqual([])
    expect(await redrive('a')).toEqual([])
    expect(await bench.queue.findDead(bench.id('a'))).toBeUndefined()
    expect(idsOf(await all())).toEqual([bench.id('b')])
    expect(await bench.claim()).toEqual([])
  })

  it('are taken by one of two who act at the same time', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `n${i}`)
    await die(...names.map((name) => [name, 'down'] as const))
    const acts = await Promise.all([redrive(...names), discard(...names.toReversed()), redrive(...names.toReversed())])
    expect(acts.flat().toSorted()).toEqual(names.map((name) => bench.id(name)))
  })

  it('stay dead when the transaction of the act rolls back', async () => {
    await die(['a', 'down'])
    const tx = await bench.adapter.begin()
    await tx.begun
    expect(await tx.tasks.redrive([bench.id('a')])).toEqual([bench.id('a')])
    await tx.rollback()
    expect(idsOf(await all())).toEqual([bench.id('a')])
  })
}
