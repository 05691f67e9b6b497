/**
 * A service over a PostgreSQL of its own, for the tests of its views, routes and races.
 *
 *   const database = await openService(inventory, migrations)        // afterAll(database.close)
 *   await database.submit(ReserveStock({ orderId, lines }))          // decided and committed; the decision
 *   await database.sql('UPDATE …')                                   // an administrator's statement
 */
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { postgresGroups } from '../consumer/postgres.ts'
import { systemTimers } from '../core/clock.ts'
import { systemIds } from '../core/id-source.ts'
import { systemRandom } from '../core/prng.ts'
import { migrate } from '../database/migrate.ts'
import { createPool, type Pool } from '../database/pool.ts'
import { withTemplate } from '../database/testing.ts'
import { ensureLanes } from '../log/postgres.ts'
import { postgresTaskQueue } from '../task/postgres.ts'
import { silentLogger } from '../telemetry/logger.ts'
import { CommandQueue } from './commands.ts'
import type { Decision } from './decision.ts'
import { Pipeline } from './pipeline.ts'
import { postgresTransactions } from './postgres.ts'
import { router, type ServiceDefinition, type Storage } from './service.ts'

const LANES = 4

export interface ServiceDatabase {
  readonly url: string
  /** With the settings of an audit. */
  readonly reads: Pool
  /** For `startService`. */
  readonly storage: Storage
  /** Takes commands, and messages as if they were some. */
  readonly queue: CommandQueue
  /**
   * Decides an input in a transaction shared with whatever else is submitted meanwhile. Calls take turns on three queues, which
   * compete for the rows as three processes would.
   */
  submit(input: { readonly type: string; readonly data: unknown }): Promise<Decision>
  sql(text: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

export async function openService(definition: ServiceDefinition, migrations: URL): Promise<ServiceDatabase> {
  const { name: schema, tables, commands, messages } = definition
  const database = await withTemplate(`service ${schema}`, async (url) => {
    const kit = { name: 'kit', directory: fileURLToPath(new URL('../database/migrations', import.meta.url)) }
    const own = { name: schema, directory: fileURLToPath(migrations) }
    await migrate({ url, schema, sets: [kit, own], logger: silentLogger() })
  })
  const { url } = database
  const pool = createPool({ url, purpose: 'pipeline', size: 8 })
  const reads = createPool({ url, purpose: 'audit', size: 2 })
  const administrator = new pg.Client({ connectionString: url })
  await administrator.connect()
  await ensureLanes(reads, schema, LANES)
  const transactions = postgresTransactions({ pool, schema, tables, lanes: LANES, timers: systemTimers })
  const handler = router({ ...definition, commands: [...commands, ...messages] })
  const startQueue = () =>
    new CommandQueue(new Pipeline({ transactions, tables, handler, timers: systemTimers, random: systemRandom }))
  const queues = [startQueue(), startQueue(), startQueue()] as const
  let turn = 0
  return {
    url,
    reads,
    storage: { transactions, groups: postgresGroups(pool, schema), queue: postgresTaskQueue(pool, schema) },
    queue: queues[0],
    async submit({ type, data }) {
      const render = () => ({ status: 200, headers: {}, body: '' })
      const command = { id: systemIds.draw(), type, data, requestId: 'req-test', render }
      const answer = await queues[turn++ % queues.length]!.submit(command)
      if (answer.kind !== 'answered' || !answer.decision) throw new Error(`${type} was not decided`)
      return answer.decision
    },
    sql: async (text) => (await administrator.query(text)).rows as Record<string, unknown>[],
    async close() {
      await administrator.end()
      await Promise.all([pool.close(), reads.close()])
      await database.drop()
    },
  }
}
