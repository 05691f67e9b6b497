/** A view follows its logs: once per message (J2), by any number of processes, and what cannot be applied stops its lane alone (J4). */
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { laneOf } from '../core/hash.ts'
import { Runner } from './runner.ts'
import { connectShop, itemHistory, itemList, LANES, openShop, settle, start, until, type Shop } from './testing.ts'

let database: Shop
let shop: Shop
beforeEach(async () => {
  database = await openShop()
  shop = await connectShop(database.url)
})
afterEach(async () => {
  await shop.close()
  await database.close()
})

const keys = Array.from({ length: 40 }, (_, i) => `item${String(i).padStart(2, '0')}`)
const history = () =>
  shop
    .reader(itemHistory)
    .query<{ id: string; rows: number; messages: number }>(
      'check',
      ({ item_history, item_counts }) =>
        `SELECT c.id, c.messages, (SELECT count(*) FROM ${item_history} h WHERE h.id = c.id) AS rows FROM ${item_counts} c ORDER BY c.id`,
      [],
    )
const listed = (reader = shop.reader(itemList)) =>
  reader.query<{ id: string; status: string }>(
    'all',
    ({ item_list }) => `SELECT id, status FROM ${item_list} ORDER BY id`,
    [],
  )

it('begins with what is there, and follows', async () => {
  await shop.change('new', ...keys)
  const [list, log] = [new Runner(shop.options(itemList)), new Runner(shop.options(itemHistory))]
  await settle(list)
  await settle(log)
  expect(await listed()).toEqual(keys.map((id) => ({ id, status: 'new' })))
  await shop.change('old', keys[0]!, keys[1]!)
  await settle(list)
  await settle(log)
  expect((await listed()).filter(({ status }) => status === 'old').map(({ id }) => id)).toEqual(keys.slice(0, 2))
  const counted = await history()
  expect(counted.map(({ messages }) => messages)).toEqual(keys.map((_, i) => (i < 2 ? 2 : 1)))
  expect(counted.every(({ rows, messages }) => rows === messages)).toBe(true)
})

it('J2 applies each message once, killed between any two statements', async () => {
  const runner = new Runner(shop.options(itemHistory))
  await settle(runner)
  // BEGIN, now, cursors, the two statements, the cursors' move, COMMIT: each once the last that is sent.
  const { query } = pg.Client.prototype
  for (let last = 1; last <= 7; last++) {
    await shop.change('x', ...keys)
    let left = last
    const mine = new Set<pg.Client>()
    pg.Client.prototype.query = function (this: pg.Client, ...args: any[]) {
      if ((args[0] as { name?: string }).name === 'begin' && mine.size === 0) mine.add(this)
      if (!mine.has(this)) return (query as (...args: any[]) => any).apply(this, args)
      if (left-- > 0) {
        const answer: unknown = (query as (...args: any[]) => any).apply(this, args)
        return answer
      }
      const { stream } = (this as unknown as { connection: { stream: { destroy(error?: Error): void } } }).connection
      stream.destroy(new Error('killed'))
      return Promise.reject(Object.assign(new Error('Connection terminated'), { code: 'ECONNRESET' }))
    }
    try {
      await runner.turn().catch(() => undefined)
    } finally {
      pg.Client.prototype.query = query
    }
    expect(left).toBeLessThan(last)
    await settle(runner)
    const counted = await history()
    expect(counted).toEqual(keys.map((id) => ({ id, rows: last, messages: last })))
  }
})

it('is shared by several processes, each message applied by one', async () => {
  const others = await Promise.all([connectShop(database.url), connectShop(database.url)])
  const applied: number[] = [0, 0, 0]
  const runners = [shop, ...others].map((each, i) =>
    start(each.options(itemHistory, { onApplied: (_, messages) => void (applied[i]! += messages) })),
  )
  for (let round = 0; round < 30; round++) {
    await shop.change('x', ...keys)
    for (const runner of runners) runner.wake()
  }
  await until('all is applied', async () => {
    for (const runner of runners) runner.wake()
    return applied.reduce((a, b) => a + b) >= 30 * keys.length
  })
  await until('it is built', () => shop.reader(itemHistory).isBuilt())
  await Promise.all(runners.map((runner) => runner.stop()))
  expect(await history()).toEqual(keys.map((id) => ({ id, rows: 30, messages: 30 })))
  await Promise.all(others.map((other) => other.close()))
})

it('J4 what cannot be applied stops its lane and says so; the others go on, and it goes on when it can be', async () => {
  const poisoned = laneOf('poison', LANES)
  const stopped: string[] = []
  let mended = false
  const definition = {
    ...itemHistory,
    apply: (...[messages, run]: Parameters<typeof itemHistory.apply>) =>
      itemHistory.apply(
        mended ? messages.map((m) => ({ ...m, key: m.key.replace('poison', 'cured') })) : messages,
        run,
      ),
  }
  const runner = start(shop.options(definition, { onStopped: (_, lane) => void stopped.push(lane) }))
  const error = async () => (await shop.sql(`SELECT error FROM shop.views WHERE state = 'active'`))[0]?.['error']
  await until('it is built', () => shop.reader(itemHistory).isBuilt())
  await shop.change('x', 'poison', ...keys)
  runner.wake()
  const free = keys.filter((key) => laneOf(key, LANES) !== poisoned)
  await until('the others flow', async () => (await history()).length === free.length)
  expect(await error()).toBe(`shop/${poisoned}: this is poison`)
  expect(new Set(stopped)).toEqual(new Set([`shop/${poisoned}`]))
  mended = true
  await until('the lane flows', async () => {
    runner.wake()
    return (await history()).length === keys.length + 1
  })
  await until('it says so', async () => (await error()) === null)
  await runner.stop()
})

it('halts a lane whose log was rewound', async () => {
  const runner = new Runner(shop.options(itemHistory))
  await settle(runner)
  await shop.change('x', 'item00')
  await settle(runner)
  const lane = laneOf('item00', LANES)
  await shop.sql(`DELETE FROM shop.messages WHERE lane = $1`, [lane])
  await shop.sql(`UPDATE shop.lanes SET head = 0 WHERE lane = $1`, [lane])
  await runner.turn()
  const [halted] = await shop.sql('SELECT lane, halted FROM shop.cursors WHERE halted IS NOT NULL')
  expect(halted).toEqual({ lane, halted: 'the log ends at 0, the cursor stands at 1' })
})
