import { afterEach, expect, test } from 'vitest'
import { testServer } from './testing.ts'
import type { TestServer, TestServerOptions } from './testing.ts'

let server: TestServer
afterEach(() => server.close())

/** A server whose only route takes as long as it is asked to, on a clock that stands still otherwise. */
async function start(options: TestServerOptions = {}) {
  let nowMs = 0
  server = await testServer({ clock: { now: () => 0, monotonic: () => nowMs }, ...options })
  for (const method of ['GET', 'POST'] as const) {
    server.app.route({
      method,
      url: '/take/:ms',
      config: { access: 'open' },
      handler: async (request) => {
        nowMs += Number((request.params as { ms: string }).ms)
        return {}
      },
    })
  }
}

const events = () => server.lines.map(({ event, method, route, ms, level }) => ({ event, method, route, ms, level }))

test('a quick request leaves no line', async () => {
  await start()
  await server.app.inject('/take/999')
  await server.app.inject({ method: 'POST', url: '/take/1' })
  expect(events()).toEqual([])
})

test('a slow one does, with its route and not its path', async () => {
  await start()
  await server.app.inject({ url: '/take/1000', headers: { 'x-request-id': 'slow-1' } })
  expect(events()).toEqual([{ event: 'http.slow', method: 'GET', route: '/take/:ms', ms: 1000, level: 'warn' }])
  expect(server.lines[0]).toMatchObject({ requestId: 'slow-1', status: 200 })
})

test('mutations do when that is asked for', async () => {
  await start({ logMutations: true })
  await server.app.inject('/take/1')
  await server.app.inject({ method: 'POST', url: '/take/2' })
  expect(events()).toEqual([{ event: 'http.done', method: 'POST', route: '/take/:ms', ms: 2, level: 'info' }])
})
