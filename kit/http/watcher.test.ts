import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualTime } from '../core/manual-time.ts'
import { Watcher, type Versioned } from './watcher.ts'

let time: ManualTime
let rows: Map<string, number>
let looks: { atMs: number; ids: string[] }[]
let failing: boolean
let watcher: Watcher<Versioned>
let errors: number

beforeEach(() => {
  time = new ManualTime()
  rows = new Map([
    ['a', 1],
    ['b', 1],
  ])
  looks = []
  failing = false
  errors = 0
  watcher = new Watcher({
    timers: time,
    onError: () => errors++,
    async look(known) {
      looks.push({ atMs: time.monotonic(), ids: known.map(({ id }) => id) })
      if (failing) throw new Error('away')
      return known.flatMap(({ id, version }) => {
        const now = rows.get(id) ?? 0
        return now > version ? [{ id, version: now }] : []
      })
    },
  })
})
afterEach(() => watcher.close())

const watch = (id: string, version = 1) => {
  const seen: number[] = []
  return { seen, stop: watcher.watch({ id, version }, (item) => seen.push(item.version)) }
}

test('who waits hears each later version once, in one look for all', async () => {
  const [a, again, b] = [watch('a'), watch('a', 0), watch('b')]
  await time.advance(10)
  rows.set('a', 2).set('b', 5)
  watcher.wake()
  await time.advance(100)
  expect([a.seen, again.seen, b.seen]).toEqual([[2], [1, 2], [5]])
  expect(looks.every(({ ids }) => ids.length === 2)).toBe(true)
})

test('a hundred signals are a look each 50 ms', async () => {
  watch('a')
  await time.advance(0)
  for (let i = 0; i < 100; i++) {
    watcher.wake()
    await time.advance(5)
  }
  const apart = looks.slice(1).map(({ atMs }, i) => atMs - looks[i]!.atMs)
  expect(Math.min(...apart)).toBeGreaterThanOrEqual(50)
  expect(looks.length).toBeGreaterThan(5)
  expect(looks.length).toBeLessThanOrEqual(11)
})

test('without a signal it looks every second, and only while somebody waits', async () => {
  const { seen, stop } = watch('a')
  await time.advance(60)
  rows.set('a', 2)
  await time.advance(1100)
  expect(seen).toEqual([2])
  stop()
  const before = looks.length
  await time.advance(10_000)
  expect([looks.length, watcher.size, time.pending]).toEqual([before, 0, 0])
  const later = watch('a', 2)
  rows.set('a', 3)
  await time.advance(100)
  expect(later.seen).toEqual([3])
})

test('when the database is away it tries once a second, and then goes on', async () => {
  const { seen } = watch('a')
  failing = true
  await time.advance(5000)
  expect(errors).toBeGreaterThan(2)
  expect(errors).toBeLessThan(7)
  failing = false
  rows.set('a', 9)
  await time.advance(2500)
  expect(seen).toEqual([9])
})
