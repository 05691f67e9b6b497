/** The superuser's password and the port last used, in `<CAUCE_DATA>/postgres.json`, readable by its owner only. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere, writeWhole } from './files.ts'

export interface Secret {
  password: string
  /** The port to prefer; 0 when none was used yet. */
  port: number
}

const pathOf = (home: string): string => join(home, 'postgres.json')

/** Reads it, or makes one (durably, before anything is initialised with it). Call it while holding the start lock. */
export function readOrMakeSecret(home: string): Secret {
  const stored = parse(readIfThere(pathOf(home)))
  if (stored) return stored
  const made = { password: randomBytes(24).toString('hex'), port: 0 }
  keepSecret(home, made)
  return made
}

export function keepSecret(home: string, secret: Secret): void {
  writeWhole(pathOf(home), `${JSON.stringify({ user: 'cauce', ...secret })}\n`, 0o600)
}

/** Undefined for a file that is missing or unreadable: then there is a new password, which the cluster is taught. */
function parse(text: string | undefined): Secret | undefined {
  try {
    const { password, port } = JSON.parse(text ?? '') as Partial<Secret>
    if (typeof password !== 'string' || !/^[0-9a-f]{32,}$/.test(password)) return undefined
    return { password, port: typeof port === 'number' ? port : 0 }
  } catch {
    return undefined
  }
}
