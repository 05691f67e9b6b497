/**
 * Loyalty's truth: who has how many points, and what each order is good for. Lock order: purchases before members.
 *
 *   placed ──the order completes──▶ earned
 *      └─────it is cancelled──────▶ void
 */
import { instant, integer, oneOf, table, text, type RowOf } from '@cauce/kit/database/table'

const statuses = ['placed', 'earned', 'void'] as const

export const purchase = table('purchases', {
  key: 'orderId',
  columns: { orderId: text, memberId: text, points: integer, status: oneOf(...statuses), updatedAt: instant },
  fixed: ['memberId', 'points'],
  checks: { known: (row) => statuses.includes(row.status), points: (row) => row.points >= 0 },
})

export const member = table('members', {
  key: 'id',
  columns: { id: text, points: integer, version: integer, updatedAt: instant },
  checks: { points: (row) => row.points >= 0 },
})
export type Member = RowOf<typeof member>

/** In lock order. */
export const tables = [purchase, member] as const
