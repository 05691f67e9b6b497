import { createHmac } from 'node:crypto'
import { SignJWT, UnsecuredJWT, exportSPKI, generateKeyPair, importJWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createAuthenticator } from './auth.ts'
import { AUDIENCE, DEV_ISSUER, signToken } from './dev-key.ts'
import { maySee, principalOf } from './principal.ts'
import { ProblemError } from './problem.ts'
import { testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

const nowS = 1_700_000_000
const clock = { now: () => nowS * 1000, monotonic: () => 0 }
let server: TestServer

beforeAll(async () => {
  server = await testServer({ clock })
  const add = (url: string, access: 'any' | ['customer'] | ['operator']) =>
    server.app.get(url, { config: { access } }, (request, reply) => {
      reply.send(principalOf(request))
    })
  add('/any', 'any')
  add('/customers', ['customer'])
  add('/operators', ['operator'])
})
afterAll(() => server.close())

const get = (url: string, authorization?: string) =>
  server.app.inject({ url, headers: authorization === undefined ? {} : { authorization } })

const claims = { sub: 'alice', roles: ['customer'], iss: DEV_ISSUER, aud: AUDIENCE, iat: nowS, exp: nowS + 3600 }

/** A token like a good one but for what is changed; `undefined` takes a claim or a header out. */
function token(changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}) {
  const payload = Object.fromEntries(
    Object.entries({ ...claims, ...changes }).filter(([, value]) => value !== undefined),
  )
  const protectedHeader = { alg: 'ES256', typ: 'at+jwt', kid: server.key.kid, ...header }
  return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(server.key.privateKey)
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('accepted', () => {
  test('a good token, and what it says', async () => {
    const answer = await get('/any', `Bearer ${await token()}`)
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { subject: 'alice', roles: ['customer'], isOperator: false },
    ])
  })

  test('one that the command line signs', async () => {
    const signed = await signToken(server.key, { subject: 'op@example.org', roles: ['customer', 'operator'], clock })
    expect((await get('/operators', `Bearer ${signed}`)).json()).toMatchObject({
      subject: 'op@example.org',
      isOperator: true,
    })
  })

  test('the scheme in any case, an nbf that is past, our audience among others', async () => {
    expect((await get('/any', `bearer ${await token({ nbf: nowS - 1, aud: ['other', 'cauce'] })}`)).statusCode).toBe(
      200,
    )
  })
})

describe('401', () => {
  const cases: Record<string, () => string | undefined | Promise<string>> = {
    'no header': () => undefined,
    'another scheme': () => 'Basic YWxpY2U6c2VjcmV0',
    'no token': () => 'Bearer ',
    'not a JWT': () => 'Bearer abc',
    'three parts of nonsense': () => 'Bearer a.b.c',
    'alg none': () => `Bearer ${new UnsecuredJWT(claims).encode()}`,
    'alg none, all else right': () =>
      `Bearer ${part({ alg: 'none', typ: 'at+jwt', kid: server.key.kid })}.${part(claims)}.`,
    'HS256 signed with the public key': async () => {
      const publicKey = await importJWK(server.key.publicJwk, 'ES256')
      if (publicKey instanceof Uint8Array) throw new Error('not a key')
      const signed = `${part({ alg: 'HS256', typ: 'at+jwt', kid: server.key.kid })}.${part(claims)}`
      return `Bearer ${signed}.${createHmac('sha256', await exportSPKI(publicKey))
        .update(signed)
        .digest('base64url')}`
    },
    RS256: async () => {
      const { privateKey } = await generateKeyPair('RS256')
      return `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: server.key.kid }).sign(privateKey)}`
    },
    'a key nobody knows': async () => {
      const { privateKey } = await generateKeyPair('ES256')
      return `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'rotated' }).sign(privateKey)}`
    },
    'another key under the known name': async () => {
      const { privateKey } = await generateKeyPair('ES256')
      return `Bearer ${await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: server.key.kid }).sign(privateKey)}`
    },
    'a changed payload': async () => {
      const [head, , signature] = (await token()).split('.')
      return `Bearer ${head}.${part({ ...claims, roles: ['operator'] })}.${signature}`
    },
    expired: async () => `Bearer ${await token({ exp: nowS })}`,
    'no exp': async () => `Bearer ${await token({ exp: undefined })}`,
    'an exp that is text': async () => `Bearer ${await token({ exp: '9999999999' })}`,
    'nbf ahead': async () => `Bearer ${await token({ nbf: nowS + 60 })}`,
    'another audience': async () => `Bearer ${await token({ aud: 'other' })}`,
    'no audience': async () => `Bearer ${await token({ aud: undefined })}`,
    'another issuer': async () => `Bearer ${await token({ iss: 'https://evil.example' })}`,
    'no issuer': async () => `Bearer ${await token({ iss: undefined })}`,
    'another type': async () => `Bearer ${await token({}, { typ: 'JWT' })}`,
    'no type': async () => `Bearer ${await token({}, { typ: undefined })}`,
    'no subject': async () => `Bearer ${await token({ sub: undefined })}`,
    'an empty subject': async () => `Bearer ${await token({ sub: '' })}`,
    'a subject that cannot be stored': async () => `Bearer ${await token({ sub: 'a\u0000b' })}`,
    'a subject that is too long': async () => `Bearer ${await token({ sub: 'a'.repeat(65) })}`,
    'a subject that is a number': async () => `Bearer ${await token({ sub: 5 })}`,
    'no roles': async () => `Bearer ${await token({ roles: undefined })}`,
    'an empty list of roles': async () => `Bearer ${await token({ roles: [] })}`,
    'roles that are a text': async () => `Bearer ${await token({ roles: 'operator' })}`,
    'an unknown role': async () => `Bearer ${await token({ roles: ['customer', 'root'] })}`,
    'a critical extension': () =>
      `Bearer ${part({ alg: 'ES256', typ: 'at+jwt', kid: server.key.kid, crit: ['x'], x: 1 })}.${part(claims)}.AA`,
  }

  test.each(Object.keys(cases))('%s', async (name) => {
    for (const url of ['/any', '/operators']) {
      const answer = await get(url, await cases[name]?.())
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="cauce"/)
      expect(answer.json()).toMatchObject({ code: 'unauthenticated' })
      expect(answer.body).not.toMatch(/JWS|JOSE|jose/)
    }
  })

  test('says why in WWW-Authenticate when a token was sent, and nothing more when none was', async () => {
    expect((await get('/any')).headers['www-authenticate']).toBe('Bearer realm="cauce"')
    const expired = await get('/any', `Bearer ${await token({ exp: nowS - 1 })}`)
    expect(expired.headers['www-authenticate']).toContain('error="invalid_token", error_description="it has expired"')
  })

  test('comes before the body and before 404 of an object, not before 404 of a path', async () => {
    expect((await server.app.inject({ method: 'GET', url: '/nowhere' })).statusCode).toBe(404)
  })
})

