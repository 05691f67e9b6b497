/** Tokens for the requests of a command, signed with the development key of the data directory; no server is asked. */
import type { DevKey } from '@cauce/kit/http/dev-key'
import { minutes, type Clock } from '@cauce/kit/core/clock'

export type Role = 'customer' | 'operator'

/** In whose name a request is made. */
export interface Who {
  readonly role: Role
  readonly subject: string
}

export const operator: Who = { role: 'operator', subject: 'operator' }
export const customer = (subject: string): Who => ({ role: 'customer', subject })

export type Tokens = (who: Who) => Promise<string>

/** Tokens live for an hour; one that is older than this is signed anew. */
const renewAfterMs = minutes(50)

/** Loaded when the first token is needed: the cryptography doubles the time that `cauce --help` takes. */
const devKeys = () => import('@cauce/kit/http/dev-key')

export function createTokens(dataDirectory: string, clock: Clock): Tokens {
  const signed = new Map<string, { token: Promise<string>; atMs: number }>()
  let key: Promise<DevKey> | undefined
  return (who) => {
    const name = `${who.role} ${who.subject}`
    const known = signed.get(name)
    if (known && clock.monotonic() - known.atMs < renewAfterMs) return known.token
    key ??= devKeys().then(({ loadDevKey }) => loadDevKey(dataDirectory))
    const token = sign(key, who, clock)
    signed.set(name, { token, atMs: clock.monotonic() })
    return token
  }
}

/** One token, valid for as long as asked. */
export function createToken(dataDirectory: string, clock: Clock, who: Who, expiresInS: number): Promise<string> {
  const key = devKeys().then(({ loadDevKey }) => loadDevKey(dataDirectory))
  return sign(key, who, clock, expiresInS)
}

async function sign(key: Promise<DevKey>, { role, subject }: Who, clock: Clock, expiresInS = 3600): Promise<string> {
  const { signToken } = await devKeys()
  return signToken(await key, { subject, roles: [role], expiresInS, clock })
}
