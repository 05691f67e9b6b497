/**
 * The ledger's rules, pure. Every movement of money is one posting between two of these accounts:
 *
 *   world:<currency>  where money comes from; minus what has entered, so the only one that may be negative
 *   wallet:<id>       what the account's owner can spend    → the row's `balance`
 *   held:<id>         secured for payments under way        → the row's `held`
 *   sales:<currency>  what was earned
 *
 *   deposit: world → wallet     hold: wallet → held     capture: held → sales     release: held → wallet     refund: sales → wallet
 *
 * The row's change is computed from the posting, so a row and its postings cannot disagree (I1). `world` and `sales` have no
 * row: their balance is the sum of their postings, and a million payments a day never wait for one row.
 */
import type { Change } from '@cauce/kit/database/table'
import type { Context } from '@cauce/kit/pipeline/decision'
import { account, posting, type Account, type Posting } from './tables.ts'

type Place = 'world' | 'wallet' | 'held' | 'sales'

const movements: Record<Posting['kind'], { readonly from: Place; readonly to: Place }> = {
  deposit: { from: 'world', to: 'wallet' },
  hold: { from: 'wallet', to: 'held' },
  capture: { from: 'held', to: 'sales' },
  release: { from: 'held', to: 'wallet' },
  refund: { from: 'sales', to: 'wallet' },
}

/** The ledger's name of a place, seen from one customer's account. */
export const ledgerAccount = (place: Place, { id, currency }: Pick<Account, 'id' | 'currency'>): string =>
  `${place}:${place === 'world' || place === 'sales' ? currency : id}`

export interface Movement {
  readonly kind: Posting['kind']
  /** Minor units of the account's currency. */
  readonly amount: number
  /** The payment or deposit it is part of. */
  readonly subject: string
  readonly reference: string
}

/**
 * The posting and what it does to the account's row. A sum that is not there is a violated CHECK: whoever spends looks first.
 * Throws when the amount is not positive or the row would leave the safe range.
 */
export function move(
  of: Account,
  movement: Movement,
  { now, requestId }: Pick<Context, 'now' | 'requestId'>,
): Change[] {
  const { kind, amount, subject, reference } = movement
  const { from, to } = movements[kind]
  const changeOf = (place: Place) => (to === place ? amount : 0) - (from === place ? amount : 0)
  const balance = of.balance + changeOf('wallet')
  const held = of.held + changeOf('held')
  if (![amount, balance, held].every(Number.isSafeInteger) || amount <= 0) {
    throw new RangeError(`A ${kind} of ${amount} cannot be posted to ${of.id}: ${subject}`)
  }
  const entry: Posting = {
    id: `${subject}.${kind}`,
    subject,
    kind,
    debit: ledgerAccount(from, of),
    credit: ledgerAccount(to, of),
    amount,
    currency: of.currency,
    reference,
    requestId,
    at: now,
  }
  return [account.update({ ...of, balance, held, version: of.version + 1, updatedAt: now }), posting.insert(entry)]
}
