/**
 * Project 1, “API + DB”: orders and payments behind one HTTP API, over one database, and every request is one transaction. Its tour is
 * docs/guides/project-1.md.
 *
 *   npx cauce up --project 1
 */
import { systemTimers } from '@cauce/kit/core/clock'
import { createPool } from '@cauce/kit/database/pool'
import { passingProblem } from '@cauce/kit/http/problem'
import { copyPrice } from '@cauce/orders/decide'
import { deposit, openAccount, transfer } from '@cauce/payments/decide-accounts'
import { cardProcessor, charge, declined, type CardProcessor, type Charge } from '../common/charge.ts'
import { shopRoutes } from '../common/http.ts'
import { writePrices } from '../common/prices.ts'
import { runProject } from '../common/program.ts'
import { placeOrder, type ChargeNow } from './place-order.ts'
import { runInOneTransaction } from './transaction.ts'

/** As many requests as can be in a transaction at a time. Others wait, 3 s at most. */
const CONNECTIONS = 5
/** Tries of one request, all under the same key. */
const MOST_CHARGES = 3

await runProject(
  { project: 1, services: ['api'] },
  async ({ databaseUrl, sandboxUrl, metrics, reads, app, closing }) => {
    const pool = createPool({ url: databaseUrl, purpose: 'pipeline', size: CONNECTIONS })
    closing(() => pool.close())
    const chargeNow = chargingWith(cardProcessor(sandboxUrl, metrics))
    const actions = [placeOrder(chargeNow), openAccount, deposit, transfer, copyPrice]
    const options = { pool, timers: systemTimers, actions }
    const queue = { submit: runInOneTransaction.bind(undefined, options) }
    await writePrices(queue)
    shopRoutes(app, { queue, reads, placed: 201 })
  },
)

function chargingWith(card: CardProcessor): ChargeNow {
  return async (ask, { inputId, requestId }) => {
    let reason = ''
    for (let tries = 1; tries <= MOST_CHARGES; tries++) {
      const outcome = await charge(card, ask, { key: inputId, requestId, signal: AbortSignal.timeout(10_000) })
      if (outcome.kind === 'done') return outcome.result as Charge
      if (outcome.kind === 'cancel') return { key: inputId, authorization: declined(outcome.reason) }
      if (outcome.kind === 'retry') ({ reason } = outcome)
    }
    // Whatever it has done: here nothing has happened, and nothing remembers.
    throw passingProblem('too-busy', `The card processor has not said whether it charged: ${reason}`, 1)
  }
}
