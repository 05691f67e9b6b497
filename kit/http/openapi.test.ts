import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answers, NotModified } from './openapi.ts'
import { pageOf, pageQuery } from './pagination.ts'
import { problemsOf } from './problem.ts'
import { testServer } from './testing.ts'
import { conformanceTo, gapsIn, resolved } from './testing-openapi.ts'
import type { ApiDocument, Operation } from './testing-openapi.ts'
import type { TestServer } from './testing.ts'

const problems = problemsOf({
  'insufficient-funds': { status: 409, title: 'Not enough funds', example: '5 were needed, 3 can be spent' },
  'already-shipped': { status: 409, title: 'Too late' },
  'unknown-sku': { status: 422, title: 'Unknown product' },
})
let server: TestServer
let document: ApiDocument

beforeAll(async () => {
  server = await testServer({ docs: true })
  const Order = Type.Object({
    id: Type.String(),
    failure: Type.Union([Type.Object({ code: Type.String() }), Type.Null()]),
  })
  server.app.post(
    '/v1/orders',
    {
      config: { access: ['customer'], key: true },
      schema: {
        summary: 'Place an order',
        body: Type.Object({ sku: Type.String() }, { additionalProperties: false }),
        ...answers({ 202: Order }, problems, ['insufficient-funds', 'unknown-sku']),
      },
    },
    async (_request, reply) => {
      reply.code(202)
      return { id: 'ord_1', failure: null }
    },
  )
  server.app.get(
    '/v1/orders/:id',
    {
      config: { access: 'any' },
      schema: { params: Type.Object({ id: Type.String() }), ...answers({ 200: Order, 304: NotModified }) },
    },
    async () => ({ id: 'ord_1', failure: { code: 'deadline' } }),
  )
  server.app.get(
    '/v1/orders',
    { config: { access: 'any' }, schema: { querystring: pageQuery({}), ...answers({ 200: pageOf(Order) }) } },
    async () => ({ items: [], nextCursor: null }),
  )
  document = resolved((await server.app.inject('/openapi.json')).json())
})
afterAll(() => server.close())

const operation = (method: string, path: string): Operation => {
  const found = document.paths[path]?.[method]
  if (!found) throw new Error(`${method} ${path} is not in the document`)
  return found
}

describe('/openapi.json', () => {
  test('is OpenAPI 3.1 with a bearer scheme and the problem document', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } })
    expect(document.components.schemas).toHaveProperty('Problem.required', [
      'type',
      'title',
      'status',
      'detail',
      'code',
      'requestId',
    ])
  })

  test('an operation has the answers it declares and the problems that follow from it', () => {
    const { responses, security, requestBody, parameters } = operation('post', '/v1/orders')
    expect(Object.keys(responses).toSorted()).toEqual([
      '202',
      '400',
      '401',
      '403',
      '406',
      '408',
      '409',
      '413',
      '414',
      '415',
      '417',
      '422',
      '431',
      '500',
      '503',
    ])
    expect(responses['202']?.description).toBe('Accepted')
    expect(responses['409']?.description).toContain('`insufficient-funds`: Not enough funds')
    expect(responses['409']?.description).not.toContain('already-shipped')
    expect(responses['422']?.description).toContain('unknown-sku')
    expect(responses['409']?.content?.['application/problem+json']).toMatchObject({
      schema: document.components['schemas']?.['Problem'],
      examples: { 'insufficient-funds': { value: { status: 409 } }, 'key-in-flight': { value: { status: 409 } } },
    })
    expect(responses['202']?.content).toHaveProperty(
      ['application/json', 'schema', 'properties', 'failure', 'anyOf', 1],
      { type: 'null' },
    )
    expect(security).toEqual([{ bearer: [] }])
    expect(requestBody).toHaveProperty('required', true)
    expect(parameters).toMatchObject([
      { name: 'Idempotency-Key', in: 'header', required: true },
      { name: 'X-Request-Id', in: 'header', required: false },
    ])
  })

  test('a list shows its limit and cursor, a path its parameters', () => {
    const { parameters = [] } = operation('get', '/v1/orders')
    expect(parameters.map(({ name }) => name)).toEqual(['limit', 'cursor', 'X-Request-Id'])
    expect(parameters[0]?.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100 })
    const { parameters: ofOne = [], responses } = operation('get', '/v1/orders/{id}')
    expect(ofOne[0]).toMatchObject({ name: 'id', in: 'path', required: true })
    expect(ofOne.map(({ name }) => name)).toContain('If-None-Match')
    expect(responses['304']).not.toHaveProperty('content')
  })

  test('open operations need no token; what only a page loads is not shown', () => {
    expect(operation('get', '/livez').security).toBeUndefined()
    for (const path of ['/docs', '/openapi.json', '/.well-known/jwks.json'])
      expect(document.paths).toHaveProperty([path])
    expect(document.paths).not.toHaveProperty(['/docs/start.js'])
    expect(JSON.stringify(document)).not.toContain('x-declared')
  })
})

