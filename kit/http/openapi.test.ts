import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answers } from './openapi.ts'
import { pageOf, pageQuery } from './pagination.ts'
import { problemsOf } from './problem.ts'
import { testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

interface Operation {
  security?: unknown
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { required: boolean }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object>; securitySchemes: object }
}

const problems = problemsOf({
  'insufficient-funds': { status: 409, title: 'Not enough funds' },
  'already-shipped': { status: 409, title: 'Too late' },
  'unknown-sku': { status: 422, title: 'Unknown product' },
})
let server: TestServer
let document: Document

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
    { config: { access: 'any' }, schema: { params: Type.Object({ id: Type.String() }), ...answers({ 200: Order }) } },
    async () => ({ id: 'ord_1', failure: { code: 'deadline' } }),
  )
  server.app.get(
    '/v1/orders',
    { config: { access: 'any' }, schema: { querystring: pageQuery({}), ...answers({ 200: pageOf(Order) }) } },
    async () => ({ items: [], nextCursor: null }),
  )
  document = (await server.app.inject('/openapi.json')).json()
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
    expect(Object.keys(responses)).toEqual([
      '202',
      '400',
      '401',
      '403',
      '406',
      '409',
      '413',
      '415',
      '422',
      '500',
      '503',
      'default',
    ])
    expect(responses['202']?.description).toBe('Accepted')
    expect(responses['409']?.description).toContain('`insufficient-funds`: Not enough funds')
    expect(responses['409']?.description).not.toContain('already-shipped')
    expect(responses['422']?.description).toContain('unknown-sku')
    expect(responses['409']?.content).toEqual({
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
    })
    expect(responses['202']?.content).toHaveProperty(
      ['application/json', 'schema', 'properties', 'failure', 'anyOf', 1],
      { type: 'null' },
    )
    expect(security).toEqual([{ bearer: [] }])
    expect(requestBody?.required).toBe(true)
    expect(parameters).toEqual([expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true })])
  })

  test('a list shows its limit and cursor, a path its parameters', () => {
    const { parameters = [] } = operation('get', '/v1/orders')
    expect(parameters.map(({ name }) => name)).toEqual(['limit', 'cursor'])
    expect(parameters[0]?.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100 })
    expect(operation('get', '/v1/orders/{id}').parameters).toMatchObject([{ name: 'id', in: 'path', required: true }])
  })

  test('open operations need no token; what is not for clients is not shown', () => {
    expect(operation('get', '/livez').security).toBeUndefined()
    for (const path of ['/docs', '/openapi.json', '/.well-known/jwks.json'])
      expect(document.paths).not.toHaveProperty([path])
    expect(JSON.stringify(document)).not.toContain('x-problems')
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
