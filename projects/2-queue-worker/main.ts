/**
 * Project 2, “MQ + worker”: an order is stored and put into a queue in one transaction, and answered 202; a worker pays it later. Both
 * run in one process, or each in its own. Its tour is docs/guides/project-2.md.
 *
 *   npx cauce up --project 2
 *   npx cauce up --project 2 --services api
 *   npx cauce up --project 2 --services worker --port 8081
 */
import { systemTimers } from '@cauce/kit/core/clock'
import { systemRandom } from '@cauce/kit/core/prng'
import { postgresGroups } from '@cauce/kit/consumer/postgres'
import { startNotifier } from '@cauce/kit/database/notify'
import { createPool } from '@cauce/kit/database/pool'
import { transactionsOver } from '@cauce/kit/pipeline/postgres'
import { startService } from '@cauce/kit/pipeline/service'
import { postgresTaskQueue } from '@cauce/kit/task/postgres'
import { copyPrice } from '@cauce/orders/decide'
import { deposit, openAccount, transfer } from '@cauce/payments/decide-accounts'
import { cardProcessor } from '../common/charge.ts'
import { shopRoutes } from '../common/http.ts'
import { writePrices } from '../common/prices.ts'
import { runProject } from '../common/program.ts'
import { rowsOfBoth, SHOP, tables } from '../common/tables.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { payOrder, placeOrder } from './decide.ts'
import { effects, observe } from './worker.ts'

await runProject({ project: 2, services: ['api', 'worker'] }, async (stage) => {
  const { config, databaseUrl, sandboxUrl, logger, metrics, reads, app, closing } = stage
  const pool = createPool({ url: databaseUrl, purpose: 'pipeline', size: 8 })
  closing(() => pool.close())
  const service = startService({
    definition: {
      name: SHOP,
      tables,
      commands: [placeOrder, openAccount, deposit, transfer, copyPrice],
      messages: [],
      tasks: config.services.includes('worker') ? [payOrder] : [],
    },
    storage: {
      // One log lane, because every service has a log: nothing is said into it, and nobody reads one.
      transactions: transactionsOver(rowsOfBoth(), { pool, schema: SHOP, lanes: 1, timers: systemTimers }),
      groups: postgresGroups(pool, SHOP),
      queue: postgresTaskQueue(pool, SHOP),
    },
    readers: [],
    effects: effects(cardProcessor(sandboxUrl, metrics)),
    timers: systemTimers,
    random: systemRandom,
    leaseMs: config.leaseMs,
    observer: observe(logger, metrics, () => notifier.notify(SHOP)),
  })
  closing(() => service.stop())
  // A worker in another process hears of a job at once. It would find it by itself too, within seconds.
  const onWake = () => service.taskWake.notify()
  const notifier = startNotifier({ url: databaseUrl, timers: systemTimers, onWake })
  closing(() => notifier.close())
  if (!config.services.includes('api')) return
  await writePrices(service.commands)
  shopRoutes(app, { queue: service.commands, reads, placed: 202 })
  const wake = () => {
    onWake()
    notifier.notify(SHOP)
  }
  deadLetterRoutes(app, { queue: postgresTaskQueue(reads, SHOP), transactions: service.storage.transactions, wake })
})
