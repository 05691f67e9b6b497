import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAuthenticator } from './auth.ts'
import { loadDevKey, signToken } from './dev-key.ts'

let dir: string
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'cauce-key-'))))
afterEach(() => rm(dir, { recursive: true }))

test('is made once, readable by its owner only, in a directory that is made too', async () => {
  const data = join(dir, 'deep', 'data')
  const { kid } = await loadDevKey(data)
  expect((await stat(join(data, 'dev-key.json'))).mode & 0o777).toBe(0o600)
  expect((await loadDevKey(data)).kid).toBe(kid)
  expect(await readdir(data)).toEqual(['dev-key.json'])
})

test('all who start at once get the same one', async () => {
  const keys = await Promise.all(Array.from({ length: 12 }, () => loadDevKey(dir)))
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(1)
  expect(await readdir(dir)).toEqual(['dev-key.json'])
})

test('a key with wide permissions gets narrow ones', async () => {
  await loadDevKey(dir)
  await chmod(join(dir, 'dev-key.json'), 0o644)
  await loadDevKey(dir)
  expect((await stat(join(dir, 'dev-key.json'))).mode & 0o777).toBe(0o600)
})

test.each(['', '{', '{"kty":"RSA"}', '{"kty":"EC","crv":"P-256","kid":"x"}'])(
  '%j is refused with advice, not replaced',
  async (text) => {
    await writeFile(join(dir, 'dev-key.json'), text)
    await expect(loadDevKey(dir)).rejects.toThrow(/Delete it to make a new one/)
    expect(await readFile(join(dir, 'dev-key.json'), 'utf8')).toBe(text)
  },
)

test('tokens say what the contract says, for an hour', async () => {
  const key = await loadDevKey(dir)
  const token = await signToken(key, { subject: 'alice', roles: ['customer'] })
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
  const { iat = 0, exp = 0, ...claims } = decodeJwt(token)
  expect(claims).toEqual({ sub: 'alice', roles: ['customer'], iss: 'urn:cauce:development', aud: 'cauce' })
  expect(exp - iat).toBe(3600)
})

test('deleting the key rotates it: old tokens are refused', async () => {
  const token = await signToken(await loadDevKey(dir), { subject: 'alice', roles: ['customer'] })
  await rm(join(dir, 'dev-key.json'))
  const authenticator = createAuthenticator({ keys: [(await loadDevKey(dir)).publicJwk] })
  await expect(authenticator.authenticate(`Bearer ${token}`)).rejects.toThrow(/its key is not known here/)
})