describe('what tests say about a document', () => {
  test('it names what is missing, and nothing of what the kit itself serves', () => {
    const gaps = gapsIn(document)
    expect(gaps).toContain('GET /v1/orders: no summary')
    expect(gaps).toContain('POST /v1/orders application/json: no example')
    expect(gaps).toContain('POST /v1/orders 422: the example of unknown-sku is not one')
    expect(gaps.filter((gap) => !gap.includes('/v1/'))).toEqual([])
  })

  test('a reference to nothing is an error', () => {
    expect(() => resolved({ a: { $ref: '#/components/schemas/Ghost' } })).toThrow('Ghost')
  })

  const conforms = (status: number, body: string, more: Record<string, string> = {}, url = '/v1/orders/ord_1') => {
    const type = status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json'
    const headers = { 'x-request-id': 'r-1', 'content-type': type, ...more }
    return conformanceTo(document)({ method: 'GET', url, status, headers: new Headers(headers), body }).join()
  }
  const problem = (rest: object = {}) =>
    JSON.stringify({
      type: 'urn:cauce:problem:malformed',
      title: 'The request cannot be read',
      status: 400,
      detail: 'The path is not valid',
      code: 'malformed',
      requestId: 'r-1',
      ...rest,
    })

  test('an answer that is as promised has no faults', () => {
    expect(conforms(200, '{"id":"ord_1","failure":null}')).toBe('')
    expect(conforms(400, problem())).toBe('')
  })

  test.each([
    [200, '{"id":1,"failure":null}', {}, '/id must be string'],
    [200, '{"id":"ord_1"}', {}, 'required'],
    [200, '{', {}, 'not JSON'],
    [200, '', { 'content-type': 'text/plain' }, 'is text/plain'],
    [201, '{}', {}, 'not documented'],
    [304, '{}', {}, 'a body'],
    [400, problem({ code: 'other', type: 'urn:cauce:problem:other' }), {}, 'not among malformed'],
    [400, problem({ requestId: 'r-2' }), {}, 'another requestId'],
    [400, problem({ status: 401 }), {}, 'says 401'],
    [400, problem({ type: 'about:blank' }), {}, 'not that of its code'],
    [400, problem({ detail: '' }), {}, 'says nothing'],
    [400, problem(), { 'content-type': 'application/json' }, 'is application/json'],
    [401, problem({ status: 401, code: 'unauthenticated' }), {}, 'no WWW-Authenticate'],
  ])('%i %s %j is told', (status, body, headers, fault) => expect(conforms(status, body, headers)).toContain(fault))

  test('an answer of a path that there is not can only be a refusal', () => {
    expect(conforms(200, '{}', {}, '/v1/nothing')).toContain('no such operation')
  })
})

describe('/docs', () => {
  test('the page and all it loads come from here', async () => {
    const page = await server.app.inject({ url: '/docs', headers: { accept: 'text/html' } })
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source]) => source ?? '')
    expect(sources).toEqual(['/docs/reference.js', '/docs/start.js'])
    for (const source of sources) {
      const script = await server.app.inject(source)
      expect([script.statusCode, script.headers['content-type']]).toEqual([
        200,
        'application/javascript; charset=utf-8',
      ])
    }
    expect(page.body).not.toMatch(/https?:/)
  })

  test('the browser is told to load nothing from elsewhere', async () => {
    const { headers } = await server.app.inject('/docs')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toMatch(/https?:|\*/)
    expect(headers['x-frame-options']).toBe('SAMEORIGIN')
  })

  test.each(['[', 'a b', '::', ''])('a strange Host (%j) is no reason for a 500', async (host) => {
    expect((await server.app.inject({ url: '/docs', headers: { host } })).statusCode).toBe(200)
  })
})
