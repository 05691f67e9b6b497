/**
 * The development key: one ES256 key per data directory, made by whoever needs it first, so that restarts, twin servers and
 * the command line accept each other's tokens without an issuing endpoint. In production tokens come from a real issuer and
 * this file is not used.
 *
 *   1. Made once: written whole to a file of its own, then linked to its name. A link to a name that is taken fails, so of two
 *      processes that start together one wins and both read the winner's key; nobody ever reads half a key.
 *   2. Readable by its owner only (0600), also when it was restored from somewhere with wider permissions.
 *   3. Deleting the file and restarting rotates the key: every token signed before is refused from then on.
 */

import { createHmac } from 'node:crypto'
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SignJWT, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { systemClock } from '../core/clock.ts'
import type { Clock } from '../core/clock.ts'
import { systemIds } from '../core/id-source.ts'

export const DEV_ISSUER = 'urn:cauce:development'
export const AUDIENCE = 'cauce'
export const TOKEN_TYPE = 'at+jwt'
export const ALGORITHM = 'ES256'

export interface DevKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  /** What may be published at /.well-known/jwks.json. */
  readonly publicJwk: JWK
  /** A secret for another purpose, the same in every process that shares the key. */
  secretFor(purpose: string): string
}

export interface TokenRequest {
  readonly subject: string
  readonly roles: readonly ('customer' | 'operator')[]
  /** Defaults to 3600. */
  readonly expiresInS?: number
  readonly clock?: Clock
}

/** The key of the data directory, made if there is none. */
export async function loadDevKey(dataDir: string): Promise<DevKey> {
  const path = join(dataDir, 'dev-key.json')
  const jwk = (await readKey(path)) ?? (await makeKey(dataDir, path))
  const key = await importJWK(jwk, ALGORITHM)
  if (key instanceof Uint8Array) throw unusable(path)
  const { d, ...publicJwk } = jwk
  const secretFor = (purpose: string) => createHmac('sha256', String(d)).update(purpose).digest('hex')
  return { kid: String(jwk.kid), privateKey: key, publicJwk, secretFor }
}

/** A token signed with the development key, valid for an hour unless asked otherwise. */
export function signToken(key: DevKey, request: TokenRequest): Promise<string> {
  const { subject, roles, expiresInS = 3600, clock = systemClock } = request
  const nowS = Math.floor(clock.now() / 1000)
  return new SignJWT({ roles })
    .setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE, kid: key.kid })
    .setIssuer(DEV_ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(subject)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + expiresInS)
    .sign(key.privateKey)
}

async function readKey(path: string): Promise<JWK | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600)
  const jwk = parseKey(text)
  if (!jwk) throw unusable(path)
  return jwk
}

function parseKey(text: string): JWK | undefined {
  try {
    const jwk = JSON.parse(text) as JWK
    return jwk.kty === 'EC' && jwk.crv === 'P-256' && typeof jwk.d === 'string' && typeof jwk.kid === 'string'
      ? jwk
      : undefined
  } catch {
    return undefined
  }
}

async function makeKey(dataDir: string, path: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  const exported = await exportJWK(privateKey)
  const jwk: JWK = { ...exported, kid: await calculateJwkThumbprint(exported), alg: ALGORITHM, use: 'sig' }
  const draft = `${path}.${systemIds.draw()}`
  await mkdir(dataDir, { recursive: true })
  try {
    await writeFile(draft, `${JSON.stringify(jwk)}\n`, { mode: 0o600, flag: 'wx' })
    await link(draft, path).catch((error: { code?: string }) => {
      if (error.code !== 'EEXIST') throw error // another process was first, and its key is the one
    })
  } finally {
    await rm(draft, { force: true })
  }
  const winner = await readKey(path)
  if (!winner) throw unusable(path)
  return winner
}

function unusable(path: string): Error {
  return new Error(
    `${path} does not hold an ES256 private key. Delete it to make a new one; tokens signed before stop working`,
  )
}
