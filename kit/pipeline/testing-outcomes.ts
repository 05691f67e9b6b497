/**
 * What becomes of an effect's answer and of a timer come due, over any storage: decided once by whoever holds the current
 * token (I7, I11), tried again, given up and told, or dead-lettered with what was answered.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { outcomeSource } from './outcomes.ts'
import type { Pipeline } from './pipeline.ts'
import { CommandQueue } from './commands.ts'
import { redriveDead } from './dead-letters.ts'
import { add } from './testing-commands.ts'
import { jobService, type Job } from './testing-jobs.ts'
import { counters, makePipeline, wholeLog, type World } from './testing.ts'
import { cancel, done, retry, snooze, type Effect, type FinishedTask, type Outcome } from '../task/outcome.ts'
import type { StoredTask, Task } from '../task/port.ts'

export interface OutcomeWorld {
  readonly world: World
  /** Time passes for every task. */
  pass(ms: number): Promise<void>
}

const LEASE_MS = 30_000

const effect: Effect = {
  type: 'job',
  run: () => Promise.reject(new Error('not run here')),
  backoff: { baseMs: 1000, capMs: 8000, attempts: 3 },
  timeoutMs: 1000,
  concurrency: 1,
}

/** Every delay is the longest but one part in a thousand. */
const random = { next: () => 0.999 }

