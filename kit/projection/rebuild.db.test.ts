/** A view is built anew while it is read and written (J3), whoever dies on the way (J5). */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemTimers } from '../core/clock.ts'
import { laneOf } from '../core/hash.ts'
import { registryOf } from './registry.ts'
import { Runner } from './runner.ts'
import {
  connectShop,
  itemHistory,
  itemList,
  LANES,
  openShop,
  SCHEMA,
  settle,
  start,
  until,
  type Shop,
} from './testing.ts'

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

const generations = async () =>
  (await shop.sql('SELECT generation, state FROM shop.views ORDER BY 1')).map(
    (row) => `${String(row['generation'])} ${String(row['state'])}`,
  )
const tables = async () =>
  (
    await shop.sql(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'shop' AND tablename LIKE 'item\\__%' ORDER BY 1`,
    )
  ).map((row) => row['tablename'])
const fill = (count: number) =>
  shop.sql(
    `INSERT INTO shop.items (id, status, version) SELECT 'old' || lpad(n::text, 6, '0'), 'old', 1 FROM generate_series(1, $1::int) n`,
    [count],
  )
/** As if the time in which the old one may still be read were over. */
const outlive = () => shop.sql(`UPDATE shop.views SET since = since - interval '1 minute' WHERE state = 'retired'`)

it('J3 while writes go on: readers see all there was at every moment, and the old tables go', async () => {
  await fill(12_000)
  const runners = [start(shop.options(itemList)), start(shop.options(itemList))]
  const reader = shop.reader(itemList)
  await until('it is built', () => reader.isBuilt())
  const count = async () =>
    (
      await reader.query<{ rows: number }>('rows', ({ item_list }) => `SELECT count(*) AS rows FROM ${item_list}`, [])
    )[0]!.rows
  await until('it is complete', async () => (await count()) === 12_000)
  const seen: number[] = []
  let written = 0
  let over = false
  const writing = (async () => {
    for (; !over; written++) {
      await shop.change('new', `new${written}`, `old00000${written % 10}`)
      for (const runner of runners) runner.wake()
    }
  })()
  const reading = (async () => {
    while (!over) seen.push(await count())
  })()
  for (const [before, after] of [
    [1, 2],
    [2, 3],
  ]) {
    expect(await registryOf(shop.pool, SCHEMA).askRebuild('item-list')).toBe(true)
    for (const runner of runners) runner.wake()
    await until('another one is read', async () => (await generations()).includes(`${after} active`))
    await systemTimers.sleep(100)
    await outlive()
    await until('the old one is gone', async () => {
      for (const runner of runners) runner.wake()
      return !(await tables()).includes(`item_list_${before}`)
    })
  }
  over = true
  await Promise.all([writing, reading])
  expect(seen.length).toBeGreaterThan(10)
  // A hole, or an older state than one already seen, would be a step down.
  expect(seen.filter((rows, i) => i > 0 && rows < seen[i - 1]!)).toEqual([])
  const statuses = async () =>
    reader.query<{ status: string; rows: number }>(
      'statuses',
      ({ item_list }) => `SELECT status, count(*) AS rows FROM ${item_list} GROUP BY status ORDER BY status`,
      [],
    )
  await until('the last writes are there', async () => {
    for (const runner of runners) runner.wake()
    return (await statuses())[0]?.rows === written + 10
  })
  expect(await statuses()).toEqual([
    { status: 'new', rows: written + 10 },
    { status: 'old', rows: 12_000 - 9 },
  ])
  expect(await generations()).toEqual(['3 active'])
  expect(await shop.sql('SELECT DISTINCT consumer_group FROM shop.cursors')).toEqual([
    { consumer_group: 'item-list@3' },
  ])
  await Promise.all(runners.map((runner) => runner.stop()))
})

it('a build whose process dies at any step is finished by the next one', async () => {
  await fill(5000)
  await shop.change('new', 'a', 'b')
  // Each process does one step and is gone; between any two of them somebody writes.
  for (let steps = 0; !(await generations()).includes('1 active'); steps++) {
    expect(steps).toBeLessThan(12)
    await new Runner(shop.options(itemList)).turn()
    await shop.change('new', `c${steps}`)
  }
  const runner = new Runner(shop.options(itemList))
  await settle(runner)
  const rows = (await shop.sql('SELECT id, status, version FROM shop.item_list_1 ORDER BY id')).length
  expect(rows).toBe(Number((await shop.sql('SELECT count(*) AS n FROM shop.items'))[0]!['n']))
  expect(await shop.sql('SELECT done, total FROM shop.views')).toEqual([{ done: 5003, total: 5002 }])
})

it('J5 another definition is built beside the old one when a process with it starts, and an unfinished one discarded', async () => {
  await fill(3000)
  const old = new Runner(shop.options(itemList))
  await settle(old)
  const half = { ...itemList, version: 2 }
  const beginning = new Runner(shop.options(half))
  await beginning.turn()
  expect(await generations()).toEqual(['1 active', '2 seeding'])
  const newest = { ...itemList, version: 3, tables: [{ ...itemList.tables[0]!, indexes: ['status, version'] }] }
  const next = new Runner(shop.options(newest))
  await next.turn()
  expect(await generations()).toEqual(['1 active', '2 retired'])
  // The process of the unfinished one lives on: it leaves the view to whoever came later.
  await beginning.turn()
  await next.turn()
  expect(await generations()).toEqual(['1 active', '2 retired', '3 seeding'])
  await settle(next)
  expect(await generations()).toEqual(['1 retired', '2 retired', '3 active'])
  await outlive()
  await systemTimers.sleep(200)
  const last = new Runner(shop.options(newest))
  await settle(last)
  expect(await generations()).toEqual(['3 active'])
  expect(await tables()).toEqual(['item_list_3'])
  // The old process finds its definition gone, and does nothing.
  await shop.change('new', 'later')
  await settle(last)
  await new Promise<void>((resolve) => systemTimers.after(0, resolve))
  expect((await shop.sql(`SELECT id FROM shop.item_list_3 WHERE id = 'later'`)).length).toBe(1)
})

it('a view of the log begins where the log does', async () => {
  await shop.change('x', 'a', 'b')
  await shop.change('x', 'a')
  // The first message of a lane was trimmed.
  const lane = laneOf('a', LANES)
  await shop.sql('DELETE FROM shop.messages WHERE lane = $1 AND position = 1', [lane])
  await shop.sql('UPDATE shop.lanes SET trimmed = 1 WHERE lane = $1', [lane])
  const left = await shop.sql('SELECT key AS id, lane, position FROM shop.messages ORDER BY 1, 2, 3')
  await settle(new Runner(shop.options(itemHistory)))
  expect(await shop.sql('SELECT id, lane, position FROM shop.item_history_1 ORDER BY 1, 2, 3')).toEqual(left)
})

it('a reader that slept for longer than the old tables live looks again', async () => {
  const runner = new Runner(shop.options(itemList))
  await settle(runner)
  const reader = shop.reader(itemList)
  const read = () => reader.query('ids', ({ item_list }) => `SELECT id FROM ${item_list}`, [])
  await read()
  await shop.sql('ALTER TABLE shop.item_list_1 RENAME TO item_list_2')
  await shop.sql('UPDATE shop.views SET generation = 2')
  expect(await read()).toEqual([])
})
