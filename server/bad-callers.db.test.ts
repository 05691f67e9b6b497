/**
 * Callers a real server does not believe, or does not wait for: forged tokens, forged and late webhooks, and bytes that are no
 * request it reads. In the end nothing has changed.
 */
import { KeyObject, createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '@cauce/kit/core/clock'
import { exchange, type RawAnswer } from '@cauce/kit/http/testing'
import { signature } from '@cauce/kit/http/webhooks'
import { openShop, type Shop } from './testing-bad-input.ts'

let shop: Shop
let before: Record<string, string>
/** Begun at once, because the server's patience is 10 s. */
let slow: Promise<RawAnswer>

beforeAll(async () => {
  shop = await openShop()
  before = await shop.digest()
  slow = exchange(shop.port, 'GET /livez HTTP/1.1\r\nHost: x\r\n', { limitMs: 20_000 })
})
afterAll(() => shop?.close())

const nowS = () => Math.floor(systemClock.now() / 1000)

describe('401', () => {
  const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = () => ({
    iss: 'urn:cauce:development',
    aud: 'cauce',
    sub: 'olga',
    roles: ['operator'],
    iat: nowS(),
    exp: nowS() + 600,
  })
  const head = (more: object = {}) => ({ alg: 'ES256', typ: 'at+jwt', kid: shop.key.kid, ...more })
  const own = () => KeyObject.from(shop.key.privateKey)
  const signed = (more: object, header: object = {}, key: KeyObject = own()) => {
    const text = `${base64(head(header))}.${base64({ ...claims(), ...more })}`
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
  const hs256 = (secret: string | Buffer) => {
    const text = `${base64(head({ alg: 'HS256' }))}.${base64(claims())}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const publicKey = (type: 'pem' | 'der') =>
    createPublicKey({ key: shop.key.publicJwk as never, format: 'jwk' }).export({ type: 'spki', format: type as 'pem' })
  const strangers = {
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  }

  const forged: Record<string, () => string> = {
    'alg none': () => `${base64(head({ alg: 'none' }))}.${base64(claims())}.`,
    'alg None': () => `${base64(head({ alg: 'None' }))}.${base64(claims())}.`,
    'HS256 signed with the public key': () => hs256(publicKey('pem')),
    'HS256 signed with its bytes': () => hs256(publicKey('der')),
    'HS256 signed with its JWK': () => hs256(JSON.stringify(shop.key.publicJwk)),
    'HS256 signed with nothing': () => hs256(''),
    RS256: () => signed({}, { alg: 'RS256' }, strangers.RS256()),
    'another key under the known name': () => signed({}, {}, strangers.ES256()),
    'a key it does not know': () => signed({}, { kid: 'rotated' }),
    'a key of its own': () => signed({}, { kid: 'mine', jwk: shop.key.publicJwk, jku: 'http://127.0.0.1:1/' }),
    'a signature of zeros': () => `${base64(head())}.${base64(claims())}.${Buffer.alloc(64).toString('base64url')}`,
    'a changed payload': () => {
      const [first, , last] = signed({ sub: 'alice', roles: ['customer'] }).split('.')
      return `${first}.${base64(claims())}.${last}`
    },
    'a critical extension': () => `${base64(head({ crit: ['x'], x: 1 }))}.${base64(claims())}.AA`,
    expired: () => signed({ exp: nowS() - 1 }),
    'no exp': () => signed({ exp: undefined }),
    'an exp that is text': () => signed({ exp: '9999999999' }),
    'nbf ahead': () => signed({ nbf: nowS() + 60 }),
    'another audience': () => signed({ aud: 'other' }),
    'no audience': () => signed({ aud: undefined }),
    'another issuer': () => signed({ iss: 'https://evil.example' }),
    'no issuer': () => signed({ iss: undefined }),
    'another type': () => signed({}, { typ: 'JWT' }),
    'no type': () => signed({}, { typ: undefined }),
    'no subject': () => signed({ sub: undefined }),
    'a subject that cannot be stored': () => signed({ sub: 'a\u0000b' }),
    'a subject that is an account of the house': () => signed({ sub: 'world:EUR' }),
    'no roles': () => signed({ roles: undefined }),
    'no role': () => signed({ roles: [] }),
    'an unknown role': () => signed({ roles: ['operator', 'root'] }),
    'a role that is a text': () => signed({ roles: 'operator' }),
  }

  test('the signer of these tests makes good ones', async () => {
    const authorization = `Bearer ${signed({})}`
    expect((await shop.ask({ path: '/v1/ops/groups', headers: { authorization } })).status).toBe(200)
  })

  test.each(Object.keys(forged))('a token with %s', async (name) => {
    const headers = { authorization: `Bearer ${forged[name]!()}` }
    const body = { amount: 1, currency: 'EUR', reference: 'x' }
    for (const ask of [{ path: '/v1/ops/groups' }, { method: 'POST', path: '/v1/accounts/alice/deposits', body }]) {
      const answer = await shop.ask({ ...ask, headers })
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="cauce", error="invalid_token"/)
      expect(JSON.stringify(answer.body)).not.toMatch(/jose|JWS|JOSE|stack/)
    }
  })
})

describe('the card processor’s news', () => {
  const news = async (rest: object = {}, charge: object = {}) => {
    const { key, sequence } = await shop.charge()
    const expiresAt = '2030-01-01T00:00:00.000Z'
    const about = {
      key,
      paymentId: shop.payment,
      status: 'voided',
      amount: 1000,
      currency: 'EUR',
      expiresAt,
      ...charge,
    }
    return { id: 'evt_1', type: 'charge.voided', sequence, charge: about, ...rest }
  }
  const secret = () => shop.key.secretFor('card webhooks')
  const tell = (body: object | string, header?: string, more: Record<string, string> = {}) =>
    shop.ask({
      method: 'POST',
      path: '/v1/webhooks/card',
      who: null,
      body,
      headers: {
        'idempotency-key': undefined,
        ...(header === undefined ? {} : { 'cauce-signature': header }),
        ...more,
      },
    })
  const told = (body: object | string) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return tell(text, signature(secret(), nowS(), text))
  }
  const refused = { status: 401, body: { code: 'signature-invalid' } }

  test('unsigned, stale, ahead, altered or signed by another is 401', async () => {
    const body = JSON.stringify(await news({ sequence: 99 }))
    const good = signature(secret(), nowS(), body)
    const headers = [
      undefined,
      '',
      'nonsense',
      `t=${nowS()}`,
      `t=${nowS()},v1=`,
      `t=${nowS()},v1=${'0'.repeat(64)}`,
      `t=${nowS() - 1},${good.split(',')[1]}`,
      signature(secret(), nowS() - 3600, body),
      signature(secret(), nowS() + 3600, body),
      signature('another', nowS(), body),
      signature('', nowS(), body),
      `${good},${good}`,
    ]
    for (const header of headers) expect([header, await tell(body, header)]).toMatchObject([header, refused])
    expect(await tell(body.replace('1000', '1001'), good)).toMatchObject(refused)
    expect(await tell(`${body} `, good)).toMatchObject(refused)
    // A token is no signature.
    expect(await tell(body, undefined, { authorization: `Bearer ${shop.token('olga')}` })).toMatchObject(refused)
  })

  test('signed, but no news: 400 and 422', async () => {
    for (const text of ['', '{', '{"a":1,"a":2}', 'null'])
      expect((await told(text)).status).toBe(text === 'null' ? 422 : 400)
    const good = await news()
    const bad: object[] = [
      {},
      { ...good, sequence: 0 },
      { ...good, sequence: 1.5 },
      { ...good, sequence: '1' },
      { ...good, charge: null },
    ]
    for (const charge of [
      { status: 'stolen' },
      { expiresAt: 'soon' },
      { expiresAt: '2016-12-31T23:59:60Z' },
      { amount: -1 },
      { key: '' },
    ])
      bad.push(await news({}, charge))
    for (const body of bad) expect(await told(body)).toMatchObject({ status: 422, body: { code: 'invalid' } })
  })

  test('twice, late, of another charge or of nothing here is 200 without effect', async () => {
    const { sequence } = await shop.charge()
    const all = [
      await news(),
      await news(),
      await news({ sequence: Math.max(1, sequence - 1) }),
      await news({ sequence: 99 }, { key: 'another' }),
      await news({ sequence: 99 }, { paymentId: `pay_${'0'.repeat(32)}` }),
      await news({ sequence: 99 }, { paymentId: '__proto__' }),
    ]
    for (const body of all) expect(await told(body)).toMatchObject({ status: 200, body: { received: true } })
    expect((await shop.ask({ path: `/v1/payments/${shop.payment}` })).body.status).toBe('captured')
  })
})

describe('bytes', () => {
  const post = (headers: string, body = '') =>
    `POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${shop.token('alice')}\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`
  const keyed = (more: string, body: string) => post(`Idempotency-Key: raw\r\nConnection: close\r\n${more}`, body)
  const get = (rest: string) => `GET ${rest} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`

  function expectProblem(answer: RawAnswer, status: number, code: string) {
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    const problem = JSON.parse(answer.body) as Record<string, unknown>
    expect(problem).toMatchObject({ status, code, requestId: answer.headers['x-request-id'] })
    expect(Object.keys(problem).toSorted()).toEqual(['code', 'detail', 'requestId', 'status', 'title', 'type'])
  }

  const big = `{"lines":"${'x'.repeat(262_200)}"}`
  test.each<[string, () => string, number, string]>([
    [
      'a key twice',
      () => post('Idempotency-Key: a\r\nIdempotency-Key: a\r\nConnection: close\r\nContent-Length: 2', '{}'),
      400,
      'key-invalid',
    ],
    [
      'a second token',
      () => post(`Authorization: Bearer ${shop.token('olga')}\r\nConnection: close\r\nContent-Length: 2`, '{}'),
      400,
      'malformed',
    ],
    ['no Host', () => 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed'],
    ['no HTTP', () => 'HELO shop\r\n\r\n', 400, 'malformed'],
    ['two lengths', () => keyed('Content-Length: 2\r\nContent-Length: 3', '{}'), 400, 'malformed'],
    ['two framings', () => keyed('Content-Length: 2\r\nTransfer-Encoding: chunked', '0\r\n\r\n'), 400, 'malformed'],
    ['a broken chunk', () => keyed('Transfer-Encoding: chunked', 'zz\r\n{}\r\n'), 400, 'malformed'],
    ['a NUL in a header', () => keyed('X: \u0000\r\nContent-Length: 2', '{}'), 400, 'malformed'],
    ['a body of more than 262144 bytes', () => keyed(`Content-Length: ${big.length}`, big), 413, 'payload-too-large'],
    [
      'one that does not say so',
      () => keyed('Transfer-Encoding: chunked', `${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`),
      413,
      'payload-too-large',
    ],
    ['a URI of more than 8192 characters', () => get(`/v1/orders?cursor=${'x'.repeat(8200)}`), 414, 'uri-too-long'],
    ['one that fills the buffer', () => get(`/v1/orders?cursor=${'x'.repeat(20_000)}`), 414, 'uri-too-long'],
    [
      'headers of more than 16384 bytes',
      () => get('/livez').replace('\r\n\r\n', `\r\nX: ${'x'.repeat(16_400)}\r\n\r\n`),
      431,
      'headers-too-large',
    ],
    ['an expectation', () => keyed('Content-Length: 2\r\nExpect: the-best', '{}'), 417, 'expectation-failed'],
  ])('%s', async (_what, bytes, status, code) => expectProblem(await exchange(shop.port, bytes()), status, code))

  test('the limits are as documented', () => {
    const { description = '' } = shop.document.info
    for (const limit of ['262144 bytes', '16 levels', '8192 characters', '16384 bytes', 'within 10 s', 'within 30 s'])
      expect(description).toContain(limit)
  })

  test('a body that breaks off is 400', async () => {
    const half = post('Idempotency-Key: raw\r\nContent-Length: 500', '{"lines":')
    expectProblem(await exchange(shop.port, half, { end: true }), 400, 'malformed')
  })

  test('headers that do not arrive within 10 s are 408', { timeout: 30_000 }, async () => {
    expectProblem(await slow, 408, 'request-timeout')
  })
})

test('after all of this nothing has changed', async () => {
  expect(await shop.digest()).toEqual(before)
  expect((await shop.ask({ path: '/v1/ops/audit', who: 'olga' })).body).toMatchObject({ ok: true })
})