export function outcomeSuite(open: () => Promise<OutcomeWorld>): void {
  let world: World
  let pass: OutcomeWorld['pass']
  let pipeline: Pipeline
  let commands: CommandQueue
  let count = 0
  beforeAll(async () => {
    const opened = await open()
    world = opened.world
    pass = (ms) => opened.pass(ms)
    pipeline = makePipeline(world.tally, jobService, { random: { next: () => 0 } })
    commands = new CommandQueue(pipeline)
  })
  beforeEach(() => {
    count++
  })
  afterAll(() => world.close())

  const k = (key: string) => `${count}.${key}`
  const run = (finished: readonly FinishedTask[], attempts = 3) => {
    const effects = new Map([['job', { ...effect, backoff: { ...effect.backoff, attempts } }]])
    return pipeline.run(outcomeSource({ effects, random }), finished)
  }
  const settle = (task: Task, outcome: FinishedTask['outcome'], attempts?: number) => run([{ task, outcome }], attempts)
  /** The decision's `now`. */
  const begin = async (data: object): Promise<number> => {
    const answer = await commands.submit(
      add({ key: k('a') }, undefined, { type: 'Start', data: { key: k('a'), ...data } }),
    )
    return (answer as { decision: { reply: number } }).decision.reply
  }
  const claim = async (type = 'job') =>
    (await world.tally.queue.claim([type], 1000, LEASE_MS)).filter(({ key }) => key.startsWith(`${count}.`))
  const claimOne = async (type = 'job') => (await claim(type))[0]!
  const stored = async (task: Task): Promise<StoredTask> => (await world.tally.queue.find(task.id))!
  const counter = async (key = 'a') => (await world.tally.rows(counters)).find((row) => row.key === k(key))
  /** What the decisions said, in order. */
  const texts = async () => (await saidBy()).map(({ data }) => (data as { text: string }).text)
  const saidBy = async () =>
    (await wholeLog(world.tally)).filter(({ key, type }) => type === 'Said' && key.startsWith(`${count}.`))

  /** Starts one job and claims it. */
  const started = async (data: Partial<Job> = {}): Promise<Task> => {
    await begin({ jobs: [{ key: k('a'), ...data }] })
    return claimOne()
  }

  describe('an effect that ended', () => {
    it('done: the decision is told, with its changes and messages, and the task is done with its outcome', async () => {
      const task = await started()
      const results = await settle(task, done({ tracking: 'T"1\\' }))
      expect(results).toMatchObject([{ kind: 'decided' }])
      expect(await texts()).toEqual(['{"tracking":"T\\"1\\\\"}'])
      expect(await stored(task)).toMatchObject({
        state: 'done',
        outcome: { kind: 'done', result: { tracking: 'T"1\\' } },
        error: null,
      })
      expect(await counter()).toMatchObject({ value: 1 })
      const [message] = await saidBy()
      expect(message).toMatchObject({ requestId: task.requestId, causeId: `${task.id}:${task.token}` })
    })

    it('cancel: the decision is told, and the task is cancelled', async () => {
      const task = await started()
      await settle(task, cancel('card stolen'))
      expect(await texts()).toEqual(['cancelled card stolen'])
      expect(await stored(task)).toMatchObject({ state: 'cancelled', error: 'card stolen' })
    })

    it('retry: back after the backoff, which grows; no decision; at the last attempt dead, and the decision told', async () => {
      let task = await started()
      for (const [attempt, longestMs] of [
        [1, 1000],
        [2, 2000],
      ] as const) {
        expect(task.attempt).toBe(attempt)
        expect(await settle(task, retry('busy'))).toEqual([])
        const { state, error, dueAt } = await stored(task)
        expect([state, error]).toEqual(['open', 'busy'])
        const inMs = dueAt - (await nowOf(world))
        expect(inMs).toBeLessThanOrEqual(longestMs)
        expect(inMs).toBeGreaterThan(longestMs * 0.999 - 500)
        expect(await claim()).toEqual([])
        await pass(longestMs)
        task = await claimOne()
      }
      expect(task.attempt).toBe(3)
      await settle(task, retry('still busy'))
      expect(await texts()).toEqual(['exhausted still busy'])
      expect(await stored(task)).toMatchObject({
        state: 'dead',
        error: 'still busy',
        outcome: { kind: 'exhausted', reason: 'still busy' },
      })
      await pass(3_600_000)
      expect(await claim()).toEqual([])
    })

    it('retry after a time of the provider’s own', async () => {
      const task = await started()
      await settle(task, retry('429', 45_000))
      expect((await stored(task)).dueAt - (await nowOf(world))).toBeGreaterThan(44_000)
    })

    it('retry for ever: there is no last attempt', async () => {
      let task = await started()
      for (let attempt = 1; attempt <= 6; attempt++) {
        expect(task.attempt).toBe(attempt)
        await settle(task, retry('busy'), Infinity)
        await pass(10_000)
        task = await claimOne()
      }
      expect(await texts()).toEqual([])
    })

    it('snooze: back at its time, and the attempt does not count', async () => {
      let task = await started()
      for (let i = 0; i < 5; i++) {
        await settle(task, snooze((await nowOf(world)) + 60_000))
        expect((await stored(task)).dueAt - (await nowOf(world))).toBeGreaterThan(59_000)
        await pass(61_000)
        task = await claimOne()
        expect(task.attempt).toBe(1)
      }
      expect(await texts()).toEqual([])
    })

    it.each<[string, Outcome]>([
      ['a reason that cannot be stored', retry('a\0b \ud83d')],
      ['a reason without an end', retry('x'.repeat(1_000_000))],
      ['no reason', retry(undefined as never)],
      ['a time that is none', retry('busy', Number.NaN)],
      ['a time that was', retry('busy', -5000)],
      ['a time beyond all times', retry('busy', 1e20)],
      ['a snooze without a time', snooze(Number.NaN)],
      ['a cancellation that cannot be stored', cancel('a\0b')],
      ['a result with odd text in it', done({ text: 'a\0b \ud83d' })],
    ])('with %s stops neither itself nor the answers beside it', async (_, outcome) => {
      await begin({ jobs: [{ key: k('a') }, { key: k('b') }, { key: k('c') }] })
      const tasks = await claim()
      const finished = tasks.map((task, i) => ({ task, outcome: i === 1 ? outcome : done() }))
      await run(finished)
      const states = await Promise.all(tasks.map(stored))
      expect([states[0]!.state, states[2]!.state]).toEqual(['done', 'done'])
      expect(states[1]!.token).toBeGreaterThan(tasks[1]!.token)
      expect(states[1]!.state).toBe({ retry: 'open', snooze: 'open', cancel: 'cancelled', done: 'done' }[outcome.kind])
    })
  })

  describe('a decision that fails', () => {
    it('because it throws dead-letters the task with what was answered; its neighbours go on', async () => {
      await begin({ jobs: [{ key: k('a') }, { key: k('b'), does: 'throw' }, { key: k('c') }] })
      const tasks = await claim()
      const results = await run(tasks.map((task) => ({ task, outcome: done({ of: task.id }) })))
      expect(results.map(({ kind }) => kind).toSorted()).toEqual(['aside', 'decided', 'decided'])
      const bad = tasks.find(({ data }) => (data as Job).does)!
      expect(await stored(bad)).toMatchObject({
        state: 'dead',
        error: 'TypeError: a bug',
        outcome: { kind: 'done', result: { of: bad.id } },
      })
      expect([await counter('b'), (await counter('c'))?.value]).toEqual([undefined, 1])
    })

    it('because the database refuses what it made does so too, alone in its batch', async () => {
      const jobs = Array.from({ length: 20 }, (_, n): Job =>
        n === 13 ? { key: k(`n${n}`), does: 'refuse' } : { key: k(`n${n}`) },
      )
      await begin({ jobs })
      const tasks = [...(await claim()), ...(await claim())]
      await run(tasks.map((task) => ({ task, outcome: done() })))
      const states = await Promise.all(tasks.map(stored))
      expect(states.filter(({ state }) => state === 'done')).toHaveLength(19)
      const dead = states.filter(({ state }) => state === 'dead')
      expect(dead).toMatchObject([{ outcome: { kind: 'done' } }])
      expect(dead[0]!.error).toContain('23514')
      // An operator mends the cause and redrives: the provider is asked again with the same key.
      expect(await redriveDead(world.tally.transactions, [dead[0]!.id])).toEqual([dead[0]!.id])
      expect(await claimOne()).toMatchObject({ id: dead[0]!.id, attempt: 1 })
    })
  })

  describe('I11 an answer that comes too late', () => {
    it('decides nothing and changes nothing, alone or in one batch with the current one', async () => {
      const late = await started()
      await pass(LEASE_MS + 1000)
      const current = await claimOne()
      expect(await settle(late, done({ by: 'the late one' }))).toEqual([])
      const results = await run([
        { task: late, outcome: done({ by: 'the late one' }) },
        { task: current, outcome: done({ by: 'the current one' }) },
      ])
      expect(results).toHaveLength(1)
      expect(await texts()).toEqual(['{"by":"the current one"}'])
      expect(await counter()).toMatchObject({ value: 1, history: [1] })
      for (const outcome of [retry('late'), snooze(0), cancel('late'), done()])
        expect(await settle(late, outcome)).toEqual([])
      expect(await stored(current)).toMatchObject({ state: 'done' })
    })

    it('a second time is the same: one answer has one effect', async () => {
      const task = await started()
      const both = await Promise.all([settle(task, done({ n: 1 })), settle(task, done({ n: 1 }))])
      expect(both.flat()).toHaveLength(1)
      expect(await settle(task, done({ n: 1 }))).toEqual([])
      expect(await texts()).toEqual(['{"n":1}'])
    })
  })

  describe('a timer', () => {
    const due = async () => claimOne('bell')
    const fire = (task: Task) => settle(task, { kind: 'due' })

    it('fires once, with a `now` that is neither before its time nor at the end of its lease', async () => {
      const now = await begin({ ring: { inMs: 60_000 } })
      expect(await claim('bell')).toEqual([])
      await pass(60_000)
      const task = await due()
      await fire(task)
      expect(await fire(task)).toEqual([])
      const [message, ...others] = await saidBy()
      expect(others).toEqual([])
      const { at } = message!.data as { at: number }
      expect(message!.at).toBe(at)
      expect(at).toBeGreaterThanOrEqual(task.dueAt)
      expect(at - (await nowOf(world))).toBeLessThanOrEqual(0)
      expect(now).toBeLessThanOrEqual(at)
    })

    it('moved while it is claimed fires at the new time only', async () => {
      await begin({ ring: { inMs: 0 } })
      const claimed = await due()
      await begin({ ring: { inMs: 60_000 } })
      expect(await fire(claimed)).toEqual([])
      expect(await texts()).toEqual([])
      await pass(60_000)
      await fire(await due())
      expect(await texts()).toHaveLength(1)
    })

    it('stopped while it is claimed does not fire', async () => {
      await begin({ ring: { inMs: 0 } })
      const claimed = await due()
      await begin({ stop: true })
      expect(await fire(claimed)).toEqual([])
      await pass(3_600_000)
      expect(await claim('bell')).toEqual([])
      expect(await texts()).toEqual([])
    })

    it('that sets itself again rings for ever, each time with ids of its own', async () => {
      await begin({ ring: { inMs: 0, data: { does: 'again' } } })
      for (let rung = 0; rung < 4; rung++) {
        const task = await due()
        await fire(task)
        expect((await stored(task)).state).toBe('open')
        expect(await claim('bell')).toEqual([])
        await pass(60_000)
      }
      const messages = await saidBy()
      expect(messages).toHaveLength(4)
      expect(new Set(messages.map(({ id }) => id)).size).toBe(4)
    })

    it('stopped and set anew has ids of its own too, and is not settled by who held the first', async () => {
      await begin({ ring: { inMs: 0 } })
      await fire(await due())
      await begin({ ring: { inMs: 0 } })
      const paused = await due()
      await begin({ stop: true })
      await begin({ ring: { inMs: 0 } })
      const current = await due()
      expect(await fire(paused)).toEqual([])
      await fire(current)
      const messages = await saidBy()
      expect(messages).toHaveLength(2)
      expect(new Set(messages.map(({ id }) => id)).size).toBe(2)
    })

    it('that stops itself is over', async () => {
      await begin({ ring: { inMs: 0, data: { does: 'stop' } } })
      const task = await due()
      await fire(task)
      expect((await stored(task)).state).toBe('cancelled')
      expect(await texts()).toHaveLength(1)
    })

    it('set, stopped and set again by one batch is set once', async () => {
      const data = { key: k('a') }
      const submit = (rest: object) =>
        commands.submit(add({ key: k('a') }, undefined, { type: 'Start', data: { ...data, ...rest } }))
      await Promise.all([
        submit({ ring: { inMs: 0 } }),
        submit({ stop: true }),
        submit({ ring: { inMs: 0, data: { badge: 'last' } } }),
      ])
      const tasks = await claim('bell')
      expect(tasks).toMatchObject([{ data: { badge: 'last' } }])
      await Promise.all([submit({ ring: { inMs: 0 } }), submit({ stop: true })])
      expect(await claim('bell')).toEqual([])
    })
  })
}

/** The store's clock. */
export async function nowOf(world: World): Promise<number> {
  const work = await world.tally.transactions.begin()
  const now = await work.begun
  await work.rollback()
  return now
}
