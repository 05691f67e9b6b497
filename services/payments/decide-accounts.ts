/** Decisions about wallets: open one, put money in, move money between two. */
import { prefixed } from '@cauce/kit/core/ids'
import { accept, onCommand, reject } from '@cauce/kit/pipeline/decision'
import type { Deposit, PostedDeposit, PostedTransfer, Transfer } from './contract.ts'
import { move, transfer as transferred } from './ledger.ts'
import { account, type Account } from './tables.ts'

export interface OpenAccountCommand {
  /** The account's id, and whose it is. */
  readonly id: string
  readonly currency: string
}

export const openAccount = onCommand<OpenAccountCommand>('OpenAccount', {
  lock: ({ id }) => [account.key(id)],
  decide({ id, currency }, rows, { now, requestId }) {
    const before = rows.get(account, id)
    if (before) return reject('account-exists', `${id} has an account already, in ${before.currency}. Use that one`)
    const empty = { balance: 0, held: 0, version: 1 }
    const row: Account = { id, owner: id, currency, ...empty, requestId, createdAt: now, updatedAt: now }
    return accept({ changes: [account.insert(row)], reply: row })
  },
})

export interface DepositCommand extends Deposit {
  readonly account: string
}

export const deposit = onCommand<DepositCommand>('Deposit', {
  lock: ({ account: id }) => [account.key(id)],
  decide({ account: id, amount, currency, reference }, rows, context) {
    const into = rows.get(account, id)
    if (!into) return reject('not-found', `There is no account ${id}`)
    if (into.currency !== currency) {
      return reject('currency-mismatch', `The account is in ${into.currency}, the deposit in ${currency}`)
    }
    if (!hasRoomFor(into, amount)) return tooLarge(id, amount)
    const depositId = prefixed('dep', context.inputId)
    const reply: PostedDeposit = { id: depositId, account: id, amount, currency, reference, status: 'posted' }
    const { changes } = move(into, { kind: 'deposit', amount, subject: depositId, reference }, context)
    return accept({ changes, reply })
  },
})

/** Whoever asks owns `from`: that is checked where the token is known. */
export const transfer = onCommand<Transfer>('Transfer', {
  lock: ({ from, to }) => [account.key(from), account.key(to)],
  decide({ from: fromId, to: toId, amount, currency }, rows, context) {
    if (fromId === toId) return reject('same-account', 'A transfer needs two accounts. Name another one to send to')
    const from = rows.get(account, fromId)
    if (!from) return reject('not-found', `There is no account ${fromId}`)
    const to = rows.get(account, toId)
    if (!to) return reject('unknown-recipient', `There is no account ${toId}`)
    if (from.currency !== currency || to.currency !== currency) {
      const { currency: differs, id } = from.currency === currency ? to : from
      return reject('currency-mismatch', `The transfer is in ${currency}, the account ${id} in ${differs}`)
    }
    if (from.balance < amount) {
      return reject(
        'insufficient-funds',
        `${amount} were needed, ${from.balance} can be spent. Send less, or put money in first`,
      )
    }
    if (!hasRoomFor(to, amount)) return tooLarge(toId, amount)
    const id = prefixed('trf', context.inputId)
    const reply: PostedTransfer = {
      id,
      from: fromId,
      to: toId,
      amount,
      currency,
      status: 'posted',
    }
    const movement = { kind: 'transfer', amount, subject: id, reference: id } as const
    return accept({ changes: transferred(from, to, movement, context), reply })
  },
})

/** With what is held, so that a release always fits. */
const hasRoomFor = ({ balance, held }: Account, amount: number): boolean =>
  Number.isSafeInteger(balance + held + amount)

const tooLarge = (id: string, amount: number) =>
  reject('balance-too-large', `With ${amount} more ${id} would exceed what can be counted exactly`)
