/** The whole service over PostgreSQL: a log of orders on one side, HTTP on the other. */
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemTimers } from '@cauce/kit/core/clock'
import { systemIds } from '@cauce/kit/core/id-source'
import { systemRandom } from '@cauce/kit/core/prng'
import { migrate } from '@cauce/kit/database/migrate'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { compareWithSchema } from '@cauce/kit/database/table-schema'
import { dearUpdates } from '@cauce/kit/database/testing-tables'
import { testServer, type TestServer } from '@cauce/kit/http/testing'
import type { NewMessage } from '@cauce/kit/log/message'
import { ensureLanes, postgresLogReader } from '@cauce/kit/log/postgres'
import type { Result } from '@cauce/kit/pipeline/input'
import { postgresTransactions } from '@cauce/kit/pipeline/postgres'
import { startService, type RunningService } from '@cauce/kit/pipeline/service'
import { until } from '@cauce/kit/pipeline/testing'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { inTransaction } from '@cauce/kit/pipeline/unit-of-work'
import { silentLogger } from '@cauce/kit/telemetry/logger'
import { OrderCompleted, OrderCreated } from '@cauce/orders/contract'
import { loyalty, loyaltyRoutes, migrations } from './service.ts'
import { tables } from './tables.ts'

const lanes = 4
const kit = fileURLToPath(new URL('../../kit/database/migrations', import.meta.url))

let database: ServiceDatabase
let ordersPool: Pool
let server: TestServer
let running: RunningService
/** What went wrong: nothing may. */
const failures: Error[] = []
const errorsOf = (results: readonly Result[]) => results.flatMap((each) => (each.kind === 'aside' ? [each.error] : []))

beforeAll(async () => {
  database = await openService(loyalty, migrations)
  const { url, storage } = database
  await migrate({ url, schema: 'orders', sets: [{ name: 'kit', directory: kit }], logger: silentLogger() })
  ordersPool = createPool({ url, purpose: 'pipeline', size: 2 })
  await ensureLanes(ordersPool, 'orders', lanes)
  await storage.groups.ensure('loyalty', ['orders'], lanes)
  running = start()
  server = await testServer()
  loyaltyRoutes(server.app, { queue: running.commands, ids: systemIds, reads: database.reads })
})
afterEach(() => expect(failures).toEqual([]))
afterAll(async () => {
  await server.close()
  await running.stop()
  await ordersPool.close()
  await database.close()
})

const start = () =>
  startService({
    definition: loyalty,
    storage: database.storage,
    readers: [postgresLogReader(ordersPool, 'orders')],
    effects: [],
    observer: {
      onError: (_where, error) => failures.push(error),
      onCommit: ({ results }) => failures.push(...errorsOf(results)),
    },
    timers: systemTimers,
    random: systemRandom,
  })

/** What orders says, in its own log. */
async function say(...messages: readonly NewMessage[]): Promise<void> {
  const transactions = postgresTransactions({
    pool: ordersPool,
    schema: 'orders',
    tables: [],
    lanes,
    timers: systemTimers,
  })
  const origin = { requestId: 'req-1', causeId: 'test', at: 0 }
  await inTransaction(transactions, async ({ log }) => {
    await log.append(messages.map((message) => ({ ...message, ...origin, id: systemIds.draw() })))
  })
  running.consumerWake.notify()
}

const orderOf = (n: number, customer: string, amount: number): NewMessage[] => {
  const orderId = `ord_${n}`
  return [OrderCreated({ orderId, customer, amount, currency: 'EUR' }), OrderCompleted({ orderId })]
}

async function pointsOf(who: string): Promise<number> {
  const answer = await server.app.inject({ url: `/v1/members/${who}`, headers: await server.as(who) })
  return answer.statusCode === 200 ? answer.json().points : 0
}

async function spend(who: string, points: number, key: string, of = who) {
  const headers = { ...(await server.as(who)), 'idempotency-key': key }
  return server.app.inject({
    method: 'POST',
    url: `/v1/members/${of}/spend`,
    headers,
    payload: { points, reason: 'a mug' },
  })
}

test('the migrated schema is what the tables declare, and updates stay on their page', async () => {
  expect(await compareWithSchema(database.reads, 'loyalty', tables)).toEqual([])
  expect(await dearUpdates(database.sql, 'loyalty', tables)).toEqual([])
})

describe('points', () => {
  test('come from the log of orders, once, also when the service is stopped in between and reads again', async () => {
    await say(...[1, 2, 3].flatMap((n) => orderOf(n, 'alice', 1000)))
    await until('alice has her points', async () => (await pointsOf('alice')) === 30)
    await running.stop()
    running = start()
    await say(...orderOf(4, 'alice', 500), OrderCompleted({ orderId: 'ord_1' }))
    await until('and the new ones', async () => (await pointsOf('alice')) >= 35)
    const [caughtUp] = await database.sql(
      `SELECT bool_and(l.head = c.position) AS yes FROM orders.lanes l JOIN loyalty.cursors c USING (lane)`,
    )
    expect([await pointsOf('alice'), caughtUp]).toEqual([35, { yes: true }])
    const said = await database.sql(`SELECT type, count(*)::int AS times FROM loyalty.messages GROUP BY type`)
    expect(said).toEqual([{ type: 'PointsEarned', times: 4 }])
  })

  test('are spent once per key, by whoever has them', async () => {
    await say(...orderOf(10, 'bob', 2000))
    await until('bob has his points', async () => (await pointsOf('bob')) === 20)
    const [first, second] = await Promise.all([spend('bob', 15, 'mug-1'), spend('bob', 15, 'mug-1')])
    expect([first.statusCode, first.body]).toEqual([200, second.body])
    expect(first.json()).toEqual({ id: 'bob', points: 5, version: 2 })
    expect([first, second].filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(1)
    expect(await pointsOf('bob')).toBe(5)
    const more = await spend('bob', 15, 'mug-2')
    expect([more.statusCode, more.json().code]).toEqual([409, 'too-few-points'])
    expect((await spend('mallory', 1, 'mug-3', 'bob')).statusCode).toBe(404)
  })
})
