/**
 * The account the server runs as. PostgreSQL refuses to run as root, so root hands it to `postgres`, else `nobody`; anybody
 * else runs it as oneself. Existing data decides before that: whoever owns it runs it, so installing or removing an account
 * later does not lock anyone out of the data.
 */
import { readFileSync } from 'node:fs'
import { EmbeddedPostgresError } from './errors.ts'

export interface Account {
  name: string
  uid: number
  gid: number
  /** True when programs must be started as this account because we are another one (root). */
  switched: boolean
}

/** Where every Unix maps "nobody", for a system without a passwd file. */
const NOBODY = { name: 'nobody', uid: 65534, gid: 65534 }

export const ownUid = (): number => process.getuid?.() ?? 0

/**
 * @param owner who owns the existing data, or undefined when there is none yet
 * @param accounts the text of a passwd file; defaults to the system's
 */
export function chooseAccount(owner: { uid: number; gid: number } | undefined, accounts = passwd()): Account {
  const uid = ownUid()
  if (uid !== 0 || process.platform === 'win32') {
    if (owner && owner.uid !== uid) {
      throw new EmbeddedPostgresError(
        'account',
        `The embedded database belongs to the user with id ${owner.uid}, and this is user ${uid}. ` +
          'Run as that user or as root, or choose another data directory (CAUCE_DATA).',
      )
    }
    return { name: 'self', uid, gid: process.getgid?.() ?? 0, switched: false }
  }
  if (owner && owner.uid !== 0) return { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid, switched: true }
  return { ...(lookUp('postgres', accounts) ?? lookUp('nobody', accounts) ?? NOBODY), switched: true }
}

function lookUp(name: string, accounts: string): Omit<Account, 'switched'> | undefined {
  for (const line of accounts.split('\n')) {
    const [user, , uid, gid] = line.split(':')
    if (user === name && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8')
  } catch {
    return ''
  }
}
