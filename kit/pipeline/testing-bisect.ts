/**
 * Whom a database error sets aside, over any storage: the one input whose data is refused, and nobody when it is the weather
 * (P3). Five hundred neighbours must neither fail with the one nor wait for it.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { poll } from '../consumer/poll.ts'
import { isUnavailable } from '../database/errors.ts'
import { accept, onCommand } from './decision.ts'
import { messageSource } from './messages.ts'
import { add, queueOver } from './testing-commands.ts'
import {
  added,
  counters,
  makePipeline,
  send,
  tallyService,
  wholeLog,
  type Addition,
  type Sites,
  type World,
} from './testing.ts'
import { CommandQueue, type Command } from './commands.ts'

export interface FaultyWorld {
  readonly world: World
  /** Every write of a counter fails with this SQLSTATE, so many times; undefined for none any more. */
  refuse(code: string | undefined, times?: number): Promise<void>
}

const quiet = { next: () => 0 }

export function bisectSuite(open: () => Promise<FaultyWorld>): void {
  let world: World
  let faulty: FaultyWorld
  let other: Sites
  let count = 0
  beforeAll(async () => {
    faulty = await open()
    world = faulty.world
    other = await world.connect()
  })
  beforeEach(() => {
    count++
  })
  afterEach(() => faulty.refuse(undefined))
  afterAll(async () => {
    if (world.kind === 'postgres') await other.close()
    await world.close()
  })

  const k = (key: string | number) => `${count}.${key}`
  const mine = async () => (await world.tally.rows(counters)).filter(({ key }) => key.startsWith(`${count}.`))
  const valueOf = async (key: string) => (await mine()).find((row) => row.key === k(key))?.value

  /** A counter that wears the badge. */
  const wear = (badge: string) => queueOver(world.tally).submit(add({ key: k('holder'), badge: k(badge) }))

  /** Submits 500 commands, those of `bad` with other data than the rest. Gives the errors by number. */
  async function fiveHundred(bad: ReadonlyMap<number, Partial<Addition>>, rest: Partial<Command> = {}) {
    const queue = queueOver(world.tally)
    const settled = await Promise.allSettled(
      Array.from({ length: 500 }, (_, n) => queue.submit(add({ key: k(n), ...bad.get(n) }, k(`key ${n}`), rest))),
    )
    const errors = new Map<number, Error & { code?: string }>()
    for (const [n, result] of settled.entries()) if (result.status === 'rejected') errors.set(n, result.reason)
    return { queue, errors }
  }

  describe('an input’s fault', () => {
    it.each<[string, string, (n: number) => Partial<Addition>]>([
      ['a check', '23514', () => ({ amount: -5 })],
      ['a value no column can hold', '22000', () => ({ amount: 0.5 })],
      ['a set that no two rows share', '23505', () => ({ badge: k('taken') })],
    ])('refused by %s is one command’s alone among 500, and keeps no reply', async (_, code, bad) => {
      await wear('taken')
      const { queue, errors } = await fiveHundred(new Map([[321, bad(321)]]))
      expect([...errors].map(([n, error]) => [n, error.code])).toEqual([[321, code]])
      const rows = (await mine()).filter(({ badge }) => badge === null)
      expect(rows).toHaveLength(499)
      expect(rows.every(({ value, history }) => value === 1 && history.length === 1)).toBe(true)
      // The key is free: even for something else.
      expect(await queue.submit(add({ key: k(321), amount: 7 }, k('key 321')))).toMatchObject({ replayed: false })
      expect(await valueOf('321')).toBe(7)
    })

    it('several culprits are found, wherever they stand, and their neighbours are decided once', async () => {
      // The database refuses the first four, the declared check the others.
      await wear('taken')
      const culprits = [0, 1, 249, 250, 251, 498, 499]
      const bad = new Map(culprits.map((n, i) => [n, i < 4 ? { badge: k('taken') } : { amount: -1 }]))
      const { errors } = await fiveHundred(bad)
      expect([...errors.keys()]).toEqual([...bad.keys()])
      const rows = (await mine()).filter(({ badge }) => badge === null)
      expect(rows).toHaveLength(493)
      expect(rows.every(({ history }) => history.length === 1)).toBe(true)
      expect((await wholeLog(world.tally)).filter(({ key }) => key.startsWith(`${count}.`))).toHaveLength(494)
    })

    it('all can be', async () => {
      const queue = queueOver(world.tally)
      const settled = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) => queue.submit(add({ key: k(n), amount: -1 }))),
      )
      expect(settled.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'rejected'))
      expect(await mine()).toEqual([])
    })

    it('a unique value that is taken is the fault of who comes second, in one batch and later', async () => {
      const queue = queueOver(world.tally)
      const submit = (key: string) => queue.submit(add({ key: k(key), badge: k('gold') }))
      const settled = await Promise.allSettled([submit('a'), queue.submit(add({ key: k('b') })), submit('c')])
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
      await expect(submit('d')).rejects.toMatchObject({ code: '23505' })
      expect((await mine()).map(({ key, badge }) => [key, badge])).toEqual([
        [k('a'), k('gold')],
        [k('b'), null],
      ])
    })

    it('what cannot be encoded is saved by nobody, and the rest of its transaction is not saved without it', async () => {
      const lock = ({ key }: { key: string }) => [counters.key(key)]
      // The row is fine; what goes with it has no JSON. Without care the row would be saved, and the message lost.
      const leak = (made: object) =>
        onCommand<{ key: string }>('Leak', {
          lock,
          decide: ({ key }) =>
            accept({ changes: [counters.insert({ key, value: 1, badge: null, history: [] })], ...made }),
        })
      const bad: object[] = [
        { messages: [{ type: 'Leaked', key: 'k', data: { big: 1n } }] },
        { tasks: [{ kind: 'enqueue', task: { type: 't', key: 'k', data: { big: 1n } } }] },
        { tasks: [{ kind: 'enqueue', task: { type: 't', key: 'k', data: {}, dueAt: Number.NaN } }] },
        { tasks: [undefined] },
      ]
      for (const [n, made] of bad.entries()) {
        const definition = { ...tallyService(), commands: [...tallyService().commands, leak(made)] }
        const queue = new CommandQueue(makePipeline(world.tally, definition, { random: quiet }))
        const settled = await Promise.allSettled([
          queue.submit(add({ key: k(`before ${n}`) })),
          queue.submit(add({ key: k(`leak ${n}`) }, undefined, { type: 'Leak' })),
          queue.submit(add({ key: k(`behind ${n}`) })),
        ])
        expect(
          settled.map(({ status }) => status),
          `case ${n}`,
        ).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect([await valueOf(`before ${n}`), await valueOf(`leak ${n}`), await valueOf(`behind ${n}`)]).toEqual([
          1,
          undefined,
          1,
        ])
      }
    })

    it('a key that cannot even be looked for is set aside', async () => {
      const queue = queueOver(world.tally)
      const settled = await Promise.allSettled(['a', 'b\0', 'c'].map((key) => queue.submit(add({ key: k(key) }))))
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect([await valueOf('a'), await valueOf('c')]).toEqual([1, 1])
    })
  })

  describe('nobody’s fault', () => {
    it('a row that two processes make at once: both are decided, one after the other', async () => {
      const queues = [queueOver(world.tally), queueOver(other.tally)] as const
      for (let round = 0; round < 10; round++) {
        const all = queues.flatMap((queue, by) =>
          Array.from({ length: 20 }, (_, n) => queue.submit(add({ key: k(`${round}.${by ? 19 - n : n}`), seq: by }))),
        )
        await Promise.all(all)
      }
      const rows = await mine()
      expect(rows).toHaveLength(200)
      expect(rows.every(({ value, history }) => value === 2 && history.toSorted().join() === '0,1')).toBe(true)
    })

    it.each([
      ['a full disk', '53100'],
      ['a read-only server', '25006'],
      ['a server that stops', '57P01'],
      ['a wrong statement', '42P01'],
    ])('%s: callers are told, nothing is kept, and all goes on afterwards (%s)', async (_, code) => {
      await faulty.refuse(code)
      const { queue, errors } = await fiveHundred(new Map())
      expect(errors.size).toBe(500)
      expect(new Set([...errors.values()].map((error) => error.code))).toEqual(new Set([code]))
      expect(isUnavailable([...errors.values()][0])).toBe(code !== '42P01')
      expect(await mine()).toEqual([])
      await faulty.refuse(undefined)
      expect(await queue.submit(add({ key: k(0) }, k('key 0')))).toMatchObject({ replayed: false })
      expect(await valueOf('0')).toBe(1)
    })

    it('messages wait at the cursor: none is parked, none is lost', async () => {
      await world.tally.groups.ensure('tally', ['upstream'], world.lanes)
      const pipeline = makePipeline(world.tally, tallyService(), { random: quiet })
      const apply = async () => {
        const { backlogs } = await poll(world.tally.groups, 'tally', [world.upstream.log], 500, 0)
        return pipeline.run(messageSource('tally'), backlogs)
      }
      await send(world.upstream, ...Array.from({ length: 40 }, (_, n) => added(k(n % 10), n)))
      const before = await world.tally.groups.cursors('tally')
      for (const code of ['53100', '25006']) {
        await faulty.refuse(code)
        await expect(apply()).rejects.toMatchObject({ code })
        expect(await world.tally.groups.cursors('tally')).toEqual(before)
        expect(await world.tally.groups.parked('tally', 10)).toEqual([])
      }
      await faulty.refuse(undefined)
      expect(await apply()).toHaveLength(40)
      expect((await mine()).map(({ value }) => value)).toEqual(Array.from({ length: 10 }, () => 4))
    })

    it.each([
      ['a deadlock', '40P01'],
      ['a serialization failure', '40001'],
      ['a lock timeout', '55P03'],
    ])('%s: the whole batch is run again, and each command has its effect once (%s)', async (_, code) => {
      await faulty.refuse(code, 3)
      let commits = 0
      const queue = queueOver(world.tally, { onCommit: () => commits++ })
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => queue.submit(add({ key: k(n) }, k(`key ${n}`)))),
      )
      expect(answers.every((answer) => answer.kind === 'answered' && !answer.replayed)).toBe(true)
      expect(commits).toBe(1)
      expect((await mine()).map(({ value }) => value)).toEqual(Array.from({ length: 50 }, () => 1))
    })

    it('contention without end is told to the callers after six tries, with pauses in between', async () => {
      await faulty.refuse('40001')
      const pauses: number[] = []
      const timers = { sleep: async (ms: number) => void pauses.push(ms), after: () => () => undefined }
      const queue = queueOver(world.tally, { timers, random: { next: () => 0.5 } })
      const error: unknown = await queue.submit(add({ key: k('a') })).catch((reason: unknown) => reason)
      expect([(error as { code?: string }).code, isUnavailable(error)]).toEqual(['40001', true])
      expect(pauses).toEqual([10, 20, 40, 80, 160])
      await faulty.refuse(undefined)
      await queue.submit(add({ key: k('a') }))
      expect(await valueOf('a')).toBe(1)
    })
  })
}
