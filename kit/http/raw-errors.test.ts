import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exchange, testServer } from './testing.ts'
import type { RawAnswer, TestServer } from './testing.ts'

let server: TestServer
let impatient: TestServer
let port: number
let impatientPort: number

beforeAll(async () => {
  server = await testServer({ limits: { bodyBytes: 10_000 } })
  // so that slow clients are cut off within the test's patience
  impatient = await testServer({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 600, checkIntervalMs: 50 } })
  const body = Type.Object({ note: Type.String() }, { additionalProperties: false })
  for (const { app } of [server, impatient]) {
    app.post('/v1/notes', { config: { access: 'open' }, schema: { body } }, (request, reply) => {
      reply.code(201).send({ length: request.body.note.length })
    })
  }
  port = await server.listen()
  impatientPort = await impatient.listen()
})
afterAll(() => Promise.all([server.close(), impatient.close()]))

const post = (headers: string, body: string) =>
  `POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`

function expectProblem(answer: RawAnswer, status: number, code: string) {
  expect(answer.status).toBe(status)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect(JSON.parse(answer.body)).toMatchObject({ status, code, requestId: answer.headers['x-request-id'] })
}

describe('what the parser refuses', () => {
  test.each([
    ['garbage', 'NOT HTTP AT ALL\r\n\r\n'],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['two framings', post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    ['two lengths', post('Content-Length: 5\r\nContent-Length: 6', 'abcdef')],
    ['a negative length', post('Content-Length: -1', '')],
    ['a broken chunk', post('Transfer-Encoding: chunked', 'zz\r\nabc\r\n')],
    ['a header name with a space', 'GET /livez HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n'],
    ['a NUL in a header', 'GET /livez HTTP/1.1\r\nHost: x\r\nA: \u0000\r\n\r\n'],
    ['a NUL in the path', 'GET /li\u0000vez HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s is 400', async (_what, bytes) => expectProblem(await exchange(port, bytes), 400, 'malformed'))

  test('a body that breaks off is 400', async () => {
    expectProblem(await exchange(port, post('Content-Length: 50', '{"note":'), { end: true }), 400, 'malformed')
    expectProblem(
      await exchange(port, post('Transfer-Encoding: chunked', '5\r\n{"not'), { end: true }),
      400,
      'malformed',
    )
  })

  test('HTTP/1.1 without Host is 400', async () => {
    expectProblem(await exchange(port, 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n'), 400, 'malformed')
  })

  test.each(['Host: y', 'Authorization: Bearer a\r\nauthorization: Bearer b', 'Content-Type: text/plain'])(
    'what there can be one of is 400 when it comes twice: %s',
    async (more) => {
      const answer = await exchange(port, post(`Content-Length: 13\r\nConnection: close\r\n${more}`, '{"note":"ok"}'))
      expectProblem(answer, 400, 'malformed')
      expect(answer.body).toContain('more than once')
    },
  )

  test('other headers may come twice, and none is left out, however many there are', async () => {
    const many = `GET /v1/late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${'a:\r\n'.repeat(2_500)}X-Request-Id: late\r\n\r\n`
    expect((await exchange(port, many)).headers['x-request-id']).toBe('late')
  })

  test('HTTP/1.0 without Host is answered', async () => {
    expect((await exchange(port, 'GET /livez HTTP/1.0\r\n\r\n')).status).toBe(200)
  })

  test('an expectation that is not 100-continue is 417', async () => {
    expectProblem(await exchange(port, post('Content-Length: 2\r\nExpect: the-best', '{}')), 417, 'expectation-failed')
  })
})

describe('what is too large', () => {
  test.each([20_000, 200_000])('%i bytes of headers are 431', async (size) => {
    expectProblem(
      await exchange(port, `GET /livez HTTP/1.1\r\nHost: x\r\nX-Large: ${'a'.repeat(size)}\r\n\r\n`),
      431,
      'headers-too-large',
    )
  })

  test('many headers are 431', async () => {
    const many = Array.from({ length: 1_500 }, (_, i) => `X-Header-${i}: ${i}\r\n`).join('')
    expectProblem(await exchange(port, `GET /livez HTTP/1.1\r\nHost: x\r\n${many}\r\n`), 431, 'headers-too-large')
  })

  test.each([9_000, 20_000, 60_000])('a URI of %i characters is 414', async (size) => {
    expectProblem(
      await exchange(port, `GET /livez?a=${'a'.repeat(size)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      414,
      'uri-too-long',
    )
  })

  test('a body over the limit is 413, and the connection lives on', async () => {
    const big = `{"note":"${'x'.repeat(100_000)}"}`
    for (const framed of [
      post(`Content-Length: ${big.length}`, big),
      post('Transfer-Encoding: chunked', `${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`),
    ]) {
      const next = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
      const answer = await exchange(port, framed + next)
      expect(answer.status).toBe(413)
      expect(answer.body).toContain('payload-too-large')
      expect(answer.body).toContain('HTTP/1.1 200 OK')
    }
  })

  test('a client that sends all of a large body before it reads sees the 413', async () => {
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/notes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ note: 'x'.repeat(1_000_000) }),
      })
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([413, 'payload-too-large'])
    }
  })
})

describe('what is too slow', () => {
  test('headers that never end are 408', async () => {
    expectProblem(await exchange(impatientPort, 'GET /livez HTTP/1.1\r\nHost: x\r\n'), 408, 'request-timeout')
  })

  test('a connection that says nothing is 408', async () => {
    expectProblem(await exchange(impatientPort, ''), 408, 'request-timeout')
  })

  test('a body that never ends is 408', async () => {
    expectProblem(await exchange(impatientPort, post('Content-Length: 50', '{"note":')), 408, 'request-timeout')
  })
})

test('what is broken after a whole request does not take that request its answer', async () => {
  const broken = `${post('Content-Length: 13', '{"note":"ok"}')}NONSENSE\r\n\r\n`
  const answer = await exchange(port, broken)
  expect([answer.status, answer.body]).toEqual([201, '{"length":2}'])
})

test('a refusal costs no later request anything', async () => {
  const bodies = ['{', '{"note":1}', '']
  const requests = bodies.map((body) => post(`Content-Length: ${body.length}`, body)).join('')
  const last = post('Content-Length: 12\r\nConnection: close', '{"note":"ok"}'.slice(0, 12))
  const answer = await exchange(port, requests + last)
  const statuses = [...`HTTP/1.1 ${answer.status} ${answer.body}`.matchAll(/HTTP\/1\.1 (\d+)/g)].map(
    (match) => match[1],
  )
  expect(statuses).toEqual(['400', '422', '400', '400'])
})
