/** What a queue of commands must do over any storage: one key, one effect, one answer (I9), in groups that nobody waits for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../core/clock.ts'
import { CommandQueue, QueueFullError, type Command, type CommandAnswer } from './commands.ts'
import { onCommand, reject, type Decision } from './decision.ts'
import type { PipelineOptions } from './pipeline.ts'
import {
  counters,
  makePipeline,
  tallyService,
  wholeLog,
  type Addition,
  type Site,
  type Sites,
  type World,
} from './testing.ts'

export interface CommandWorld {
  readonly world: World
  /** Stored keys are this much older. */
  pass(ms: number): Promise<void>
}

const HOUR_MS = 3_600_000

/** The reply says what was decided and by whom, so that two decisions never give the same bytes. */
const render = (by: string) => (decision: Decision) => ({
  status: decision.kind === 'accepted' ? 200 : 409,
  headers: { 'X-By': by },
  body: JSON.stringify(decision.kind === 'accepted' ? decision.reply : { code: decision.code }),
})

let drawn = 0

/** Adds to a counter; `key` makes it idempotent. */
export function add(data: Partial<Addition> & { key: string }, key?: string, rest: Partial<Command> = {}): Command {
  const id = `command${drawn++}`
  const addition = { seq: 1, amount: 1, ...data }
  return {
    id,
    type: 'Add',
    data: addition,
    requestId: `request of ${id}`,
    render: render(id),
    ...(key === undefined ? {} : { key: { id: key, fingerprint: JSON.stringify(addition), ttlMs: HOUR_MS } }),
    ...rest,
  }
}

/** Decided differently each time, as long as `keep` is false. */
const fickle = onCommand<{ keep: boolean }>('Fickle', {
  lock: () => [],
  decide: ({ keep }, _, { inputId }) => reject('not-now', inputId, { keep }),
})

const service = tallyService({
  inspect({ key }) {
    if (key.includes('poison')) throw new Error(`${key} is poison`)
  },
})
const definition = { ...service, commands: [...service.commands, fickle] }

export const queueOver = (site: Site, rest: Partial<PipelineOptions> = {}, limit?: number): CommandQueue =>
  new CommandQueue(makePipeline(site, definition, { random: { next: () => 0 }, ...rest }), limit)

const replied = (answer: CommandAnswer) => (answer.kind === 'answered' ? answer.reply : undefined)
const replayed = (answer: CommandAnswer) => answer.kind === 'answered' && answer.replayed

