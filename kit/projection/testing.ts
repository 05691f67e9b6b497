/**
 * A shop for the tests of projections: a table of items with a log that tells of each change, and two views of it, one seeded
 * from the table, one made from the log alone.
 */
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { systemClock, systemTimers } from '../core/clock.ts'
import { systemIds } from '../core/id-source.ts'
import { systemRandom } from '../core/prng.ts'
import { Signal } from '../core/signal.ts'
import { migrate } from '../database/migrate.ts'
import { createPool, type Pool } from '../database/pool.ts'
import { withTemplate } from '../database/testing.ts'
import { beginTransaction } from '../database/transaction.ts'
import { ensureLanes, postgresLog, postgresLogReader } from '../log/postgres.ts'
import { silentLogger } from '../telemetry/logger.ts'
import { projection, type Projection } from './definition.ts'
import { viewReader, type ViewReader } from './reader.ts'
import { Runner, runProjection, type ProjectionObserver, type RunnerOptions } from './runner.ts'

export const SCHEMA = 'shop'
export const LANES = 4

/** One row per item, seeded from the items. */
export const itemList = projection({
  name: 'item-list',
  version: 1,
  sources: [SCHEMA],
  tables: [
    {
      name: 'item_list',
      columns: 'id text PRIMARY KEY, status text NOT NULL, version int8 NOT NULL',
      indexes: ['status, id'],
    },
  ],
  statements: {
    refresh: ({ item_list }) => `
      INSERT INTO ${item_list} AS v (id, status, version) SELECT id, status, version FROM shop.items WHERE id = ANY($1::text[])
      ON CONFLICT (id) DO UPDATE SET status = excluded.status, version = excluded.version WHERE excluded.version > v.version`,
  },
  async apply(messages, run) {
    await run('refresh', [[...new Set(messages.map(({ key }) => key))]])
  },
  seed: {
    count: 'SELECT count(*) AS total FROM shop.items',
    copy: ({ item_list }) => `
      WITH chunk AS (SELECT id, status, version FROM shop.items WHERE id > $1 ORDER BY id LIMIT $2), copied AS (
        INSERT INTO ${item_list} AS v (id, status, version) SELECT id, status, version FROM chunk
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, version = excluded.version WHERE excluded.version > v.version
      )
      SELECT count(*) AS rows, max(id) AS last FROM chunk`,
  },
})

/** One row per message, and a count in a second statement: applied twice, or half, and it shows. */
export const itemHistory = projection({
  name: 'item-history',
  version: 1,
  sources: [SCHEMA],
  tables: [
    {
      name: 'item_history',
      columns: 'id text NOT NULL, lane int NOT NULL, position int8 NOT NULL, PRIMARY KEY (id, lane, position)',
    },
    { name: 'item_counts', columns: 'id text PRIMARY KEY, messages int8 NOT NULL' },
  ],
  statements: {
    add: ({ item_history }) =>
      `INSERT INTO ${item_history} (id, lane, position) SELECT * FROM unnest($1::text[], $2::int[], $3::int8[])`,
    count: ({ item_counts }) => `
      INSERT INTO ${item_counts} AS c (id, messages) SELECT id, count(*) FROM unnest($1::text[]) AS m(id) GROUP BY id
      ON CONFLICT (id) DO UPDATE SET messages = c.messages + excluded.messages`,
  },
  async apply(messages, run) {
    const ids = messages.map(({ key }) => key)
    if (ids.includes('poison')) throw new Error('this is poison')
    await run('add', [ids, messages.map(({ lane }) => lane), messages.map(({ position }) => position)])
    await run('count', [ids])
  },
})

export interface Shop {
  readonly url: string
  readonly pool: Pool
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Changes items and tells of it, in one transaction. */
  change(status: string, ...ids: readonly string[]): Promise<void>
  options(definition: Projection, observer?: ProjectionObserver): RunnerOptions
  reader(definition: Projection): ViewReader
  close(): Promise<void>
}

export async function openShop(): Promise<Shop> {
  const database = await withTemplate('projection shop', async (url) => {
    const directory = fileURLToPath(new URL('../database/migrations', import.meta.url))
    await migrate({ url, schema: SCHEMA, sets: [{ name: 'kit', directory }], logger: silentLogger() })
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query('CREATE TABLE shop.items (id text PRIMARY KEY, status text NOT NULL, version int8 NOT NULL)')
    await client.end()
  })
  return { ...(await connectShop(database.url)), close: () => database.drop() }
}

export async function connectShop(url: string): Promise<Shop> {
  const pool = createPool({ url, purpose: 'pipeline', size: 8 })
  await ensureLanes(pool, SCHEMA, LANES)
  const log = postgresLog(SCHEMA, LANES)
  const administrator = createPool({ url, purpose: 'audit', size: 1 })
  const items = {
    name: 'items',
    text: `INSERT INTO shop.items AS i (id, status, version) SELECT id, $1, 1 FROM unnest($2::text[]) AS n(id)
           ON CONFLICT (id) DO UPDATE SET status = excluded.status, version = i.version + 1`,
  }
  return {
    url,
    pool,
    async sql(text, values = []) {
      const client = await administrator.acquire()
      try {
        return (await client.query(text, values)).rows as Record<string, unknown>[]
      } finally {
        client.release()
      }
    },
    async change(status, ...ids) {
      const tx = await beginTransaction(pool, systemTimers)
      const at = await tx.begun
      await tx.write(items, [status, ids.toSorted()])
      const told = { type: 'Changed', data: { status }, requestId: 'r', causeId: 'c', at }
      await log(tx).append(ids.map((key) => ({ ...told, key, id: systemIds.draw() })))
      await tx.commit()
    },
    options: (definition, observer) => ({
      pool,
      schema: SCHEMA,
      definition,
      readers: [postgresLogReader(pool, SCHEMA)],
      clock: systemClock,
      timers: systemTimers,
      random: systemRandom,
      wake: new Signal(systemTimers),
      ...(observer ? { observer } : {}),
    }),
    reader: (definition) => viewReader({ pool, schema: SCHEMA, definition, clock: systemClock }),
    close: async () => void (await Promise.all([pool.close(), administrator.close()])),
  }
}

/** Turns until a turn finds nothing to do. */
export async function settle(runner: Runner): Promise<void> {
  for (let turns = 0; (await runner.turn()).worked; turns++)
    if (turns > 500) throw new Error('It does not come to rest')
}

/** A runner on its own, as in a server. */
export function start(options: RunnerOptions): { wake(): void; stop(): Promise<void> } {
  const stopping = new AbortController()
  const running = runProjection(options, stopping.signal)
  return {
    wake: () => options.wake.notify(),
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** Looks until it holds, at most 15 s. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + 15_000
  while (!(await holds())) {
    if (systemClock.monotonic() > end) throw new Error(`It did not come about: ${what}`)
    await systemTimers.sleep(10)
  }
}
