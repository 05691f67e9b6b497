import { describe, expect, test } from 'vitest'
import { DELAYS_MS, lasting } from './shedding.ts'
import type { Priority } from './shedding.ts'
import { testServer } from './testing.ts'

const refused = (samples: number[]) => {
  let now = 0
  const shed = lasting(() => now, DELAYS_MS)
  for (now of samples) shed(3)
  return ([0, 1, 2, 3] as const).filter((priority) => shed(priority))
}

describe('by the event loop', () => {
  test('one long pause refuses nobody', () => expect(refused([10, 5_000])).toEqual([]))
  test('a lasting delay refuses the least important first', () => {
    expect(refused([600, 550])).toEqual([3])
    expect(refused([1_500, 1_200])).toEqual([2, 3])
    expect(refused([2_500, 3_000])).toEqual([1, 2, 3])
  })
  test('payments are not refused by it', () => expect(refused([50_000, Infinity])).not.toContain(0))
  test('it ends with the first good sample', () => expect(refused([5_000, 6_000, 20])).toEqual([]))
})

describe('on the server', () => {
  test('a refusal is 503 with Retry-After, before token, key and body are looked at', async () => {
    let worst: Priority = 3
    const { app, close } = await testServer({ shed: (priority) => priority >= worst })
    app.post('/v1/orders', { config: { access: ['customer'], key: true } }, () => 'placed')
    app.get('/v1/orders', { config: { access: 'open', priority: 3 } }, () => 'a list')
    app.get('/v1/orders/:id', { config: { access: 'open' } }, () => 'an order')
    const statuses = async () => {
      const order = {
        method: 'POST',
        url: '/v1/orders',
        headers: { 'content-type': 'application/json' },
        payload: '{',
      } as const
      const all = await Promise.all(
        [order, '/v1/orders/1', '/v1/orders', '/livez'].map((request) => app.inject(request)),
      )
      return all.map(({ statusCode }) => statusCode)
    }
    expect(await statuses()).toEqual([401, 200, 503, 200])
    worst = 1
    expect(await statuses()).toEqual([503, 503, 503, 200])
    const refusal = await app.inject('/v1/orders')
    expect(refusal.json()).toMatchObject({ code: 'too-busy', status: 503 })
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    await close()
  })
})
