import { afterEach, describe, expect, test } from 'vitest'
import { createDrain } from './drain.ts'
import { testServer } from './testing.ts'
import type { TestServer, TestServerOptions } from './testing.ts'

const started: TestServer[] = []
async function start(options: TestServerOptions = {}) {
  const server = await testServer(options)
  started.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()))
})

const away = () => Promise.reject(new Error('connect ECONNREFUSED postgres://cauce:p4ss@10.0.0.7:5432'))

describe('/livez', () => {
  test('looks at nothing outside the process', async () => {
    const { app } = await start({ checks: { database: away } })
    const answer = await app.inject('/livez')
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'alive', version: '0.0.0-test' }])
  })
})

describe('/readyz', () => {
  test('names the checks that pass', async () => {
    const { app } = await start({ checks: { database: async () => {}, log: async () => 'fine' } })
    expect((await app.inject('/readyz')).json()).toEqual({
      status: 'ready',
      version: '0.0.0-test',
      checks: ['database', 'log'],
    })
  })

  test('is 503 with Retry-After and the name of what fails; the reason is logged, not told', async () => {
    const server = await start({ checks: { database: away, log: async () => {} } })
    const answer = await server.app.inject('/readyz')
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBe('2')
    expect(answer.json()).toMatchObject({
      code: 'not-ready',
      detail: 'Not ready: database. It recovers by itself; ask again',
    })
    expect(answer.body).not.toContain('10.0.0.7')
    expect(JSON.stringify(server.lines)).toContain('10.0.0.7')
    expect(JSON.stringify(server.lines)).not.toContain('p4ss')
  })

  test('a check that hangs fails in time, one that throws at once too', async () => {
    const timers = { sleep: async () => {}, after: (_ms: number, task: () => void) => (queueMicrotask(task), () => {}) }
    const throws = (): Promise<never> => {
      throw new Error('not even a promise')
    }
    const { app } = await start({ timers, checks: { hangs: () => new Promise(() => {}), throws } })
    expect((await app.inject('/readyz')).json()).toMatchObject({ detail: expect.stringContaining('hangs, throws') })
  })

  test('many who ask at once cost one run', async () => {
    let runs = 0
    let finish = () => {}
    const check = () => {
      runs++
      return new Promise<void>((resolve) => (finish = resolve))
    }
    const { app } = await start({ checks: { slow: check } })
    await app.ready()
    const asked = Array.from({ length: 5 }, () => app.inject('/readyz'))
    await expect.poll(() => runs).toBe(1)
    finish()
    const statuses = (await Promise.all(asked)).map((answer) => answer.statusCode)
    expect([statuses, runs]).toEqual([[200, 200, 200, 200, 200], 1])
  })

  test('is 503 while draining', async () => {
    const drain = createDrain()
    const { app } = await start({ drain })
    drain.begin()
    const answer = await app.inject('/readyz')
    expect([answer.statusCode, answer.headers['connection']]).toEqual([503, 'close'])
    expect((await app.inject('/livez')).statusCode).toBe(200)
  })
})

describe('/metrics', () => {
  test('shows requests by route and problems by code', async () => {
    const { app } = await start()
    await app.inject('/livez')
    await app.inject('/nowhere')
    const answer = await app.inject({ url: '/metrics', headers: { accept: 'text/plain;version=0.0.4, */*;q=0.1' } })
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(answer.body).toContain('cauce_http_request_seconds_count{method="GET",route="/livez",status="2xx"} 1')
    expect(answer.body).toContain('cauce_http_request_seconds_count{method="other",route="unmatched",status="4xx"} 1')
    expect(answer.body).toContain('cauce_http_problems_total{code="not-found"} 1')
  })
})
