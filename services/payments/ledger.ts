/**
 * The ledger's rules, pure. Every movement of money is one posting between two of these accounts:
 *
 *   world:<currency>  where money comes from; minus what has entered, so the only one that may be negative
 *   wallet:<id>       what the account's owner can spend    → the row's `balance`
 *   held:<id>         secured for payments under way        → the row's `held`
 *   sales:<currency>  what was earned
 *
 *   deposit: world → wallet     transfer: wallet → another's wallet
 *   hold: wallet → held     capture: held → sales     release: held → wallet     refund: sales → wallet
 *   card-capture: world → sales     card-refund: sales → world
 *
 * The row's change is computed from the posting, so a row and its postings cannot disagree (I1). `world` and `sales` have no
 * row: their balance is the sum of their postings, and a million payments a day never wait for one row.
 */
import type { Change } from '@cauce/kit/database/table'
import type { Context } from '@cauce/kit/pipeline/decision'
import { account, posting, type Account, type Posting } from './tables.ts'

type Place = 'world' | 'wallet' | 'held' | 'sales'
type Kind = Posting['kind']
/** Between a customer's account and itself or the house. */
type OwnKind = Exclude<Kind, 'transfer' | 'card-capture' | 'card-refund'>

const movements: Record<OwnKind, { readonly from: Place; readonly to: Place }> = {
  deposit: { from: 'world', to: 'wallet' },
  hold: { from: 'wallet', to: 'held' },
  capture: { from: 'held', to: 'sales' },
  release: { from: 'held', to: 'wallet' },
  refund: { from: 'sales', to: 'wallet' },
}

/** The ledger's name of a place, seen from one customer's account. */
export const ledgerAccount = (place: Place, { id, currency }: Pick<Account, 'id' | 'currency'>): string =>
  `${place}:${place === 'world' || place === 'sales' ? currency : id}`

export interface Movement<MovementKind extends Kind = OwnKind> {
  readonly kind: MovementKind
  /** Minor units of the account's currency. */
  readonly amount: number
  /** The payment, transfer or deposit it is part of. */
  readonly subject: string
  /** What moves, when the subject may move in parts: a refund. */
  readonly part?: string
  readonly reference: string
}

type At = Pick<Context, 'now' | 'requestId'>

/** An account after a movement, and what it changes. */
export interface Moved {
  readonly account: Account
  readonly changes: readonly Change[]
}

/**
 * The posting and what it does to the account's row. A sum that is not there is a violated CHECK: whoever spends looks first.
 * Throws when the amount is not positive or the row would leave the safe range.
 */
export function move(of: Account, movement: Movement, at: At): Moved {
  const { from, to } = movements[movement.kind]
  const { amount } = movement
  const changeOf = (place: Place) => (to === place ? amount : 0) - (from === place ? amount : 0)
  const moved = shifted(of, changeOf('wallet'), changeOf('held'), movement, at)
  const entry = posted(movement, ledgerAccount(from, of), ledgerAccount(to, of), of.currency, at)
  return { account: moved, changes: [account.update(moved), posting.insert(entry)] }
}

/** From one wallet into another of the same currency. */
export function transfer(from: Account, to: Account, movement: Movement<'transfer'>, at: At): Change[] {
  const { amount } = movement
  return [
    account.update(shifted(from, -amount, 0, movement, at)),
    account.update(shifted(to, amount, 0, movement, at)),
    posting.insert(posted(movement, ledgerAccount('wallet', from), ledgerAccount('wallet', to), from.currency, at)),
  ]
}

/** What a card processor took for us, or gave back. */
export function overCard(movement: Movement<'card-capture' | 'card-refund'>, currency: string, at: At): Change {
  const [from, to] = movement.kind === 'card-capture' ? ['world', 'sales'] : ['sales', 'world']
  return posting.insert(posted(movement, `${from}:${currency}`, `${to}:${currency}`, currency, at))
}

function shifted(of: Account, spendable: number, held: number, movement: Movement<Kind>, { now }: At): Account {
  const row = { ...of, balance: of.balance + spendable, held: of.held + held, version: of.version + 1, updatedAt: now }
  if (![movement.amount, row.balance, row.held].every(Number.isSafeInteger) || movement.amount <= 0) {
    throw new RangeError(`A ${movement.kind} of ${movement.amount} cannot be posted to ${of.id}: ${movement.subject}`)
  }
  return row
}

function posted(movement: Movement<Kind>, debit: string, credit: string, currency: string, at: At): Posting {
  const { kind, amount, subject, part = subject, reference } = movement
  const { now, requestId } = at
  return { id: `${part}.${kind}`, subject, kind, debit, credit, amount, currency, reference, requestId, at: now }
}
