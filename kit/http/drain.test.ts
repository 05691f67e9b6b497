import { describe, expect, test } from 'vitest'
import { createDrain, drainAndClose } from './drain.ts'
import { exchange, testServer } from './testing.ts'

/** A server with one route that answers when it is told to. */
async function start() {
  const drain = createDrain()
  const server = await testServer({ drain })
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  let arrived = () => {}
  const arrival = new Promise<void>((resolve) => (arrived = resolve))
  server.app.get('/slow', { config: { access: 'open' } }, async () => {
    arrived()
    await released
    return { done: true }
  })
  let served = 0
  server.app.get('/fast', { config: { access: 'open' } }, () => {
    served++
    return { done: true }
  })
  return { app: server.app, drain, port: await server.listen(), release, arrival, served: () => served }
}

describe('drain', () => {
  test('what is in progress is finished, new connections are refused', async () => {
    const { app, drain, port, release, arrival } = await start()
    const answer = exchange(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrival
    const closed = drainAndClose(app, drain, { lingerMs: 0 })
    await expect
      .poll(() =>
        fetch(`http://127.0.0.1:${port}/fast`).then(
          () => 'served',
          () => 'refused',
        ),
      )
      .toBe('refused')
    release()
    expect(await closed).toBe(false)
    expect(await answer).toMatchObject({ status: 200, headers: { connection: 'close' }, body: '{"done":true}' })
  })

  test('at the limit what hangs is cut', async () => {
    const { app, drain, port, arrival } = await start()
    const answer = exchange(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrival
    expect(await drainAndClose(app, drain, { lingerMs: 0, limitMs: 50 })).toBe(true)
    expect((await answer).status).toBeNaN()
  })

  test('clients that keep asking get an answer to every request that was taken', async () => {
    const { app, drain, port, served } = await start()
    let answered = 0
    const client = async () => {
      for (let i = 0; i < 5_000; i++) {
        const answer = await fetch(`http://127.0.0.1:${port}/fast`).catch((error: Error) => error)
        if (answer instanceof Error) return (answer.cause as { code?: string } | undefined)?.code
        expect(await answer.text()).toBe('{"done":true}')
        answered++
      }
      return 'never stopped'
    }
    const clients = Array.from({ length: 4 }, client)
    await expect.poll(() => answered).toBeGreaterThan(20)
    expect(await drainAndClose(app, drain, { lingerMs: 100 })).toBe(false)
    // Each ends at the closed port: refused, or reset by the kernel while it waited to be accepted. Neither was ever taken.
    for (const end of await Promise.all(clients)) expect(['ECONNREFUSED', 'ECONNRESET']).toContain(end)
    expect(served()).toBe(answered)
  })

  test('draining twice is fine', async () => {
    const { app, drain } = await start()
    await Promise.all([drainAndClose(app, drain, { lingerMs: 1 }), drainAndClose(app, drain, { lingerMs: 1 })])
    await drainAndClose(app, drain)
  })
})
