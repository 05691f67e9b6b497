/** Tokens for the requests of a command, signed with the development key of the data directory; no server is asked. */
import { loadDevKey, signToken, type DevKey } from '@cauce/kit/http/dev-key'
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

export function createTokens(dataDirectory: string, clock: Clock): Tokens {
  const signed = new Map<string, { token: Promise<string>; atMs: number }>()
  let key: Promise<DevKey> | undefined
  return ({ role, subject }) => {
    const name = `${role} ${subject}`
    const known = signed.get(name)
    if (known && clock.monotonic() - known.atMs < renewAfterMs) return known.token
    key ??= loadDevKey(dataDirectory)
    const token = key.then((loaded) => signToken(loaded, { subject, roles: [role], clock }))
    signed.set(name, { token, atMs: clock.monotonic() })
    return token
  }
}
