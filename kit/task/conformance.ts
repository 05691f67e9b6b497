/**
 * What every queue of tasks must do: claims by due time and lease (K1), fencing tokens (K2, I11), timers that are moved and
 * cancelled by name and whose tokens go on for ever (K4).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PendingTask, PendingTimer, Settlement, StoredTask, Task, TaskQueue, TaskStore } from './port.ts'

export interface TaskTransaction {
  /** Milliseconds by the store's clock. */
  readonly begun: Promise<number>
  readonly tasks: TaskStore
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface TaskAdapter {
  readonly queue: TaskQueue
  begin(): Promise<TaskTransaction>
  /** Time passes for every task: they are due, and their leases end, this much earlier. */
  pass(ms: number): Promise<void>
  /** Resolves once somebody waits for a lock. */
  blocked(): Promise<void>
  close(): Promise<void>
}

const LEASE_MS = 30_000
const HOUR_MS = 3_600_000

const hold = ({ id, token }: { id: string; token: number }) => ({ id, token })

export function taskConformance(name: string, open: () => Promise<TaskAdapter>): void {
  describe(`tasks over ${name}`, () => {
    let adapter: TaskAdapter
    let queue: TaskQueue
    let count = 0
    /** Each test has a type of its own, and ids that begin with it. */
    let type: string
    beforeAll(async () => {
      adapter = await open()
      queue = adapter.queue
    })
    beforeEach(() => {
      type = `type${++count}`
    })
    afterAll(() => adapter.close())

    const id = (task: string) => `${type}.${task}`
    const now = async (): Promise<number> => {
      const tx = await adapter.begin()
      const at = await tx.begun
      await tx.rollback()
      return at
    }
    const within = async <T>(run: (tasks: TaskStore, at: number) => Promise<T>): Promise<T> => {
      const tx = await adapter.begin()
      try {
        const result = await run(tx.tasks, await tx.begun)
        await tx.commit()
        return result
      } catch (error) {
        await tx.rollback()
        throw error
      }
    }
    const pending = (task: string, at: number, rest: Partial<PendingTask> = {}): PendingTask => ({
      id: id(task),
      type,
      key: 'ord_1',
      data: { task },
      requestId: 'request',
      causeId: 'cause',
      at,
      ...rest,
    })
    const none = { enqueued: [], scheduled: [], unscheduled: [] }
    /** Due `dueInMs` from now. */
    const enqueue = (task: string, dueInMs = 0, rest: Partial<PendingTask> = {}) =>
      within((tasks, at) => tasks.apply({ ...none, enqueued: [pending(task, at, { dueAt: at + dueInMs, ...rest })] }))
    const schedule = (timer: string, dueInMs: number, data: object = {}) =>
      within((tasks, at) => {
        const scheduled: PendingTimer[] = [{ ...pending(timer, at, { data }), dueAt: at + dueInMs }]
        return tasks.apply({ ...none, scheduled })
      })
    const unschedule = (...timers: string[]) => within((tasks) => tasks.apply({ ...none, unscheduled: timers.map(id) }))
    const claim = (limit = 10, leaseMs = LEASE_MS) => queue.claim([type], limit, leaseMs)
    const claimOne = async (): Promise<Task> => (await claim(1))[0]!
    const lock = (...tasks: Task[]) => within((store) => store.lock(tasks.map(hold)))
    const settle = (...settlements: Settlement[]) => within((store) => store.settle(settlements))
    const done = (task: Task): Settlement => ({ ...hold(task), state: 'done', outcome: { kind: 'done' }, error: null })
    const stored = async (task: string): Promise<StoredTask> => (await queue.find(id(task)))!

    describe('claiming', () => {
      it('gives what is due, as it was enqueued, and when it was due', async () => {
        const at = await now()
        const data = { amount: 12_00, nested: { list: [1, 'ñ"\\{}', null] }, dropped: undefined }
        await within((tasks) => tasks.apply({ ...none, enqueued: [pending('a', at, { data, dueAt: at - 5000 })] }))
        const [task] = await claim()
        expect(task).toEqual({
          id: id('a'),
          type,
          key: 'ord_1',
          data: { amount: 12_00, nested: { list: [1, 'ñ"\\{}', null] } },
          attempt: 1,
          token: 1,
          dueAt: at - 5000,
          requestId: 'request',
        })
        expect(await claim()).toEqual([])
      })

      it('gives the oldest first, no more than asked for, of no other type, and nothing before its time', async () => {
        await enqueue('late', 60_000)
        for (const [task, dueInMs] of [['b', -200], ['c', -100], ['a', -300]] as const) await enqueue(task, dueInMs)
        await enqueue('other', -400, { type: `${type}.other` })
        expect((await claim(2)).map((task) => task.id).toSorted()).toEqual([id('a'), id('b')])
        expect((await claim(2)).map((task) => task.id)).toEqual([id('c')])
        const both = await queue.claim([type, `${type}.other`], 10, LEASE_MS)
        expect(both.map((task) => task.id)).toEqual([id('other')])
        await adapter.pass(59_000)
        // The leases of the others are over too by then: they come again.
        expect((await claim()).map((task) => task.id)).not.toContain(id('late'))
        await adapter.pass(2000)
        expect((await claim()).map((task) => task.id)).toEqual([id('late')])
      })

      it('is due at once when no time is given', async () => {
        await within((tasks, at) => tasks.apply({ ...none, enqueued: [pending('a', at)] }))
        expect(await claim()).toHaveLength(1)
      })

      it('K1 holds for the lease; afterwards the task comes back by itself with the next token', async () => {
        await enqueue('a')
        const first = await claimOne()
        await adapter.pass(LEASE_MS - 5000)
        expect(await claim()).toEqual([])
        await adapter.pass(5000)
        const second = await claimOne()
        expect([second.token, second.attempt]).toEqual([first.token + 1, first.attempt + 1])
      })

      it('gives a task to one of many who ask at once', async () => {
        await within((tasks, at) =>
          tasks.apply({ ...none, enqueued: Array.from({ length: 100 }, (_, i) => pending(`n${i}`, at)) }),
        )
        const claims = await Promise.all(Array.from({ length: 20 }, () => claim(7)))
        const ids = claims.flat().map((task) => task.id)
        expect(new Set(ids).size).toBe(ids.length)
        const rest = await claim(100)
        expect(ids.length + rest.length).toBe(100)
        expect(Math.max(...claims.map((claimed) => claimed.length))).toBeLessThanOrEqual(7)
      })

      it('passes over what a transaction holds, without waiting for it', async () => {
        await enqueue('a')
        await enqueue('b')
        const [a] = (await claim()).filter((task) => task.id === id('a'))
        await adapter.pass(LEASE_MS + 1000)
        const tx = await adapter.begin()
        await tx.begun
        expect(await tx.tasks.lock([hold(a!)])).toEqual([hold(a!)])
        expect((await claim()).map((task) => task.id)).toEqual([id('b')])
        await tx.rollback()
        expect((await claim()).map((task) => task.id)).toEqual([id('a')])
      })
    })

    describe('K2 fencing', () => {
      it('settles with the current token', async () => {
        await enqueue('a')
        const task = await claimOne()
        expect(await lock(task)).toEqual([hold(task)])
        await settle(done(task))
        expect(await stored('a')).toMatchObject({ state: 'done', outcome: { kind: 'done' }, error: null, attempt: 1 })
        await adapter.pass(HOUR_MS)
        expect(await claim()).toEqual([])
      })

      it('I11 a late holder can neither lock, nor extend, nor settle', async () => {
        await enqueue('a')
        const late = await claimOne()
        await adapter.pass(LEASE_MS + 1000)
        const current = await claimOne()
        expect(await lock(late)).toEqual([])
        expect(await queue.extend([hold(late)], LEASE_MS)).toEqual([])
        await settle({ ...done(late), error: 'too late' })
        expect(await stored('a')).toMatchObject({ state: 'open', token: current.token, error: null })
        expect(await lock(late, current)).toEqual([hold(current)])
        await settle(done(current))
        expect((await stored('a')).state).toBe('done')
      })

      it('a settlement takes the token with it: the second of the same claim changes nothing', async () => {
        await enqueue('a')
        const task = await claimOne()
        await settle(done(task))
        await settle({ ...hold(task), state: 'dead', outcome: null, error: 'again' })
        expect(await stored('a')).toMatchObject({ state: 'done', error: null })
        expect(await lock(task)).toEqual([])
      })

      it('who waits for a task that another settles finds it gone', async () => {
        await enqueue('a')
        const task = await claimOne()
        const [first, second] = [await adapter.begin(), await adapter.begin()]
        await Promise.all([first.begun, second.begun])
        await first.tasks.lock([hold(task)])
        const waiting = second.tasks.lock([hold(task)])
        await adapter.blocked()
        await first.tasks.settle([done(task)])
        await first.commit()
        expect(await waiting).toEqual([])
        await second.rollback()
      })

      it('locks many in one order, whatever the order of asking', async () => {
        const names = Array.from({ length: 10 }, (_, i) => `n${i}`)
        for (const task of names) await enqueue(task)
        const tasks = await claim()
        const lockAll = async (order: readonly Task[]) => {
          const tx = await adapter.begin()
          await tx.begun
          const held = await tx.tasks.lock(order.map(hold))
          await tx.commit()
          return held.length
        }
        const orders = [tasks, tasks.toReversed(), tasks, tasks.toReversed(), tasks, tasks.toReversed()]
        const extending = [queue.extend(tasks.map(hold), LEASE_MS), queue.extend(tasks.toReversed().map(hold), LEASE_MS)]
        expect(await Promise.all(orders.map(lockAll))).toEqual([10, 10, 10, 10, 10, 10])
        for (const held of await Promise.all(extending)) expect(held).toHaveLength(10)
      })

      it('extends a lease from now on, and says what is still held', async () => {
        await enqueue('a')
        await enqueue('b')
        const [a, b] = (await claim()).toSorted((x, y) => (x.id < y.id ? -1 : 1)) as [Task, Task]
        await settle(done(b))
        await adapter.pass(LEASE_MS - 5000)
        expect(await queue.extend([hold(a), hold(b)], LEASE_MS)).toEqual([id('a')])
        await adapter.pass(LEASE_MS - 5000)
        expect(await claim()).toEqual([])
        expect(await lock(a)).toEqual([hold(a)])
        await adapter.pass(6000)
        expect(await claim()).toHaveLength(1)
      })
    })

    describe('settling', () => {
      it('opens again at a given time; the attempt counts, unless it is given back', async () => {
        await enqueue('a')
        const first = await claimOne()
        const at = await now()
        await settle({ ...hold(first), state: 'open', dueAt: at + 10_000, error: 'busy', refund: false })
        expect(await stored('a')).toMatchObject({ state: 'open', error: 'busy', attempt: 1, dueAt: at + 10_000 })
        expect(await claim()).toEqual([])
        await adapter.pass(10_000)
        const second = await claimOne()
        expect([second.attempt, second.token > first.token]).toEqual([2, true])
        await settle({ ...hold(second), state: 'open', dueAt: await now(), error: null, refund: true })
        const third = await claimOne()
        expect([third.attempt, third.token > second.token]).toEqual([2, true])
      })

      it.each(['done', 'cancelled', 'dead'] as const)('ends %s, with its outcome and its error', async (state) => {
        await enqueue('a')
        const task = await claimOne()
        const outcome = { kind: 'done', result: { text: 'a "quoted" \\ {brace} ñ 🚲', none: null, list: [1.5] } }
        await settle({ ...hold(task), state, outcome, error: 'why' })
        expect(await stored('a')).toMatchObject({ state, outcome, error: 'why' })
      })

      it('settles many at once, each in its own way', async () => {
        for (const task of ['a', 'b', 'c', 'd']) await enqueue(task)
        const [a, b, c, d] = (await claim()).toSorted((x, y) => (x.id < y.id ? -1 : 1)) as [Task, Task, Task, Task]
        const at = await now()
        await settle(
          done(a),
          { ...hold(b), state: 'dead', outcome: { kind: 'exhausted' }, error: 'no' },
          { ...hold(c), state: 'open', dueAt: at + HOUR_MS, error: 'later', refund: true },
          { ...hold(d), token: d.token + 1, state: 'done', outcome: null, error: null },
        )
        const states = await Promise.all(['a', 'b', 'c', 'd'].map(stored))
        expect(states.map(({ state, attempt }) => [state, attempt])).toEqual([['done', 1], ['dead', 1], ['open', 0], ['open', 1]])
      })

      it('leaves nothing behind after a rollback', async () => {
        await enqueue('a')
        const task = await claimOne()
        const tx = await adapter.begin()
        const at = await tx.begun
        await tx.tasks.lock([hold(task)])
        await tx.tasks.settle([done(task)])
        await tx.tasks.apply({ ...none, enqueued: [pending('b', at)] })
        await tx.rollback()
        expect((await stored('a')).state).toBe('open')
        expect(await queue.find(id('b'))).toBeUndefined()
      })

      it('refuses a second task of the same id, and all beside it', async () => {
        await enqueue('a')
        const twice = within((tasks, at) => tasks.apply({ ...none, enqueued: [pending('b', at), pending('a', at)] }))
        await expect(twice).rejects.toMatchObject({ code: '23505' })
        expect(await queue.find(id('b'))).toBeUndefined()
      })
    })

    describe('K4 timers', () => {
      it('are moved by name: one row, the last data, attempts from the start', async () => {
        await schedule('t', -1000, { version: 1 })
        await claimOne()
        await schedule('t', HOUR_MS, { version: 2 })
        expect(await claim()).toEqual([])
        await adapter.pass(HOUR_MS)
        const [task, ...others] = await claim()
        expect(others).toEqual([])
        expect(task).toMatchObject({ data: { version: 2 }, attempt: 1, id: id('t') })
      })

      it('moved or cancelled while somebody has claimed them are no longer that one’s', async () => {
        for (const change of [() => schedule('t', HOUR_MS), () => unschedule('t')]) {
          await schedule('t', -1000)
          const claimed = await claimOne()
          await change()
          expect(await lock(claimed)).toEqual([])
          expect(await queue.extend([hold(claimed)], LEASE_MS)).toEqual([])
          await settle(done(claimed))
          expect(await stored('t')).not.toMatchObject({ state: 'done' })
        }
      })

      it('cancelled are due no more', async () => {
        await schedule('t', 1000)
        await unschedule('t', 'nobody')
        await adapter.pass(HOUR_MS)
        expect(await claim()).toEqual([])
        expect((await stored('t')).state).toBe('cancelled')
        expect(await queue.nextDueInMs([type])).toBeUndefined()
      })

      it('set anew after a cancellation are a third one’s, not the first one’s', async () => {
        await schedule('t', -1000, { version: 1 })
        const paused = await claimOne()
        await unschedule('t')
        await schedule('t', -1000, { version: 2 })
        const current = await claimOne()
        expect(current.token).toBeGreaterThan(paused.token)
        expect(await lock(paused)).toEqual([])
        await settle(done(paused))
        expect(await stored('t')).toMatchObject({ state: 'open', token: current.token })
        await settle(done(current))
        expect((await stored('t')).state).toBe('done')
      })

      it('set anew after they fired begin anew, without the old outcome', async () => {
        await schedule('t', -1000)
        const first = await claimOne()
        await settle({ ...hold(first), state: 'dead', outcome: { kind: 'due' }, error: 'a bug' })
        await schedule('t', -1000)
        expect(await stored('t')).toMatchObject({ state: 'open', outcome: null, error: null, attempt: 0 })
        const second = await claimOne()
        expect(second.token).toBeGreaterThan(first.token)
      })

      it('that are over stay as they ended when they are cancelled', async () => {
        await schedule('t', -1000)
        await settle(done(await claimOne()))
        await unschedule('t')
        expect((await stored('t')).state).toBe('done')
      })

      it('set in opposite order by many at once do not lock each other out', async () => {
        const names = Array.from({ length: 8 }, (_, i) => `t${i}`)
        const setAll = (order: readonly string[]) =>
          within((tasks, at) =>
            tasks.apply({ ...none, scheduled: order.map((timer) => ({ ...pending(timer, at), dueAt: at + HOUR_MS })) }),
          )
        await Promise.all(Array.from({ length: 10 }, (_, i) => setAll(i % 2 ? names : names.toReversed())))
        expect(await stored('t0')).toMatchObject({ state: 'open', token: 9 })
      })
    })

    describe('looking', () => {
      it('tells when the next is due: at least 0, leases included, nothing when there is none', async () => {
        expect(await queue.nextDueInMs([type])).toBeUndefined()
        await enqueue('late', 600_000)
        const later = (await queue.nextDueInMs([type]))!
        expect(later).toBeGreaterThan(590_000)
        expect(later).toBeLessThanOrEqual(600_000)
        await enqueue('over', -5000)
        expect(await queue.nextDueInMs([type])).toBe(0)
        await claimOne()
        const lease = (await queue.nextDueInMs([type, 'unknown']))!
        expect(lease).toBeGreaterThan(LEASE_MS - 5000)
        expect(lease).toBeLessThanOrEqual(LEASE_MS)
      })

      it('counts by type and state', async () => {
        for (const task of ['a', 'b', 'c']) await enqueue(task)
        await settle(done(await claimOne()))
        const mine = (await queue.stats()).filter((stat) => stat.type === type)
        expect(mine.toSorted((a, b) => (a.state < b.state ? -1 : 1))).toEqual([
          { type, state: 'done', count: 1 },
          { type, state: 'open', count: 2 },
        ])
      })

      it('redrives what is dead, with fresh attempts and the next token, and nothing else', async () => {
        await enqueue('a')
        const task = await claimOne()
        expect(await queue.redrive(id('a'))).toBe(false)
        await settle({ ...hold(task), state: 'dead', outcome: { kind: 'exhausted' }, error: 'down' })
        expect(await queue.redrive(id('a'))).toBe(true)
        expect(await queue.redrive(id('a'))).toBe(false)
        const again = await claimOne()
        expect([again.attempt, again.token > task.token]).toEqual([1, true])
        await settle(done(again))
        expect(await queue.redrive(id('a'))).toBe(false)
        expect(await queue.redrive('nobody')).toBe(false)
        expect(await queue.find('nobody')).toBeUndefined()
      })
    })
  })
}
