/**
 * What every queue of tasks must do: claims by due time and lease (K1), fencing tokens (K2, I11), timers that are moved and
 * cancelled by name and whose tokens go on for ever (K4).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Task } from './port.ts'
import { done, hold, HOUR_MS, LEASE_MS, none, TaskBench, type TaskAdapter } from './testing-bench.ts'
import { deadSuite } from './testing-dead.ts'
import { lookingSuite, timerSuite } from './testing-timers.ts'

export function taskConformance(name: string, open: () => Promise<TaskAdapter>): void {
  describe(`tasks over ${name}`, () => {
    let adapter: TaskAdapter
    let bench: TaskBench
    let count = 0
    beforeAll(async () => {
      adapter = await open()
    })
    beforeEach(() => {
      bench = new TaskBench(adapter, `type${++count}`)
    })
    afterAll(() => adapter.close())

    describe('claiming', () => {
      it('gives what is due, as it was enqueued, and when it was due', async () => {
        const at = await bench.now()
        const data = { amount: 12_00, nested: { list: [1, 'ñ"\\{}', null] }, dropped: undefined }
        await bench.within((tasks) =>
          tasks.apply({ ...none, enqueued: [bench.pending('a', at, { data, dueAt: at - 5000 })] }),
        )
        const [task] = await bench.claim()
        expect(task).toEqual({
          id: bench.id('a'),
          type: bench.type,
          key: 'ord_1',
          data: { amount: 12_00, nested: { list: [1, 'ñ"\\{}', null] } },
          attempt: 1,
          token: 1,
          dueAt: at - 5000,
          createdAt: at,
          ageMs: expect.any(Number),
          requestId: 'request',
        })
        expect(await bench.claim()).toEqual([])
      })

      it('gives the oldest first, no more than asked for, of no other type, and nothing before its time', async () => {
        await bench.enqueue('late', 60_000)
        for (const [task, dueInMs] of [
          ['b', -200],
          ['c', -100],
          ['a', -300],
        ] as const)
          await bench.enqueue(task, dueInMs)
        await bench.enqueue('other', -400, { type: `${bench.type}.other` })
        expect((await bench.claim(2)).map((task) => task.id).toSorted()).toEqual([bench.id('a'), bench.id('b')])
        expect((await bench.claim(2)).map((task) => task.id)).toEqual([bench.id('c')])
        const both = await bench.queue.claim([bench.type, `${bench.type}.other`], 10, LEASE_MS)
        expect(both.map((task) => task.id)).toEqual([bench.id('other')])
        await bench.adapter.pass(59_000)
        // The leases of the others are over too by then: they come again.
        expect((await bench.claim()).map((task) => task.id)).not.toContain(bench.id('late'))
        await bench.adapter.pass(2000)
        expect((await bench.claim()).map((task) => task.id)).toEqual([bench.id('late')])
      })

      it('is due at once when no time is given', async () => {
        await bench.within((tasks, at) => tasks.apply({ ...none, enqueued: [bench.pending('a', at)] }))
        expect(await bench.claim()).toHaveLength(1)
      })

      it('K1 holds for the lease; afterwards the task comes back by itself with the next token', async () => {
        await bench.enqueue('a')
        const first = await bench.claimOne()
        await bench.adapter.pass(LEASE_MS - 5000)
        expect(await bench.claim()).toEqual([])
        await bench.adapter.pass(5000)
        const second = await bench.claimOne()
        expect([second.token, second.attempt]).toEqual([first.token + 1, first.attempt + 1])
      })

      it('tells how old a task is by now, however often it was claimed before', async () => {
        const hour = 3_600_000
        await bench.within((tasks, at) => tasks.apply({ ...none, enqueued: [bench.pending('a', at - hour)] }))
        expect((await bench.claimOne()).ageMs).toBeGreaterThanOrEqual(hour)
        await bench.adapter.pass(LEASE_MS + 1000)
        const again = await bench.claimOne()
        expect([again.attempt, again.ageMs >= hour]).toEqual([2, true])
      })

      it('gives a task to one of many who ask at once', async () => {
        await bench.within((tasks, at) =>
          tasks.apply({ ...none, enqueued: Array.from({ length: 100 }, (_, i) => bench.pending(`n${i}`, at)) }),
        )
        const claims = await Promise.all(Array.from({ length: 20 }, () => bench.claim(7)))
        const ids = claims.flat().map((task) => task.id)
        expect(new Set(ids).size).toBe(ids.length)
        const rest = await bench.claim(100)
        expect(ids.length + rest.length).toBe(100)
        expect(Math.max(...claims.map((claimed) => claimed.length))).toBeLessThanOrEqual(7)
      })

      it('passes over what a transaction holds, without waiting for it', async () => {
        await bench.enqueue('a')
        await bench.enqueue('b')
        const [a] = (await bench.claim()).filter((task) => task.id === bench.id('a'))
        await bench.adapter.pass(LEASE_MS + 1000)
        const tx = await bench.adapter.begin()
        await tx.begun
        expect(await tx.tasks.lock([hold(a!)])).toEqual([hold(a!)])
        expect((await bench.claim()).map((task) => task.id)).toEqual([bench.id('b')])
        await tx.rollback()
        expect((await bench.claim()).map((task) => task.id)).toEqual([bench.id('a')])
      })
    })

    describe('K2 fencing', () => {
      it('settles with the current token', async () => {
        await bench.enqueue('a')
        const task = await bench.claimOne()
        expect(await bench.lock(task)).toEqual([hold(task)])
        await bench.settle(done(task))
        expect(await bench.stored('a')).toMatchObject({
          state: 'done',
          outcome: { kind: 'done' },
          error: null,
          attempt: 1,
        })
        await bench.adapter.pass(HOUR_MS)
        expect(await bench.claim()).toEqual([])
      })

      it('I11 a late holder can neither lock, nor extend, nor settle', async () => {
        await bench.enqueue('a')
        const late = await bench.claimOne()
        await bench.adapter.pass(LEASE_MS + 1000)
        const current = await bench.claimOne()
        expect(await bench.lock(late)).toEqual([])
        expect(await bench.queue.extend([hold(late)], LEASE_MS)).toEqual([])
        await bench.settle({ ...done(late), error: 'too late' })
        expect(await bench.stored('a')).toMatchObject({ state: 'open', token: current.token, error: null })
        expect(await bench.lock(late, current)).toEqual([hold(current)])
        await bench.settle(done(current))
        expect((await bench.stored('a')).state).toBe('done')
      })

      it('a settlement takes the token with it: the second of the same claim changes nothing', async () => {
        await bench.enqueue('a')
        const task = await bench.claimOne()
        await bench.settle(done(task))
        await bench.settle({ ...hold(task), state: 'dead', outcome: null, error: 'again' })
        expect(await bench.stored('a')).toMatchObject({ state: 'done', error: null })
        expect(await bench.lock(task)).toEqual([])
      })

      it('who waits for a task that another settles finds it gone', async () => {
        await bench.enqueue('a')
        const task = await bench.claimOne()
        const [first, second] = [await bench.adapter.begin(), await bench.adapter.begin()]
        await Promise.all([first.begun, second.begun])
        await first.tasks.lock([hold(task)])
        const waiting = second.tasks.lock([hold(task)])
        await bench.adapter.blocked()
        await first.tasks.settle([done(task)])
        await first.commit()
        expect(await waiting).toEqual([])
        await second.rollback()
      })

      it('locks many in one order, whatever the order of asking', async () => {
        const names = Array.from({ length: 10 }, (_, i) => `n${i}`)
        for (const task of names) await bench.enqueue(task)
        const tasks = await bench.claim()
        const lockAll = async (order: readonly Task[]) => {
          const tx = await bench.adapter.begin()
          await tx.begun
          const held = await tx.tasks.lock(order.map(hold))
          await tx.commit()
          return held.length
        }
        const orders = [tasks, tasks.toReversed(), tasks, tasks.toReversed(), tasks, tasks.toReversed()]
        const extending = [
          bench.queue.extend(tasks.map(hold), LEASE_MS),
          bench.queue.extend(tasks.toReversed().map(hold), LEASE_MS),
        ]
        expect(await Promise.all(orders.map(lockAll))).toEqual([10, 10, 10, 10, 10, 10])
        for (const held of await Promise.all(extending)) expect(held).toHaveLength(10)
      })

      it('extends a lease from now on, and says what is still held', async () => {
        await bench.enqueue('a')
        await bench.enqueue('b')
        const [a, b] = (await bench.claim()).toSorted((x, y) => (x.id < y.id ? -1 : 1)) as [Task, Task]
        await bench.settle(done(b))
        await bench.adapter.pass(LEASE_MS - 5000)
        expect(await bench.queue.extend([hold(a), hold(b)], LEASE_MS)).toEqual([bench.id('a')])
        await bench.adapter.pass(LEASE_MS - 5000)
        expect(await bench.claim()).toEqual([])
        expect(await bench.lock(a)).toEqual([hold(a)])
        await bench.adapter.pass(6000)
        expect(await bench.claim()).toHaveLength(1)
      })
    })

    describe('settling', () => {
      it('opens again at a given time; the attempt counts, unless it is given back', async () => {
        await bench.enqueue('a')
        const first = await bench.claimOne()
        const at = await bench.now()
        await bench.settle({ ...hold(first), state: 'open', dueAt: at + 10_000, error: 'busy', refund: false })
        expect(await bench.stored('a')).toMatchObject({ state: 'open', error: 'busy', attempt: 1, dueAt: at + 10_000 })
        expect(await bench.claim()).toEqual([])
        await bench.adapter.pass(10_000)
        const second = await bench.claimOne()
        expect([second.attempt, second.token > first.token]).toEqual([2, true])
        await bench.settle({ ...hold(second), state: 'open', dueAt: await bench.now(), error: null, refund: true })
        const third = await bench.claimOne()
        expect([third.attempt, third.token > second.token]).toEqual([2, true])
      })

      it.each(['done', 'cancelled', 'dead'] as const)('ends %s, with its outcome and its error', async (state) => {
        await bench.enqueue('a')
        const task = await bench.claimOne()
        const outcome = { kind: 'done', result: { text: 'a "quoted" \\ {brace} ñ 🚲', none: null, list: [1.5] } }
        await bench.settle({ ...hold(task), state, outcome, error: 'why' })
        expect(await bench.stored('a')).toMatchObject({ state, outcome, error: 'why' })
      })

      it('settles many at once, each in its own way', async () => {
        for (const task of ['a', 'b', 'c', 'd']) await bench.enqueue(task)
        const [a, b, c, d] = (await bench.claim()).toSorted((x, y) => (x.id < y.id ? -1 : 1)) as [
          Task,
          Task,
          Task,
          Task,
        ]
        const at = await bench.now()
        await bench.settle(
          done(a),
          { ...hold(b), state: 'dead', outcome: { kind: 'exhausted' }, error: 'no' },
          { ...hold(c), state: 'open', dueAt: at + HOUR_MS, error: 'later', refund: true },
          { ...hold(d), token: d.token + 1, state: 'done', outcome: null, error: null },
        )
        const states = await Promise.all(['a', 'b', 'c', 'd'].map((task) => bench.stored(task)))
        expect(states.map(({ state, attempt }) => [state, attempt])).toEqual([
          ['done', 1],
          ['dead', 1],
          ['open', 0],
          ['open', 1],
        ])
      })

      it('leaves nothing behind after a rollback', async () => {
        await bench.enqueue('a')
        const task = await bench.claimOne()
        const tx = await bench.adapter.begin()
        const at = await tx.begun
        await tx.tasks.lock([hold(task)])
        await tx.tasks.settle([done(task)])
        await tx.tasks.apply({ ...none, enqueued: [bench.pending('b', at)] })
        await tx.rollback()
        expect((await bench.stored('a')).state).toBe('open')
        expect(await bench.queue.find(bench.id('b'))).toBeUndefined()
      })

      it('refuses a second task of the same id, and all beside it', async () => {
        await bench.enqueue('a')
        const twice = bench.within((tasks, at) =>
          tasks.apply({ ...none, enqueued: [bench.pending('b', at), bench.pending('a', at)] }),
        )
        await expect(twice).rejects.toMatchObject({ code: '23505' })
        expect(await bench.queue.find(bench.id('b'))).toBeUndefined()
      })
    })

    describe('K4 timers', () => {
      timerSuite(() => bench)
    })
    describe('looking', () => {
      lookingSuite(() => bench)
    })
    describe('the dead', () => {
      deadSuite(() => bench)
    })
  })
}
