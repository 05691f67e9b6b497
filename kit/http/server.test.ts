import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answers } from './openapi.ts'
import { problemsOf } from './problem.ts'
import { testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

const closed = { additionalProperties: false }
const NewOrder = Type.Object(
  {
    lines: Type.Array(
      Type.Object({ sku: Type.String({ minLength: 1 }), quantity: Type.Integer({ minimum: 1 }) }, closed),
      { maxItems: 100 },
    ),
    payment: Type.Union([
      Type.Object({ method: Type.Literal('wallet') }, closed),
      Type.Object({ method: Type.Literal('card'), token: Type.String() }, closed),
    ]),
    note: Type.Optional(Type.Union([Type.String({ maxLength: 5 }), Type.Null()])),
    kind: Type.Optional(Type.Union([Type.Literal('a'), Type.Literal('b')])),
  },
  closed,
)
const Order = Type.Object({ id: Type.String(), lines: Type.Integer() })
const problems = problemsOf({ 'insufficient-funds': { status: 409, title: 'Not enough funds' } })
class Away extends Error {}

let server: TestServer
let customer: { authorization: string }
const good = { lines: [{ sku: 'LAMP', quantity: 1 }], payment: { method: 'wallet' } }

beforeAll(async () => {
  server = await testServer({ isUnavailable: (error) => error instanceof Away })
  customer = await server.as('alice')
  server.app.route({
    method: 'POST',
    url: '/v1/orders',
    config: { access: ['customer'], key: true },
    schema: { body: NewOrder, ...answers({ 202: Order }, problems) },
    handler: async (request, reply) => {
      reply.code(202)
      return { id: 'ord_1', lines: request.body.lines.length }
    },
  })
  server.app.post('/v1/orders/:id/cancel', { config: { access: 'any' } }, (_request, reply) => reply.code(202).send({}))
  server.app.get('/v1/orders/:id', { config: { access: 'any' } }, (_request, reply) => reply.send({ id: 'ord_1' }))
  server.app.get(
    '/v1/list',
    {
      config: { access: 'open' },
      schema: {
        querystring: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) }, closed),
      },
    },
    (request, reply) => reply.send({ limit: request.query.limit }),
  )
  server.app.get('/v1/fails/:how', { config: { access: 'open' } }, (request) => {
    const { how } = request.params as { how: string }
    if (how === 'away') throw new Away('connect ECONNREFUSED 10.0.0.7:5432')
    if (how === 'funds') throw problems.error({ code: 'insufficient-funds', detail: 'You have 3 EUR. Deposit more' })
    if (how === 'unmapped') throw problems.error({ code: 'no-such-code', detail: '' })
    if (how === 'text') throw 'a text' // oxlint-disable-line typescript/only-throw-error -- what a careless library does
    throw new Error('the secret is 42')
  })
})
afterAll(() => server.close())

const order = (payload: unknown, headers: Record<string, string> = {}) =>
  server.app.inject({
    method: 'POST',
    url: '/v1/orders',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k1', ...customer, ...headers },
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  })

interface Answer {
  statusCode: number
  headers: Record<string, unknown>
  json(): Record<string, unknown>
}

function expectProblem(answer: Answer, status: number, code: string, detail: string | RegExp = '') {
  expect(answer.statusCode).toBe(status)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  const document = answer.json()
  expect(Object.keys(document).toSorted()).toEqual(['code', 'detail', 'requestId', 'status', 'title', 'type'])
  expect(document).toMatchObject({
    type: `urn:cauce:problem:${code}`,
    status,
    code,
    requestId: answer.headers['x-request-id'],
  })
  expect(document['detail']).toMatch(detail)
}

