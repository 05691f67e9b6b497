/** The OpenAPI document as a server with all services serves it: nothing is missing, and it is what the routes are. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import { kitProblems } from '@cauce/kit/http/problem'
import { gapsIn, operationsOf, resolved, type ApiDocument } from '@cauce/kit/http/testing-openapi'
import { dataDirectory, serverProcess, type ServerProcess } from './testing.ts'

let database: TestDatabase
let data: ReturnType<typeof dataDirectory>
let server: ServerProcess
let document: ApiDocument

beforeAll(async () => {
  database = await createTestDatabase('openapi')
  data = dataDirectory()
  server = await serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path })
  document = resolved(await (await fetch(`${server.url}/openapi.json`)).json())
})
afterAll(async () => {
  await server.stop()
  await database.drop()
  data.remove()
})

const operations = () => operationsOf(document)
const operation = (name: string) => operations().find((each) => each.name === name)!.operation

test('nothing is missing: summaries, parameters, bodies and answers, each with an example that its schema takes', () => {
  expect(gapsIn(document)).toEqual([])
})

test('every call of the contract is there', () => {
  expect(
    operations()
      .map(({ name }) => name)
      .filter((name) => !name.includes(' /v1/ops/'))
      .toSorted(),
  ).toEqual([
    'GET /.well-known/jwks.json',
    'GET /docs',
    'GET /livez',
    'GET /metrics',
    'GET /openapi.json',
    'GET /readyz',
    'GET /v1/accounts/{id}',
    'GET /v1/labs',
    'GET /v1/labs/runs/{runId}',
    'GET /v1/labs/runs/{runId}/stream',
    'GET /v1/labs/{id}',
    'GET /v1/orders',
    'GET /v1/orders/{id}',
    'GET /v1/orders/{id}/stream',
    'GET /v1/orders/{id}/timeline',
    'GET /v1/payments/{id}',
    'GET /v1/products',
    'GET /v1/products/{sku}',
    'POST /v1/accounts',
    'POST /v1/accounts/{id}/deposits',
    'POST /v1/labs/runs/{runId}/cancel',
    'POST /v1/labs/{id}/runs',
    'POST /v1/orders',
    'POST /v1/orders/{id}/cancel',
    'POST /v1/pay',
    'POST /v1/payments/{id}/refund',
    'POST /v1/products/{sku}/stock',
    'POST /v1/transfers',
    'POST /v1/webhooks/card',
    'PUT /v1/products/{sku}',
  ])
})

test('every problem of the kit has an answer and an example, and each of the services’ an example', () => {
  const { responses = {}, examples = {} } = document.components
  expect(Object.keys(responses).toSorted()).toEqual(Object.keys(kitProblems).toSorted())
  const codes = new Set(
    operations().flatMap(({ operation: { responses: answers } }) =>
      Object.values(answers).flatMap(({ content }) =>
        Object.keys(content?.['application/problem+json']?.examples ?? {}),
      ),
    ),
  )
  for (const code of codes) expect(examples, code).toHaveProperty(code)
  for (const code of [
    'not-cancellable',
    'insufficient-funds',
    'stock-reserved',
    'mixed-currencies',
    'refund-too-large',
  ])
    expect(codes).toContain(code)
})

test('a key is asked of every POST but those whose repeat changes nothing', () => {
  const keyless = operations().filter(
    ({ method, operation: { parameters = [] } }) =>
      method === 'POST' && !parameters.some(({ name }) => name === 'Idempotency-Key'),
  )
  const others = keyless.map(({ path }) => path).filter((path) => !path.startsWith('/v1/ops/'))
  expect(others.toSorted()).toEqual(['/v1/labs/runs/{runId}/cancel', '/v1/orders/{id}/cancel', '/v1/webhooks/card'])
})

test('what is versioned says so, and takes the version back', () => {
  for (const path of ['/v1/orders/{id}', '/v1/payments/{id}', '/v1/accounts/{id}', '/v1/products/{sku}']) {
    const { parameters = [], responses } = operation(`GET ${path}`)
    expect(parameters.map(({ name }) => name)).toContain('If-None-Match')
    expect(responses['200']?.headers).toHaveProperty('ETag')
    expect(responses['304']?.content).toBeUndefined()
  }
  for (const name of ['POST /v1/orders/{id}/cancel', 'PUT /v1/products/{sku}', 'POST /v1/payments/{id}/refund'])
    expect(operation(name).parameters?.map((parameter) => parameter.name)).toContain('If-Match')
})

test('the streams and the webhook are described as what they are', () => {
  const lab = operation('GET /v1/labs/runs/{runId}/stream')
  expect(lab.responses['200']?.content?.['text/event-stream']).toMatchObject({
    schema: { contentMediaType: 'text/event-stream', contentSchema: { anyOf: expect.any(Array) } },
    example: expect.stringMatching(/^id: \d+\nevent: measured\ndata: \{.*\}\n\n$/),
  })
  expect(lab.parameters?.map(({ name }) => name)).toContain('last-event-id')

  const stream = operation('GET /v1/orders/{id}/stream')
  const events = stream.responses['200']?.content?.['text/event-stream']
  expect(events).toMatchObject({
    schema: { contentMediaType: 'text/event-stream', contentSchema: { required: expect.arrayContaining(['status']) } },
    example: expect.stringMatching(/^id: \d+\nevent: order\ndata: \{.*\}\n\n$/),
  })
  expect(stream.parameters?.map(({ name }) => name)).toEqual(expect.arrayContaining(['last-event-id', 'cauce-token']))
  expect(Object.keys(stream.responses)).toEqual(expect.arrayContaining(['204', '404', '429', '503']))
  const webhook = operation('POST /v1/webhooks/card')
  expect(webhook.security).toBeUndefined()
  expect(webhook.parameters).toContainEqual(
    expect.objectContaining({ name: 'Cauce-Signature', in: 'header', required: true }),
  )
  expect(Object.keys(webhook.responses)).toEqual(expect.arrayContaining(['200', '401', '422']))
})
