/** Loyalty's reads. */
import type { Pool } from '@cauce/kit/database/pool'
import type { Statement } from '@cauce/kit/database/session'
import type * as outside from './contract.ts'
import type { Member } from './tables.ts'

const byId: Statement = {
  name: 'loyalty.view.member_by_id',
  text: `SELECT id, points, version, updated_at AS "updatedAt" FROM loyalty.members WHERE id = $1`,
}

export async function findMember(pool: Pool, id: string): Promise<Member | undefined> {
  const [row] = await pool.query<Member>(byId, [id])
  return row
}

/** A member as the API shows it. */
export const showMember = ({ id, points, version }: Member): outside.Member => ({ id, points, version })
