import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseJson } from './body.ts'
import { rawBodies } from './content.ts'
import { testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

let server: TestServer
beforeAll(async () => {
  server = await testServer()
  await server.app.register(async (scope) => {
    rawBodies(scope)
    scope.post(
      '/webhooks/cards',
      { config: { access: 'open', rawBody: true, priority: 0 } },
      async (request, reply) => {
        const { body } = request
        reply.code(202)
        return Buffer.isBuffer(body) ? { bytes: body.length, read: parseJson(body) } : { bytes: 0 }
      },
    )
  })
})
afterAll(() => server.close())

const send = (payload: string | Buffer, type?: string) =>
  server.app.inject({
    method: 'POST',
    url: '/webhooks/cards',
    payload,
    headers: type === undefined ? {} : { 'content-type': type },
  })

test.each(['application/json', 'text/plain', 'application/vnd.cards+json; v=2', undefined])(
  'a route that verifies signatures gets the bytes as sent, whatever the type (%s)',
  async (type) => {
    const answer = await send(Buffer.from('{ "a":1 }'), type)
    expect([answer.statusCode, answer.json()]).toEqual([202, { bytes: 9, read: { a: 1 } }])
  },
)

test('reading them as JSON refuses what any body would be refused for', async () => {
  expect((await send('{', 'application/json')).json()).toMatchObject({ status: 400, code: 'malformed' })
  expect((await send(String.raw`{"a":"\u0000"}`, 'application/json')).json()).toMatchObject({ status: 422 })
})

test('elsewhere the types are as before', async () => {
  expect((await server.app.inject({ method: 'POST', url: '/livez', payload: 'x' })).statusCode).toBe(405)
})
