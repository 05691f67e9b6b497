import { describe, expect, it } from 'vitest'
import { DatabaseUnavailableError } from '../database/errors.ts'
import { table, text } from '../database/table.ts'
import { CommandQueue } from './commands.ts'
import { accept, onCommand, type Decision } from './decision.ts'
import { add } from './testing-commands.ts'
import { counters, makePipeline, openWorld, tallyService, wholeLog, type Counter } from './testing.ts'

const bare = (key: string): Counter => ({ key, value: 0, badge: null, history: [] })

/** A service with one more command, `Odd`, decided like this. */
async function withOdd(decide: (rows: { get: (key: string) => Counter | undefined }, key: string) => Decision) {
  const world = await openWorld('memory')
  const odd = onCommand<{ key: string }>('Odd', {
    lock: ({ key }) => [counters.key(key)],
    decide: ({ key }, rows) => decide({ get: (of) => rows.get(counters, of) }, key),
  })
  const service = tallyService()
  const pipeline = makePipeline(world.tally, { ...service, commands: [...service.commands, odd] })
  const queue = new CommandQueue(pipeline)
  /** Between two ordinary commands. Gives the three outcomes. */
  const submit = async (key: string) => {
    const settled = await Promise.allSettled([
      queue.submit(add({ key: 'before' })),
      queue.submit(add({ key }, undefined, { type: 'Odd' })),
      queue.submit(add({ key: 'behind' })),
    ])
    return settled.map((result) => (result.status === 'rejected' ? String(result.reason) : 'fine'))
  }
  return { world, queue, submit }
}

describe('a decision that is none is set aside alone', () => {
  it.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['a promise', () => Promise.resolve(accept({}))],
    ['a kind that nobody knows', () => ({ kind: 'maybe' })],
  ])('%s', async (_, decide) => {
    const { submit } = await withOdd(decide as () => Decision)
    expect(await submit('a')).toEqual(['fine', 'DecisionError: Odd gave no decision', 'fine'])
  })
})

describe('a decision goes in whole or not at all', () => {
  it('when one of its changes is wrong, or one of its messages or tasks', async () => {
    const mistakes: Partial<Parameters<typeof accept>[0]>[] = [
      { changes: [counters.insert(bare('a')), counters.update(bare('nobody'))] },
      { changes: [counters.insert(bare('a'))], messages: [undefined as never] },
      { changes: [counters.insert(bare('a'))], tasks: [undefined as never] },
      { changes: [counters.insert(bare('a'))], messages: [{ type: 'x', key: 'k', data: {} }], tasks: [null as never] },
    ]
    for (const mistake of mistakes) {
      const { world, submit } = await withOdd(() => accept(mistake))
      const [before, odd, behind] = await submit('a')
      expect([before, behind]).toEqual(['fine', 'fine'])
      expect(odd).toMatch(/Error/)
      expect((await world.tally.rows(counters)).map(({ key }) => key)).toEqual(['before', 'behind'])
      expect((await wholeLog(world.tally)).map(({ key }) => key).toSorted()).toEqual(['before', 'behind'])
    }
  })
})

describe('rows are not for writing on', () => {
  it('a decision that mutates what it was given fails, and the row stays', async () => {
    const { world, queue, submit } = await withOdd((rows, key) => {
      const row = rows.get(key)!
      ;(row as { value: number }).value = 99
      return accept({ changes: [counters.update(row)] })
    })
    await queue.submit(add({ key: 'a' }))
    expect((await submit('a'))[1]).toMatch(/TypeError/)
    expect((await world.tally.rows(counters)).find(({ key }) => key === 'a')?.value).toBe(1)
  })
})

describe('a database that is away', () => {
  it('is told to every caller of the batch, and the next batch finds it back', async () => {
    const world = await openWorld('memory')
    let away = true
    const begin = () => (away ? Promise.reject(new DatabaseUnavailableError('away')) : world.tally.transactions.begin())
    const queue = new CommandQueue(makePipeline({ ...world.tally, transactions: { begin } }, tallyService()))
    const settled = await Promise.allSettled([1, 2, 3].map((n) => queue.submit(add({ key: `a${n}` }))))
    expect(settled.map((result) => (result as PromiseRejectedResult).reason)).toEqual(
      [1, 2, 3].map(() => new DatabaseUnavailableError('away')),
    )
    away = false
    expect(await queue.submit(add({ key: 'a' }))).toMatchObject({ kind: 'answered' })
  })
})

describe('a lock that follows from what an earlier input of the batch did', () => {
  const pointers = table('pointers', { key: 'id', columns: { id: text, to: text } })
  /** `Follow` copies the counter that the pointer points to. */
  const follow = onCommand<{ key: string }>('Follow', {
    lock: ({ key }, rows) => {
      const to = rows.get(pointers, 'p')?.to
      return [pointers.key('p'), counters.key(key), ...(to ? [counters.key(to)] : [])]
    },
    decide({ key }, rows) {
      const to = rows.get(pointers, 'p')?.to
      const target = to ? rows.get(counters, to) : undefined
      return accept({ changes: [counters.insert({ ...bare(key), value: target?.value ?? -1 })] })
    },
  })
  const point = onCommand<{ key: string }>('Point', {
    lock: () => [pointers.key('p')],
    decide: ({ key }) => accept({ changes: [pointers.insert({ id: 'p', to: key })] }),
  })

  it('is decided in a batch of its own, and nobody is set aside', async () => {
    const tables = [pointers]
    const world = await openWorld('memory', { extra: { tables, sql: '' } })
    const service = tallyService()
    const definition = {
      ...service,
      tables: [...tables, ...service.tables],
      commands: [...service.commands, follow, point],
    }
    const pipeline = makePipeline(world.tally, definition)
    const queue = new CommandQueue(pipeline)
    await queue.submit(add({ key: 'target' }))
    const answers = await Promise.all([
      queue.submit(add({ key: 'before' })),
      queue.submit(add({ key: 'target' }, undefined, { type: 'Point' })),
      queue.submit(add({ key: 'follower' }, undefined, { type: 'Follow' })),
      queue.submit(add({ key: 'behind' })),
    ])
    expect(answers.map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered', 'answered'])
    const rows = await world.tally.rows(counters)
    expect(rows.find(({ key }) => key === 'follower')?.value).toBe(rows.find(({ key }) => key === 'target')?.value)
  })
})
