/**
 * Products, stock and customers for a demonstration. Products are used again and restocked; customers belong to one run, except
 * alice, who can always pay for an order by hand.
 */
import { customer } from '../http/tokens.ts'
import { Refused } from '../http/problem.ts'
import type { Api } from '../http/api.ts'
import { concurrently } from './concurrently.ts'
import type { Plan } from './plan.ts'

export interface Preparation {
  readonly api: Api
  readonly plan: Plan
  /** Names this run in customers and keys. */
  readonly run: string
  readonly concurrency: number
}

const currency = 'EUR'
/** What alice has at least after a demonstration. */
const ALICE_HAS = 20_000

export const customerName = (run: string, index: number): string => `demo-${run}-${String(index + 1).padStart(3, '0')}`

export async function prepare({ api, plan, run, concurrency }: Preparation): Promise<void> {
  await concurrently(plan.products, concurrency, async ({ sku, name, amount, available }) => {
    const product = await api.putProduct(sku, { name, price: { amount, currency } })
    const delta = available - product.available
    if (delta !== 0) await restock(api, sku, delta, `demo-${run}-stock-${sku}`)
  })
  await concurrently(plan.deposits, concurrency, async (amount, index) => {
    const id = customerName(run, index)
    await api.openAccount(customer(id), currency, `${id}-open`)
    await api.deposit(id, { amount, currency, reference: `demo ${run}` }, `${id}-deposit`)
  })
  await fundAlice(api, run)
}

/** Others may be ordering meanwhile: stock that has been reserved since cannot be taken, and need not be. */
async function restock(api: Api, sku: string, delta: number, key: string): Promise<void> {
  try {
    await api.adjustStock(sku, { delta, reason: 'demo' }, key)
  } catch (error) {
    if (!isProblem(error, 'stock-reserved')) throw error
  }
}

async function fundAlice(api: Api, run: string): Promise<void> {
  const id = 'alice'
  try {
    await api.openAccount(customer(id), currency, `demo-${run}-${id}-open`)
  } catch (error) {
    if (!isProblem(error, 'account-exists')) throw error
  }
  const wallet = await api.account(id)
  const missing = ALICE_HAS - wallet.balance
  if (wallet.currency !== currency || missing <= 0) return // She has other money: hers to spend.
  await api.deposit(id, { amount: missing, currency, reference: `demo ${run}` }, `demo-${run}-${id}-deposit`)
}

const isProblem = (error: unknown, code: string): boolean => error instanceof Refused && error.problem.code === code
