import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandKey } from './keys.ts'
import type { CommandKey } from './keys.ts'
import { exchange, testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

let server: TestServer
let port: number

beforeAll(async () => {
  server = await testServer()
  const body = Type.Object(
    { a: Type.Optional(Type.Number()), b: Type.Optional(Type.String()) },
    { additionalProperties: false },
  )
  for (const url of ['/v1/things', '/v1/things/:id/parts']) {
    server.app.post(url, { config: { access: 'any', key: true }, schema: { body } }, (request, reply) => {
      reply.send(commandKey(request, url))
    })
  }
  port = await server.listen()
})
afterAll(() => server.close())

interface Sent {
  url?: string
  who?: string
  key?: string
  body?: string
}
async function send({ url = '/v1/things', who = 'alice', key = 'k1', body = '{}' }: Sent = {}): Promise<CommandKey> {
  const headers = { ...(await server.as(who)), 'idempotency-key': key, 'content-type': 'application/json' }
  const answer = await server.app.inject({ method: 'POST', url, headers, payload: body })
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json()
}

/** Header lines as they are, to send what clients' libraries would not. */
async function raw(lines: string) {
  const { authorization } = await server.as('alice')
  const head = `POST /v1/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: ${authorization}\r\n`
  const answer = await exchange(port, Buffer.from(`${head}${lines}Content-Length: 2\r\n\r\n{}`, 'latin1'))
  return [answer.status, (JSON.parse(answer.body) as { code?: string }).code]
}

describe('the header', () => {
  test.each(['k', '!'.repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"', 'a,b'])('%j is a key', async (key) => {
    expect((await send({ key })).key).toBe(key)
  })

  test.each([
    ['', [400, 'key-missing']],
    ['Idempotency-Key: \r\n', [400, 'key-invalid']],
    ['Idempotency-Key:    \r\n', [400, 'key-invalid']],
    [`Idempotency-Key: ${'a'.repeat(256)}\r\n`, [400, 'key-invalid']],
    ['Idempotency-Key: a b\r\n', [400, 'key-invalid']],
    ['Idempotency-Key: ma\u00f1ana\r\n', [400, 'key-invalid']],
    ['Idempotency-Key: a\tb\r\n', [400, 'key-invalid']],
    ['Idempotency-Key: a\r\nIdempotency-Key: b\r\n', [400, 'key-invalid']],
    ['Idempotency-Key: a\r\nidempotency-key: a\r\n', [400, 'key-invalid']],
  ])('%j is refused', async (lines, expected) => expect(await raw(lines)).toEqual(expected))

  test('is looked at before the body', async () => {
    const answer = await server.app.inject({
      method: 'POST',
      url: '/v1/things',
      headers: { ...(await server.as('alice')), 'content-type': 'application/json' },
      payload: '{',
    })
    expect(answer.json()).toMatchObject({ status: 400, code: 'key-missing' })
  })
})

describe('what a key is compared by', () => {
  test('both are 43 characters of base64url', async () => {
    const { scope, fingerprint } = await send()
    for (const hash of [scope, fingerprint]) expect(hash).toMatch(/^[\w-]{43}$/)
  })

  test('the scope differs by principal, key and route, not by parameters or body', async () => {
    const one = await send()
    expect((await send({ body: '{"a":1}' })).scope).toBe(one.scope)
    expect((await send({ who: 'bob' })).scope).not.toBe(one.scope)
    expect((await send({ key: 'k2' })).scope).not.toBe(one.scope)
    const part = await send({ url: '/v1/things/1/parts' })
    expect(part.scope).not.toBe(one.scope)
    expect((await send({ url: '/v1/things/2/parts' })).scope).toBe(part.scope)
  })

  test('the fingerprint is of the value, not of the bytes', async () => {
    const { fingerprint } = await send({ body: '{"a":1,"b":"é"}' })
    expect((await send({ body: ' { "b" : "\\u00e9", "a" : 1.0 } ' })).fingerprint).toBe(fingerprint)
    expect((await send({ body: '{"a":1,"b":"e"}' })).fingerprint).not.toBe(fingerprint)
    expect((await send({ body: '{"a":1}' })).fingerprint).not.toBe(fingerprint)
  })

  test('the fingerprint differs by parameters', async () => {
    const [one, two] = [await send({ url: '/v1/things/1/parts' }), await send({ url: '/v1/things/2/parts' })]
    expect(one.fingerprint).not.toBe(two.fingerprint)
  })
})
