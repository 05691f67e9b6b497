import { Type } from 'typebox'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ManualTime } from '../core/manual-time.ts'
import { answers } from './openapi.ts'
import { testServer, type TestServerOptions } from './testing.ts'
import { signature, verifySignature, webhookRoutes, type Signed } from './webhooks.ts'

const seconds = 1_767_225_600
const text = '{"a":1}'
/** Made with openssl, so that both ends cannot be wrong together. */
const known = '0988a798ca5f9dd98ca0084e7066d618a8315d0643c4cd56083f0d90afa410c8'

describe('the signature', () => {
  const verdict = (more: Partial<Signed>) =>
    verifySignature({
      secrets: ['whsec_1'],
      header: `t=${seconds},v1=${known}`,
      body: Buffer.from(text),
      now: seconds * 1000,
      ...more,
    })

  test('is the HMAC of the time and the bytes', () => {
    expect(signature('whsec_1', seconds, text)).toBe(`t=${seconds},v1=${known}`)
    expect(verdict({})).toBe('ok')
    expect(verdict({ header: ` v1=${known.toUpperCase()} , t=${seconds}, v0=x` })).toBe('ok')
  })

  test.each<[string, string | undefined]>([
    ['none', undefined],
    ['empty', ''],
    ['no time', `v1=${known}`],
    ['no signature', `t=${seconds}`],
    ['two times', `t=${seconds},t=${seconds},v1=${known}`],
    ['no number', `t=now,v1=${known}`],
    ['too short', `t=${seconds},v1=${known.slice(2)}`],
    ['too many', `t=${seconds}${`,v1=${known}`.repeat(6)}`],
  ])('unsigned: %s', (_, header) => expect(verdict({ header })).toBe('unsigned'))

  test('altered: another byte, time, secret or signature', () => {
    expect(verdict({ body: Buffer.from('{"a":2}') })).toBe('altered')
    expect(verdict({ body: Buffer.from(`${text} `) })).toBe('altered')
    expect(verdict({ header: `t=${seconds + 1},v1=${known}` })).toBe('altered')
    expect(verdict({ header: `t=0${seconds},v1=${known}` })).toBe('altered')
    expect(verdict({ secrets: ['whsec_2'] })).toBe('altered')
    expect(verdict({ secrets: [] })).toBe('altered')
    expect(verdict({ header: `t=${seconds},v1=${'0'.repeat(64)}` })).toBe('altered')
  })

  test('W2: stale beyond the tolerance, either way', () => {
    expect(verdict({ now: seconds * 1000 + 300_000 })).toBe('ok')
    expect(verdict({ now: seconds * 1000 + 300_001 })).toBe('stale')
    expect(verdict({ now: seconds * 1000 - 300_001 })).toBe('stale')
    expect(verdict({ now: seconds * 1000 + 1_001, toleranceMs: 1_000 })).toBe('stale')
  })

  test('W3: any of the secrets, any of the signatures', () => {
    expect(verdict({ secrets: ['whsec_2', 'whsec_1'] })).toBe('ok')
    expect(verdict({ header: `t=${seconds},v1=${'0'.repeat(64)},v1=${known}` })).toBe('ok')
  })
})

const Event = Type.Object({ id: Type.String(), n: Type.Integer() }, { additionalProperties: true })

async function server(options: TestServerOptions = {}) {
  const time = new ManualTime(seconds * 1000)
  const secrets = ['whsec_1']
  const taken: unknown[] = []
  const { app, close } = await testServer({ clock: time, ...options })
  onTestFinished(close)
  webhookRoutes(app, { secrets: () => secrets, clock: time }, (scope) => {
    scope.post(
      '/v1/webhooks/stamps',
      {
        config: { access: 'signed', priority: 0 },
        schema: { body: Event, ...answers({ 200: Type.Object({ id: Type.String() }) }) },
      },
      async ({ body }) => {
        taken.push(body)
        return { id: body.id }
      },
    )
  })
  app.post(
    '/plain',
    { config: { access: 'open' }, schema: { body: Type.Object({}, { additionalProperties: false }) } },
    () => ({}),
  )
  const send = (payload: string | Buffer, headers: Record<string, string | string[] | undefined> = {}) => {
    const usual = { 'content-type': 'application/json', 'cauce-signature': signature('whsec_1', seconds, payload) }
    const sent = Object.entries({ ...usual, ...headers }).filter(([, value]) => value !== undefined)
    return app.inject({
      method: 'POST',
      url: '/v1/webhooks/stamps',
      payload,
      headers: Object.fromEntries(sent) as Record<string, string>,
    })
  }
  return { app, time, secrets, taken, send }
}

