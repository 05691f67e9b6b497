/** What payments' tests share: the service without its HTTP, rows to start from, and the ledger's sums. */
import type { NewMessage } from '@cauce/kit/log/message'
import type { Given } from '@cauce/kit/pipeline/given'
import { AuthorizePayment } from './contract.ts'
import { commands, messages } from './decide.ts'
import { account, posting, tables, type Account } from './tables.ts'

export const payments = { tables, commands, messages }

const HEX = '0193a5f0c7e87d3b9a1c5e2f4b6d8a70'
export const orderId = `ord_${HEX}`
export const paymentId = `pay_${HEX}`
export const paid = { orderId, paymentId }

export const walletOf = (id: string, row: Partial<Account> = {}): Account => {
  const fresh = { currency: 'EUR', balance: 0, held: 0, version: 1, requestId: 'req-0', createdAt: 1, updatedAt: 1 }
  return { id, owner: id, ...fresh, ...row }
}

export const authorize = (rest: Partial<Parameters<typeof AuthorizePayment>[0]> = {}): NewMessage =>
  AuthorizePayment({ ...paid, customer: 'alice', amount: 700, currency: 'EUR', method: 'wallet', ...rest })

/** The sums of the postings, by ledger account; accounts that are at zero are left out. */
export function ledgerOf(state: Pick<Given, 'rows'>): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { debit, credit, amount } of state.rows(posting)) {
    sums[debit] = (sums[debit] ?? 0) - amount
    sums[credit] = (sums[credit] ?? 0) + amount
  }
  return withoutZeros(sums)
}

/** The same accounts as their rows show them. */
export function shownBy(state: Pick<Given, 'rows'>): Record<string, number> {
  const pairs = state
    .rows(account)
    .flatMap(({ id, balance, held }) => [[`wallet:${id}`, balance] as const, [`held:${id}`, held] as const])
  return withoutZeros(Object.fromEntries(pairs))
}

const withoutZeros = (sums: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0))
