import { fc, it } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { planKills, startKiller, type Kill } from './kills.ts'

const small = { orders: 300, server: 3, database: 1, seed: 1 }

test('the same seed kills at the same moments, the database among the servers', () => {
  expect(planKills(small)).toEqual(planKills(small))
  expect(planKills({ ...small, seed: 2 })).not.toEqual(planKills(small))
  expect(planKills(small).map(({ victim }) => victim)).toEqual(['server', 'server', 'database', 'server'])
  expect(planKills({ ...small, server: 0, database: 0 })).toEqual([])
})

const anyKills = fc.record({
  orders: fc.integer({ min: 1, max: 500 }),
  server: fc.integer({ min: 0, max: 20 }),
  database: fc.integer({ min: 0, max: 20 }),
  seed: fc.integer({ min: 0, max: 1_000 }),
})

it.prop([anyKills])('as many of each as were asked for, in order, and within the orders', (options) => {
  const kills = planKills(options)
  expect(kills.filter(({ victim }) => victim === 'server')).toHaveLength(options.server)
  expect(kills.filter(({ victim }) => victim === 'database')).toHaveLength(options.database)
  expect(kills.map(({ at }) => at)).toEqual(kills.map(({ at }) => at).toSorted((a, b) => a - b))
  for (const { at } of kills) expect(at >= 1 && at <= options.orders).toBe(true)
})

const at = (...counts: number[]): Kill[] => counts.map((count) => ({ victim: 'server', at: count }))

/** A strike that lasts until it is released. */
function slow() {
  const struck: number[] = []
  let release = () => {}
  const strike = ({ at: when }: Kill) => {
    struck.push(when)
    return new Promise<void>((resolve) => (release = resolve))
  }
  return { struck, strike, release: () => release() }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('kills in the turn in which its order is answered, and one at a time', async () => {
  const { struck, strike, release } = slow()
  const killer = startKiller(at(2, 3, 9), strike)
  killer.answered(1)
  expect(struck).toEqual([])
  killer.answered(2)
  expect(struck).toEqual([2])
  killer.answered(5)
  await turn()
  expect(struck).toEqual([2])
  release()
  await turn()
  expect(struck).toEqual([2, 3])
  release()
  await turn()
  expect(struck).toEqual([2, 3])
  const finished = killer.finish()
  await turn()
  expect(struck).toEqual([2, 3, 9])
  release()
  await finished
})

test('a strike that goes wrong is told to whoever looks, and is the last one', async () => {
  const struck: number[] = []
  const killer = startKiller(at(1, 2), async ({ at: when }) => {
    struck.push(when)
    throw new Error('does not come back')
  })
  killer.answered(1)
  await expect(killer.failed).rejects.toThrow('does not come back')
  killer.answered(2)
  await expect(killer.finish()).rejects.toThrow('does not come back')
  expect(struck).toEqual([1])
})