describe('403', () => {
  test('names the role that is missing', async () => {
    const answer = await get('/operators', `Bearer ${await token()}`)
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({
      code: 'forbidden',
      detail: 'This needs a token with the role operator; yours has customer',
    })
    expect(answer.headers['www-authenticate']).toContain('insufficient_scope')
    expect((await get('/customers', `Bearer ${await token({ roles: ['operator'] })}`)).statusCode).toBe(403)
  })
})

describe('remembered tokens', () => {
  const authenticatorAt = (at: { ms: number }, remember = 2) =>
    createAuthenticator({ keys: [server.key.publicJwk], remember, clock: { now: () => at.ms, monotonic: () => 0 } })

  test('are known at once, until they expire', async () => {
    const at = { ms: nowS * 1000 }
    const authenticator = authenticatorAt(at)
    const header = `Bearer ${await token()}`
    const first = authenticator.authenticate(header)
    expect(first).toBeInstanceOf(Promise)
    expect(authenticator.authenticate(header)).toBe(first) // one verification for all who wait for it
    const principal = await first
    expect(authenticator.authenticate(header)).toBe(principal)
    at.ms += 3_600_000
    await expect(authenticator.authenticate(header)).rejects.toThrow(/expired/)
  })

  test('are at most so many, the oldest dropped first', async () => {
    const authenticator = authenticatorAt({ ms: nowS * 1000 })
    const headers = await Promise.all(['a', 'b', 'c'].map(async (sub) => `Bearer ${await token({ sub })}`))
    for (const header of headers) await authenticator.authenticate(header)
    const known = headers.map((header) => !(authenticator.authenticate(header) instanceof Promise))
    expect(known).toEqual([false, true, true])
  })

  test('never include one that was refused', async () => {
    const authenticator = authenticatorAt({ ms: nowS * 1000 })
    const header = `Bearer ${await token({ aud: 'other' })}`
    for (let i = 0; i < 2; i++) await expect(authenticator.authenticate(header)).rejects.toThrow(ProblemError)
  })
})

test('the public keys are published, without the private part', async () => {
  const answer = await get('/.well-known/jwks.json')
  expect(answer.json()).toEqual({
    keys: [expect.objectContaining({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: server.key.kid })],
  })
  expect(answer.body).not.toContain('"d"')
})

test('a route must say who may call it, and an open route has no principal', async () => {
  const other = await testServer()
  expect(() => other.app.get('/x', () => 'x')).toThrow(/does not say who may call it/)
  other.app.get('/y', { config: { access: 'open' } }, (request) => vi.fn(principalOf)(request))
  expect((await other.app.inject('/y')).statusCode).toBe(500)
  await other.close()
})

test('who may see what belongs to someone', () => {
  const alice = { subject: 'alice', roles: ['customer'], isOperator: false } as const
  expect([maySee(alice, 'alice'), maySee(alice, 'bob'), maySee({ ...alice, isOperator: true }, 'bob')]).toEqual([
    true,
    false,
    true,
  ])
})