test('a good request is answered, with its id and without being kept by caches', async () => {
  const answer = await order(good, { 'x-request-id': 'trace.me_1-2' })
  expect(answer.statusCode).toBe(202)
  expect(answer.json()).toEqual({ id: 'ord_1', lines: 1 })
  expect(answer.headers).toMatchObject({
    'x-request-id': 'trace.me_1-2',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
})

describe('X-Request-Id', () => {
  test.each(['', 'a b', 'a'.repeat(129), 'ñ', 'a\tb', '<script>'])(
    '%j is replaced by one that is drawn',
    async (given) => {
      const { headers } = await server.app.inject({ url: '/livez', headers: { 'x-request-id': given } })
      expect(headers['x-request-id']).toMatch(/^[0-9a-f]{32}-[0-9a-z]+$/)
    },
  )
})

describe('bodies', () => {
  test.each([
    ['', 400, 'malformed', 'The body is missing'],
    ['  ', 400, 'malformed', 'The body is empty'],
    ['{"lines":', 400, 'malformed', 'not JSON'],
    [Buffer.from([0x7b, 0xff]), 400, 'malformed', 'not UTF-8'],
    ['null', 422, 'invalid', 'must be object'],
    ['[]', 422, 'invalid', 'The body must be object'],
    [{ ...good, lines: [{ sku: 'LAMP', quantity: 1.5 }] }, 422, 'invalid', '/lines/0/quantity must be integer'],
    [{ ...good, lines: [{ sku: 'LAMP', quantity: '1' }] }, 422, 'invalid', '/lines/0/quantity must be integer'],
    [{ ...good, lines: [{ sku: 'LAMP', quantity: 0 }] }, 422, 'invalid', '/lines/0/quantity must be >= 1'],
    [{ ...good, lines: [{ sku: 'LAMP' }] }, 422, 'invalid', '/lines/0/quantity is required'],
    [
      { ...good, lines: [{ sku: 'LAMP', quantity: 1, colour: 'red' }] },
      422,
      'invalid',
      '/lines/0/colour is not a known field',
    ],
    [{ ...good, admin: true }, 422, 'invalid', '/admin is not a known field'],
    [{ lines: [] }, 422, 'invalid', '/payment is required'],
    [{ ...good, payment: { method: 'card' } }, 422, 'invalid', '/payment/token is required'],
    [{ ...good, payment: { method: 'card', token: 5 } }, 422, 'invalid', '/payment/token must be string'],
    [{ ...good, payment: { method: 'wallet', token: 'x' } }, 422, 'invalid', '/payment/token is not a known field'],
    [{ ...good, payment: { method: 'cash' } }, 422, 'invalid', '/payment/method must be "wallet" or "card"'],
    [{ ...good, payment: 'wallet' }, 422, 'invalid', '/payment must be object'],
    [{ ...good, note: 'too long' }, 422, 'invalid', '/note must NOT have more than 5 characters'],
    [{ ...good, kind: 'c' }, 422, 'invalid', '/kind must be "a" or "b"'],
    [
      { ...good, lines: Array.from({ length: 101 }, () => good.lines[0]) },
      422,
      'invalid',
      '/lines must NOT have more than 100 items',
    ],
    [
      String.raw`{"lines":[{"sku":"\u0000","quantity":1}],"payment":{"method":"wallet"}}`,
      422,
      'invalid',
      '/lines/0/sku holds U',
    ],
    [String.raw`{"lines":[],"payment":{"method":"wallet"},"note":"\ud800"}`, 422, 'invalid', '/note holds U'],
    ['{"lines":[],"payment":{"method":"wallet"},"__proto__":{}}', 422, 'invalid', '/__proto__ is not a known field'],
    [
      '{"lines":[],"payment":{"method":"wallet"},"constructor":{"prototype":{}}}',
      422,
      'invalid',
      '/constructor is not a known field',
    ],
    ['{"lines":[],"lines":[],"payment":{"method":"wallet"}}', 400, 'malformed', 'given twice'],
    ['['.repeat(5_000) + ']'.repeat(5_000), 422, 'invalid', 'nested deeper'],
    [{ ...good, note: 'x'.repeat(300_000) }, 413, 'payload-too-large', '262144 bytes'],
  ])('%.80j is %i', async (payload, status, code, detail) => expectProblem(await order(payload), status, code, detail))

  test.each([
    ['text/plain', 'JSON'],
    ['application/xml', 'JSON'],
    ['multipart/form-data; boundary=x', 'JSON'],
    ['application/jsonx', 'JSON'],
    ['nonsense', 'JSON'],
    ['application/json; charset=iso-8859-1', 'iso-8859-1'],
  ])('of type %s are 415', async (type, detail) => {
    const answer = await order(good, { 'content-type': type })
    expectProblem(answer, 415, 'unsupported-media-type', detail)
    expect(answer.headers['accept']).toBe('application/json')
  })

  test('without a type, or compressed, are 415', async () => {
    const untyped = {
      method: 'POST',
      url: '/v1/orders',
      headers: { 'idempotency-key': 'k', ...customer },
      payload: Buffer.from('{}'),
    } as const
    expectProblem(await server.app.inject(untyped), 415, 'unsupported-media-type')
    expectProblem(await order(good, { 'content-encoding': 'gzip' }), 415, 'unsupported-media-type', 'compressed')
  })

  test.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'Application/JSON'])(
    'of type %s are read',
    async (type) => {
      expect((await order(good, { 'content-type': type })).statusCode).toBe(202)
    },
  )

  test('where none is taken may be absent or empty, nothing else', async () => {
    const cancel = (payload?: string, type = 'application/json') =>
      server.app.inject({
        method: 'POST',
        url: '/v1/orders/ord_1/cancel',
        headers: { ...customer, ...(payload === undefined ? {} : { 'content-type': type }) },
        ...(payload === undefined ? {} : { payload }),
      })
    for (const payload of [undefined, '', '{}']) expect((await cancel(payload)).statusCode).toBe(202)
    expectProblem(await cancel('{"reason":"x"}'), 422, 'invalid', 'takes no body')
    expectProblem(await cancel('{'), 400, 'malformed')
  })
})

