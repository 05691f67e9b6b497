/** Whatever is sent, the answer is a 2xx or a problem document below 500. */

import { fc, test } from '@fast-check/vitest'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect } from 'vitest'
import { pageQuery } from './pagination.ts'
import { testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

let server: TestServer
let authorization: string
beforeAll(async () => {
  server = await testServer()
  ;({ authorization } = await server.as('alice'))
  const closed = { additionalProperties: false }
  const line = Type.Object({ sku: Type.String({ maxLength: 64 }), quantity: Type.Integer({ minimum: 1 }) }, closed)
  const payment = Type.Union([
    Type.Object({ method: Type.Literal('wallet') }, closed),
    Type.Object({ method: Type.Literal('card'), token: Type.String() }, closed),
  ])
  const body = Type.Object({ lines: Type.Array(line, { maxItems: 100 }), payment }, closed)
  server.app.post(
    '/v1/orders',
    { config: { access: 'any', key: true }, schema: { body } },
    async ({ body }) => body.lines,
  )
  server.app.get(
    '/v1/orders',
    { config: { access: 'any' }, schema: { querystring: pageQuery({}) } },
    async ({ query }) => query,
  )
  server.app.get('/v1/orders/:id', { config: { access: 'any' } }, async ({ params }) => params)
})
afterAll(() => server.close())

const nearlyOrder = fc.record(
  {
    lines: fc.oneof(
      fc.array(fc.record({ sku: fc.string(), quantity: fc.oneof(fc.integer(), fc.double(), fc.string()) })),
      fc.jsonValue(),
    ),
    payment: fc.oneof(
      fc.record({ method: fc.constantFrom('wallet', 'card', 'cash'), token: fc.string() }, { requiredKeys: [] }),
      fc.jsonValue(),
    ),
    extra: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const payload = fc.oneof(
  nearlyOrder.map((order) => Buffer.from(JSON.stringify(order))),
  fc.json().map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)
const visible = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 60,
})
const request = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
  path: fc.oneof(
    fc.constantFrom('/v1/orders', '/v1/orders/ord_1', '/livez', '/readyz', '/metrics', '/'),
    fc.webPath().map((path) => `/${path.replace(/^\/+/, '')}`),
    visible.map((text) => `/v1/orders/${text.replaceAll(/[ #]/g, '')}`),
  ),
  query: fc.oneof(
    fc.constant(''),
    fc.webQueryParameters(),
    fc.constantFrom('limit=5', 'limit=0', 'cursor=a', 'limit=%00', '__proto__=1', 'a[b]=c'),
  ),
  type: fc.oneof(fc.constant('application/json'), visible),
  token: fc.oneof(fc.constant('good'), visible),
  key: visible,
  accept: fc.oneof(fc.constant('*/*'), visible),
  payload,
})

test.prop([request], { numRuns: 400 })(
  'nothing that is sent is a 5xx',
  async ({ method, path, query, type, token, key, accept, payload }) => {
    const answer = await server.app.inject({
      method: method as 'GET',
      url: query === '' ? path : `${path}?${query}`,
      headers: {
        'content-type': type,
        'idempotency-key': key,
        accept,
        authorization: token === 'good' ? authorization : token,
      },
      ...(method === 'GET' || method === 'HEAD' ? {} : { payload }),
    })
    expect(answer.statusCode).toBeLessThan(500)
    expect(answer.headers['x-request-id']).toBeTruthy()
    if (answer.statusCode >= 400 && method !== 'HEAD') {
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.json()).toMatchObject({ status: answer.statusCode, requestId: answer.headers['x-request-id'] })
    }
  },
)