const good = '{ "id":"evt_1", "n":1, "note":"ñ" }'

describe('a route for webhooks', () => {
  test('gets the parsed event, of whatever media type, without token and key', async () => {
    const { send, taken } = await server()
    for (const type of ['application/json', 'application/vnd.stamps+json', undefined]) {
      const answer = await send(good, { 'content-type': type })
      expect([answer.statusCode, answer.json()]).toEqual([200, { id: 'evt_1' }])
    }
    expect(taken[0]).toEqual({ id: 'evt_1', n: 1, note: 'ñ' })
  })

  test('401 for what is unsigned, stale or altered, and nothing happened', async () => {
    const { send, taken, time } = await server()
    const signed = signature('whsec_1', seconds, good)
    const wrong: [string | Buffer, string | string[] | undefined, RegExp][] = [
      [good, undefined, /^Send Cauce-Signature/],
      [good, [signed, signed], /^Send Cauce-Signature/],
      [good.replace('1', '2'), signed, /not of this body/],
      [Buffer.from('{"half'), signed, /not of this body/],
      ['', signed, /not of this body/],
      [good, signature('whsec_2', seconds, good), /not of this body/],
      [good, signature('whsec_1', seconds - 301, good), /too old/],
    ]
    for (const [payload, header, detail] of wrong) {
      const answer = await send(payload, { 'cauce-signature': header })
      expect(answer.json()).toMatchObject({
        status: 401,
        code: 'signature-invalid',
        detail: expect.stringMatching(detail),
      })
      expect(answer.headers).toMatchObject({
        'www-authenticate': 'Cauce-Signature realm="cauce"',
        'content-type': 'application/problem+json',
      })
    }
    time.jump(300_001)
    expect((await send(good, { 'cauce-signature': signed })).statusCode).toBe(401)
    expect(taken).toEqual([])
  })

  test('a signed body is still checked', async () => {
    const { send, taken } = await server()
    expect((await send('{"half')).json()).toMatchObject({ status: 400, code: 'malformed' })
    expect((await send('')).json()).toMatchObject({ status: 400, code: 'malformed' })
    expect((await send('{"id":"evt_1","n":"1"}')).json()).toMatchObject({ status: 422, code: 'invalid' })
    expect((await send(Buffer.alloc(300_000, 32))).json()).toMatchObject({ status: 413 })
    expect(taken).toEqual([])
  })

  test('W3: a secret is changed without losing a call', async () => {
    const { send, secrets } = await server()
    const under = (secret: string) => send(good, { 'cauce-signature': signature(secret, seconds, good) })
    secrets.push('whsec_2')
    expect((await under('whsec_2')).statusCode).toBe(200)
    secrets.shift()
    expect((await under('whsec_2')).statusCode).toBe(200)
    expect((await under('whsec_1')).statusCode).toBe(401)
  })

  test('elsewhere nothing is signed: other routes read JSON, and another method is 405', async () => {
    const { app } = await server()
    await app.ready()
    const plain = (payload: string, type: string) =>
      app.inject({ method: 'POST', url: '/plain', payload, headers: { 'content-type': type } })
    expect((await plain('{}', 'application/json')).statusCode).toBe(200)
    expect((await plain('{}', 'text/plain')).statusCode).toBe(415)
    expect((await app.inject({ method: 'PUT', url: '/v1/webhooks/stamps' })).statusCode).toBe(405)
  })

  test('a route that only says that it is signed does not start', async () => {
    const { app } = await server()
    expect(() => app.post('/x', { config: { access: 'signed' } }, () => ({}))).toThrow(/nobody verifies it/)
  })

  test('is documented with its header, without a token', async () => {
    const { app } = await server({ docs: true })
    await app.ready()
    const { paths } = (await app.inject('/openapi.json')).json()
    const { post } = paths['/v1/webhooks/stamps']
    expect(post.security).toBeUndefined()
    expect(post.parameters.filter(({ name }: { name?: string }) => name !== undefined)).toEqual([
      expect.objectContaining({ in: 'header', name: 'Cauce-Signature', required: true }),
    ])
    expect(post.responses['401']).toEqual({ $ref: '#/components/responses/signature-invalid' })
  })
})