describe('queries and paths', () => {
  test.each([
    ['/v1/list?limit=0', '/limit must be >= 1'],
    ['/v1/list?limit=101', '/limit must be <= 100'],
    ['/v1/list?limit=abc', '/limit must be integer'],
    ['/v1/list?limit=1.5', '/limit must be integer'],
    ['/v1/list?limit=1e1', '/limit must be integer'],
    ['/v1/list?limit=0x10', '/limit must be integer'],
    ['/v1/list?limit=%205', '/limit must be integer'],
    ['/v1/list?limit=', '/limit must be integer'],
    ['/v1/list?limit=1&limit=2', '/limit must be integer'],
    ['/v1/list?sort=price', '/sort is not a known field'],
    ['/v1/list?limit=%zz', 'percent-encoding'],
    ['/v1/list?a=%ff', 'percent-encoding'],
    ['/v1/list?a=%00', 'cannot be stored'],
    ['/v1/orders/ord_1?limit=1', '/limit is not a known field. This takes none'],
    ['/v1/orders/%zz', 'percent-encoding'],
    ['/v1/orders/%00', 'cannot be stored'],
    ['/v1/orders/%ed%a0%80', 'percent-encoding'],
  ])('%s is 400', async (url, detail) => {
    expectProblem(await server.app.inject({ url, headers: customer }), 400, 'malformed', detail)
  })

  test('a number in a query is a number', async () => {
    expect((await server.app.inject('/v1/list?limit=100')).json()).toEqual({ limit: 100 })
  })

  test('a URI longer than the limit is 414', async () => {
    expectProblem(await server.app.inject({ url: `/v1/list?a=${'x'.repeat(9_000)}` }), 414, 'uri-too-long')
    expectProblem(
      await server.app.inject({ url: `/v1/orders/${'x'.repeat(9_000)}`, headers: customer }),
      414,
      'uri-too-long',
    )
  })
})

describe('methods', () => {
  test('an unknown path is 404, on every method and whatever the body', async () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      const answer = await server.app.inject({
        method,
        url: '/nowhere',
        headers: { 'content-type': 'application/json' },
        payload: '{',
      })
      expect(answer.statusCode).toBe(404)
      if (method !== 'HEAD') expectProblem(answer, 404, 'not-found')
    }
  })

  test('another method on a known path is 405 with Allow', async () => {
    const put = await server.app.inject({
      method: 'PUT',
      url: '/v1/orders',
      headers: { 'content-type': 'text/plain' },
      payload: 'x',
    })
    expectProblem(put, 405, 'method-not-allowed', 'POST, OPTIONS')
    expect(put.headers['allow']).toBe('POST, OPTIONS')
    const post = await server.app.inject({ method: 'DELETE', url: '/v1/orders/ord_1?x=1' })
    expect(post.headers['allow']).toBe('GET, HEAD, OPTIONS')
  })

  test('OPTIONS of a known path says what is allowed', async () => {
    const answer = await server.app.inject({ method: 'OPTIONS', url: '/v1/orders' })
    expect(answer.statusCode).toBe(204)
    expect(answer.headers['allow']).toBe('POST, OPTIONS')
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('HEAD is GET without the body', async () => {
    const answer = await server.app.inject({ method: 'HEAD', url: '/livez' })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(10)
  })
})

describe('Accept', () => {
  test.each(['text/html', 'application/xml;q=1, application/json;q=0', 'image/*'])('%s is 406', async (accept) => {
    expectProblem(await server.app.inject({ url: '/v1/list', headers: { accept } }), 406, 'not-acceptable')
  })
  test.each(['*/*', 'application/json', 'application/*', 'text/html, */*;q=0.1', 'APPLICATION/JSON;q=0.5', ''])(
    '%j is fine',
    async (accept) => {
      expect((await server.app.inject({ url: '/v1/list', headers: { accept } })).statusCode).toBe(200)
    },
  )
})

describe('errors of handlers', () => {
  test('a rejection of a decision is its problem', async () => {
    expectProblem(await server.app.inject('/v1/fails/funds'), 409, 'insufficient-funds', 'You have 3 EUR')
  })

  test('a database that is away is 503 with Retry-After', async () => {
    const answer = await server.app.inject('/v1/fails/away')
    expectProblem(answer, 503, 'database-away')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(answer.body).not.toContain('10.0.0.7')
  })

  test.each(['bug', 'text', 'unmapped'])('a bug (%s) is 500, tells nothing and is logged', async (how) => {
    server.lines.length = 0
    const answer = await server.app.inject({ url: `/v1/fails/${how}`, headers: { 'x-request-id': 'r-500' } })
    expectProblem(answer, 500, 'internal')
    expect(answer.body).not.toMatch(/secret|a text|no-such-code|at .*\.ts/)
    expect(server.lines).toMatchObject([
      { level: 'error', event: 'http.failed', requestId: 'r-500', route: '/v1/fails/:how' },
    ])
  })

  test('many 503s are one line, with how many there were', async () => {
    server.lines.length = 0
    for (let i = 0; i < 20; i++) await server.app.inject('/v1/fails/away')
    expect(server.lines.length).toBeLessThanOrEqual(1)
  })
})
