import { expect, test } from 'vitest'
import { seeded } from '@cauce/kit/core/prng'
import { fakeCauce } from '../demo/testing-cauce.ts'
import { testWorld, typed } from '../testing.ts'

test('places every order, sees every one end, checks the books', async () => {
  const cauce = fakeCauce(seeded(1), 0)
  const { code, out } = await typed('demo --orders 250 --json', testWorld(cauce.handler))
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ orders: 250, accepted: 250, completed: 250, open: 0, retries: 0, ok: true })
})

test('with every third answer lost everything is done once all the same', async () => {
  const cauce = fakeCauce(seeded(7), 1 / 3)
  const { code, out } = await typed('demo --orders 120 --customers 10 --products 5 --json', testWorld(cauce.handler))
  expect(code).toBe(0)
  const summary = JSON.parse(out)
  expect(summary).toMatchObject({ accepted: 120, completed: 120, ok: true })
  expect(summary.retries).toBeGreaterThan(50)
  expect(summary.replayed).toBeGreaterThan(20)
  // Ten customers and alice, five products.
  expect(cauce.done).toEqual({ orders: 120, deposits: 11, accounts: 11, restocks: 5 })
})

test('a second run uses the products again and has customers of its own', async () => {
  const cauce = fakeCauce(seeded(1), 0)
  const world = testWorld(cauce.handler)
  expect((await typed('demo --orders 20 --customers 3', world)).code).toBe(0)
  expect((await typed('demo --orders 20 --customers 3', world)).code).toBe(0)
  // Alice has her money already; what was left of the first run needs no restock, as the fake sells nothing.
  expect(cauce.done).toEqual({ orders: 40, deposits: 7, accounts: 8, restocks: 12 })
})

test('looks at orders a page at a time', async () => {
  const cauce = fakeCauce(seeded(1), 0)
  await typed('demo --orders 2000 --concurrency 200', testWorld(cauce.handler))
  const looks = (cauce.requests.get('GET orders') ?? 0) + (cauce.requests.get('GET orders one') ?? 0)
  expect(looks).toBeLessThan(2000 / 4)
})

test('the result is on stdout, progress on stderr', async () => {
  const { code, out, err } = await typed('demo --orders 30 --lang es', testWorld(fakeCauce(seeded(1), 0).handler))
  expect(code).toBe(0)
  expect(out).toMatch(/Completados +30/)
  expect(out).toContain('bien: nada perdido, nada doblado')
  expect(err).toContain('30/30 aceptados · 30/30 acabados')
})

test('does not wait for ever: when no order ends for two minutes it says so and fails', async () => {
  const cauce = fakeCauce(seeded(1), 0)
  cauce.stuck = true
  // A clock that makes a minute of every thousand looks at it.
  let ms = 0
  const clock = { now: () => 1_767_225_600_000, monotonic: () => (ms += 60) }
  const { code, out, err } = await typed('demo --orders 5', testWorld(cauce.handler, { clock }))
  expect(code).toBe(1)
  expect(err).toContain('No order ended for 120 s: not waiting any longer. 5 are still on their way.')
  expect(out).toMatch(/Still on their way +5/)
})

test('kills are for a server of its own', async () => {
  const { code, err } = await typed('demo --kills 2')
  expect(code).toBe(2)
  expect(err).toContain('--kills needs --crash or --naive.')
})
