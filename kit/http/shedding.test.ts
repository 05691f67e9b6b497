import { describe, expect, test } from 'vitest'
import { systemTimers } from '../core/clock.ts'
import { ManualTime } from '../core/manual-time.ts'
import { DELAYS_MS, lasting, shedByEventLoop } from './shedding.ts'
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

describe('the event loop itself', () => {
  const block = (ms: number) => {
    const until = performance.now() + ms
    while (performance.now() < until);
  }
  const turns = (ms: number) => systemTimers.sleep(ms)

  test('blocked for two samples it sheds; let alone it does not', async () => {
    const time = new ManualTime()
    const { shed, stop } = shedByEventLoop([Infinity, 2000, 150, 100], time)
    for (let sample = 0; sample < 2; sample++) {
      await turns(120)
      block(1000)
      // The pause counts once the loop has been round: on a busy machine not at once.
      await turns(60)
      await time.advance(1000)
      shed(3)
    }
    expect([0, 1, 2, 3].map((priority) => shed(priority as Priority))).toEqual([false, false, true, true])
    await turns(350)
    await time.advance(1000)
    expect(shed(3)).toBe(false)
    stop()
  })
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
