/** What the card processor stores about a key, and what becomes of it. Data and pure functions. */
import type { Token } from './tokens.ts'

export interface Charge {
  readonly paymentId: string
  readonly amount: number
  readonly currency: string
  readonly token: Token
  readonly fingerprint: string
}

export interface ChargeRow {
  readonly key: string
  /** What the key was first asked for. Null under a key that was voided before. */
  readonly charge: Charge | null
  readonly status: 'busy' | 'authorized' | 'captured' | 'voided' | 'refunded' | 'declined'
  /** How often this key asked for an authorisation and was counted, refusals included. */
  readonly requests: number
  /** How often the charge has changed. 0: there is no charge, and there was none. */
  readonly sequence: number
  /** Until when it is held, in ms; 0 when it never was. */
  readonly expiresAt: number
  /** A capture will find it expired, whatever the time. */
  readonly lapses: boolean
  /** Voided because a capture found it expired. */
  readonly expired: boolean
  readonly refunded: number
  readonly refunds: readonly Refund[]
  /** Changes that have not been told to the webhook endpoint yet, oldest first. */
  readonly owed: readonly ChargeEvent[]
  /** How many were told, and how many were given up. */
  readonly delivered: number
  readonly failed: number
}

export interface Refund {
  readonly key: string
  readonly amount: number
  readonly refused: boolean
}

export type ChangeType = 'authorized' | 'captured' | 'voided' | 'refunded'

/** A change as it is told: what the charge was right after it. */
export interface ChargeEvent {
  readonly sequence: number
  readonly type: ChangeType
  readonly at: number
  readonly status: ChargeRow['status']
  readonly refunded: number
}

/** When something is decided, and whether somebody wants to be told. */
export interface Moment {
  readonly now: number
  readonly announced: boolean
}

const empty: Omit<ChargeRow, 'key'> = {
  charge: null,
  status: 'busy',
  requests: 0,
  sequence: 0,
  expiresAt: 0,
  lapses: false,
  expired: false,
  refunded: 0,
  refunds: [],
  owed: [],
  delivered: 0,
  failed: 0,
}

export const newRow = (key: string, charge: Charge | null): ChargeRow => ({ ...empty, key, charge })

/** The row after one more change of its charge. */
export function changed(
  row: ChargeRow,
  type: ChangeType,
  to: Partial<ChargeRow>,
  { now, announced }: Moment,
): ChargeRow {
  const next = { ...row, ...to, sequence: row.sequence + 1 }
  if (!announced) return next
  const { sequence, status, refunded } = next
  return { ...next, owed: [...row.owed, { sequence, type, at: now, status, refunded }] }
}

/** The row once a change was told, or given up; undefined when that is known already. */
export function settled(row: ChargeRow, sequence: number, outcome: 'delivered' | 'failed'): ChargeRow | undefined {
  const owed = row.owed.filter((event) => event.sequence !== sequence)
  return owed.length === row.owed.length ? undefined : { ...row, owed, [outcome]: row[outcome] + 1 }
}