export function commandSuite(open: () => Promise<CommandWorld>): void {
  let world: World
  let pass: CommandWorld['pass']
  /** A second process. */
  let other: Sites
  let count = 0
  beforeAll(async () => {
    const opened = await open()
    world = opened.world
    pass = (ms) => opened.pass(ms)
    other = await world.connect()
  })
  beforeEach(() => {
    count++
  })
  afterAll(async () => {
    if (world.kind === 'postgres') await other.close()
    await world.close()
  })

  /** Counters and keys of one test. */
  const k = (key: string) => `${count}.${key}`
  const valueOf = async (key: string) => (await world.tally.rows(counters)).find((row) => row.key === k(key))?.value

  describe('grouping', () => {
    it('an idle system commits at once; the answer tells the decision and where it can be read', async () => {
      const queue = queueOver(world.tally)
      const answer = await queue.submit(add({ key: k('a'), amount: 7 }))
      expect(answer).toMatchObject({
        kind: 'answered',
        replayed: false,
        reply: { status: 200, body: '{"value":7}' },
        decision: { kind: 'accepted', reply: { value: 7 } },
      })
      const [message] = (await wholeLog(world.tally)).filter(({ key }) => key === k('a'))
      expect((answer as { heads: unknown }).heads).toContainEqual({ lane: message!.lane, head: message!.position })
    })

    it('what arrives while a transaction runs goes together into the next, at most 500', async () => {
      const sizes: number[] = []
      const queue = queueOver(world.tally, { onCommit: ({ results }) => sizes.push(results.length) })
      const all = Array.from({ length: 1201 }, (_, i) => queue.submit(add({ key: k(`a${i % 7}`), seq: i })))
      expect(queue.depth).toBe(1201)
      const answers = await Promise.all(all)
      expect(answers.every((answer) => replied(answer)?.status === 200)).toBe(true)
      expect(sizes).toEqual([500, 500, 201])
      const rows = (await world.tally.rows(counters)).filter(({ key }) => key.startsWith(k('a')))
      expect(rows.map(({ value }) => value).reduce((a, b) => a + b)).toBe(1201)
      // In the order in which they came.
      for (const { history } of rows) expect(history).toEqual([...history].toSorted((a, b) => a - b))
      await queue.idle()
      expect(queue.depth).toBe(0)
    })

    it('a command that comes in whatever turn after another was answered is answered too', async () => {
      const queue = queueOver(world.tally)
      const chains = Array.from({ length: 12 }, async (_, turns) => {
        for (let i = 0; i < 6; i++) {
          await queue.submit(add({ key: k(`c${turns}`), seq: i }))
          for (let turn = 0; turn < turns * (i + 1); turn++) await Promise.resolve()
        }
      })
      await Promise.all(chains)
      await queue.idle()
      expect(await valueOf('c11')).toBe(6)
    })

    it('refuses at once when too many wait', async () => {
      const queue = queueOver(world.tally, {}, 3)
      const waiting = [1, 2, 3].map((n) => queue.submit(add({ key: k('a'), seq: n })))
      await expect(queue.submit(add({ key: k('a') }))).rejects.toBeInstanceOf(QueueFullError)
      await Promise.all(waiting)
      await queue.submit(add({ key: k('a') }))
      expect(await valueOf('a')).toBe(4)
    })

    it('refuses two commands of one id, which would be one input', async () => {
      const queue = queueOver(world.tally)
      const command = add({ key: k('a') })
      const [first, second] = await Promise.allSettled([queue.submit(command), queue.submit(command)])
      expect([first.status, second.status]).toEqual(['fulfilled', 'rejected'])
      expect(await valueOf('a')).toBe(1)
    })
  })

  describe('I9 one key', () => {
    it('has one effect and one answer: repeated in one batch and later', async () => {
      const queue = queueOver(world.tally)
      const submit = () => queue.submit(add({ key: k('a') }, k('key')))
      const answers = await Promise.all(Array.from({ length: 100 }, submit))
      expect(answers.filter((answer) => !replayed(answer))).toHaveLength(1)
      const later = await submit()
      expect(replayed(later)).toBe(true)
      expect(new Set([...answers, later].map((answer) => JSON.stringify(replied(answer)))).size).toBe(1)
      expect(await valueOf('a')).toBe(1)
    })

    it('has one effect and one answer: raced by 100 callers in two processes', async () => {
      const queues = [queueOver(world.tally), queueOver(other.tally)] as const
      for (let round = 0; round < 10; round++) {
        const submit = (i: number) => queues[i % 2]!.submit(add({ key: k(`a${round}`) }, k(`key${round}`)))
        const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => submit(i)))
        expect(answers.filter((answer) => !replayed(answer))).toHaveLength(1)
        expect(new Set(answers.map((answer) => JSON.stringify(replied(answer)))).size).toBe(1)
        expect(await valueOf(`a${round}`)).toBe(1)
      }
    })

    it('of many raced in opposite order by two batches has one effect each, and nobody is locked out', async () => {
      const names = Array.from({ length: 60 }, (_, i) => `n${i}`)
      // Every batch touches rows of its own: the keys alone decide.
      const batch = (queue: CommandQueue, order: readonly string[], by: string) =>
        Promise.all(order.map((name) => queue.submit(add({ key: k(`${name}.${by}`), seq: 1 }, k(name), fixed(name)))))
      const fixed = (name: string): Partial<Command> => ({ key: { id: k(name), fingerprint: name, ttlMs: HOUR_MS } })
      // Only lost races of the kind that a deadlock is make a pipeline pause.
      const pauses: number[] = []
      const timers = { ...systemTimers, sleep: async (ms: number) => void pauses.push(ms) }
      const [mine, theirs] = await Promise.all([
        batch(queueOver(world.tally, { timers }), names, 'mine'),
        batch(queueOver(other.tally, { timers }), names.toReversed(), 'theirs'),
      ])
      expect(pauses).toEqual([])
      const rows = (await world.tally.rows(counters)).filter(({ key }) => key.startsWith(`${count}.n`))
      expect(rows).toHaveLength(60)
      expect(new Set(rows.map(({ key }) => key.split('.')[1])).size).toBe(60)
      for (const [i, answer] of mine.entries()) expect(replied(theirs[59 - i]!)).toEqual(replied(answer))
    })

    it('with another body is refused, in one batch and later, and changes nothing', async () => {
      const queue = queueOver(world.tally)
      const [first, other] = await Promise.all([
        queue.submit(add({ key: k('a'), amount: 1 }, k('key'))),
        queue.submit(add({ key: k('a'), amount: 2 }, k('key'))),
      ])
      expect([first.kind, other.kind]).toEqual(['answered', 'reused'])
      expect(await queue.submit(add({ key: k('a'), amount: 3 }, k('key')))).toEqual({ kind: 'reused' })
      expect(replayed(await queue.submit(add({ key: k('a'), amount: 1 }, k('key'))))).toBe(true)
      expect(await valueOf('a')).toBe(1)
    })

    it('that has expired is fresh, also with another body, and raced', async () => {
      const queues = [queueOver(world.tally), queueOver(other.tally)] as const
      await queues[0].submit(add({ key: k('a'), amount: 1 }, k('key')))
      await pass(HOUR_MS + 1000)
      const submit = (i: number) => queues[i % 2]!.submit(add({ key: k('a'), amount: 10 }, k('key')))
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => submit(i)))
      expect(answers.filter((answer) => !replayed(answer))).toHaveLength(1)
      expect(await valueOf('a')).toBe(11)
      expect(await queues[1].submit(add({ key: k('a'), amount: 1 }, k('key')))).toEqual({ kind: 'reused' })
    })

    it('keeps a rejection, unless it says that it may change', async () => {
      const queue = queueOver(world.tally)
      const tooMuch = () => queue.submit(add({ key: k('a'), amount: 5000 }, k('key')))
      const [first, second] = [await tooMuch(), await tooMuch()]
      expect([replied(first)?.body, replayed(first), replayed(second)]).toEqual(['{"code":"too-much"}', false, true])
      expect(replied(second)).toEqual(replied(first))
      const ask = (keep: boolean) => {
        const by = `fickle${drawn++}`
        const key = { id: k(`fickle ${keep}`), fingerprint: 'f', ttlMs: HOUR_MS }
        return queue.submit({ id: by, type: 'Fickle', data: { keep }, requestId: by, key, render: render(by) })
      }
      for (const keep of [true, false]) {
        const answers = [await ask(keep), await ask(keep)]
        expect(answers.map(replayed)).toEqual([false, keep])
        expect(replied(answers[0]!)?.headers['X-By'] === replied(answers[1]!)?.headers['X-By']).toBe(keep)
      }
    })
  })

  describe('what throws', () => {
    it('fails alone and keeps no reply; its neighbours go on, and the key can be used again', async () => {
      const queue = queueOver(world.tally)
      const submitAll = () => {
        const keys = ['a', 'poison', 'b']
        return Promise.allSettled(keys.map((key) => queue.submit(add({ key: k(key) }, k(`key of ${key}`)))))
      }
      for (const round of [1, 2]) {
        const settled = await submitAll()
        expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect((settled[1] as PromiseRejectedResult).reason).toEqual(new Error(`${k('poison')} is poison`))
        expect([await valueOf('a'), await valueOf('b'), await valueOf('poison')], `round ${round}`).toEqual([
          1,
          1,
          undefined,
        ])
      }
      // Nothing is stored under the key, so it may even be used for something else.
      expect(await queue.submit(add({ key: k('healthy') }, k('key of poison')))).toMatchObject({ replayed: false })
    })

    it('fails everybody who asked the same in one batch', async () => {
      const queue = queueOver(world.tally)
      const asked = Array.from({ length: 5 }, () => queue.submit(add({ key: k('poison') }, k('key'))))
      const settled = await Promise.allSettled(asked)
      expect(settled.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'))
    })

    it('while rendering fails alone too, and saves nothing', async () => {
      const queue = queueOver(world.tally)
      const broken = add({ key: k('b') }, k('key of b'), {
        render() {
          throw new TypeError('no such field')
        },
      })
      const settled = await Promise.allSettled([
        queue.submit(add({ key: k('a') })),
        queue.submit(broken),
        queue.submit(add({ key: k('c') })),
      ])
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect((settled[1] as PromiseRejectedResult).reason).toEqual(new TypeError('no such field'))
      expect([await valueOf('a'), await valueOf('b'), await valueOf('c')]).toEqual([1, undefined, 1])
    })

    it('because nobody handles it fails alone', async () => {
      const queue = queueOver(world.tally)
      const settled = await Promise.allSettled([
        queue.submit(add({ key: k('a') })),
        queue.submit(add({ key: k('a') }, undefined, { type: 'Unknown' })),
      ])
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
      expect(String((settled[1] as PromiseRejectedResult).reason)).toContain('Nothing handles command Unknown')
    })
  })
}
