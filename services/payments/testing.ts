/** What payments' tests share: the service without its HTTP, rows to start from, and the ledger's sums. */
import type { NewMessage } from '@cauce/kit/log/message'
import type { Given } from '@cauce/kit/pipeline/given'
import { AuthorizePayment } from './contract.ts'
import { commands, messages, tasks } from './decide.ts'
import { account, posting, tables, type Account } from './tables.ts'

export const payments = { tables, commands, messages, tasks }

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
export function exactLedgerOf(state: Pick<Given, 'rows'>): Record<string, bigint> {
  const sums = new Map<string, bigint>()
  const add = (name: string, amount: bigint) => sums.set(name, (sums.get(name) ?? 0n) + amount)
  for (const { debit, credit, amount } of state.rows(posting)) {
    add(debit, -BigInt(amount))
    add(credit, BigInt(amount))
  }
  return withoutZeros([...sums])
}

/** For sums that a test writes as numbers. */
export const ledgerOf = (state: Pick<Given, 'rows'>): Record<string, number> =>
  Object.fromEntries(Object.entries(exactLedgerOf(state)).map(([name, sum]) => [name, Number(sum)]))

/** What the rows show of the same accounts. */
export function shownBy(state: Pick<Given, 'rows'>): Record<string, bigint> {
  const shown = state.rows(account).flatMap(({ id, balance, held }): [string, bigint][] => [
    [`wallet:${id}`, BigInt(balance)],
    [`held:${id}`, BigInt(held)],
  ])
  return withoutZeros(shown)
}

const withoutZeros = (sums: readonly (readonly [name: string, sum: bigint])[]): Record<string, bigint> =>
  Object.fromEntries(sums.filter(([, sum]) => sum !== 0n))
