/**
 * The fixture of the mechanisms' and the pipeline's tests: a made-up service `tally` that counts what it reads in the log of
 * another one, `upstream`. The same world opens over PostgreSQL and over memory.
 *
 *   const world = await openWorld('postgres')             // a database of its own, migrated; afterAll(world.close)
 *   await send(world.upstream, added('a', 1))             // appended and committed in the log of upstream
 *   const pipeline = makePipeline(world.tally, tallyService())
 *   await world.tally.rows(counters)                      // what is committed, by key
 *
 * A second process is `await world.connect()`: the same database through connections of its own.
 */
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { memoryGroups } from '../consumer/memory.ts'
import type { GroupReader } from '../consumer/port.ts'
import { postgresGroups } from '../consumer/postgres.ts'
import { systemClock, systemTimers, type Clock, type Timers } from '../core/clock.ts'
import { systemRandom } from '../core/prng.ts'
import { MemoryDatabase } from '../database/memory.ts'
import { createPool, type Pool } from '../database/pool.ts'
import { integer, json, nullable, snakeCase, table, text, type Table } from '../database/table.ts'
import { memoryLogReader } from '../log/memory.ts'
import { message, type MessageType, type NewMessage } from '../log/message.ts'
import type { LogReader } from '../log/port.ts'
import { ensureLanes, postgresLogReader } from '../log/postgres.ts'
import { memoryActionReader } from '../operator/memory.ts'
import type { ActionReader } from '../operator/port.ts'
import { postgresActionReader } from '../operator/postgres.ts'
import { memoryTaskQueue } from '../task/memory.ts'
import type { TaskQueue } from '../task/port.ts'
import { postgresTaskQueue } from '../task/postgres.ts'
import { accept, on, onCommand, reject, type Rows } from './decision.ts'
import { derivedId } from './derive.ts'
import { memoryTransactions } from './memory.ts'
import { Pipeline, type PipelineOptions } from './pipeline.ts'
import { postgresTransactions } from './postgres.ts'
import { router, type ServiceDefinition } from './service.ts'
import type { Transactions } from './unit-of-work.ts'

export type Kind = 'postgres' | 'memory'

/** What a service needs of its storage. */
export interface Site {
  readonly schema: string
  readonly transactions: Transactions
  readonly groups: GroupReader
  readonly queue: TaskQueue
  readonly actions: ActionReader
  /** Its own log. */
  readonly log: LogReader
  /** The committed rows of a table, by key. */
  rows<Row extends object>(table: Table<Row>): Promise<Row[]>
}

/** Both services through one process's connections. */
export interface Sites {
  readonly upstream: Site
  readonly tally: Site
  close(): Promise<void>
}

export interface World extends Sites {
  readonly kind: Kind
  readonly lanes: number
  /** Undefined over memory. */
  readonly url: string | undefined
  /** Undefined over PostgreSQL. */
  readonly memory: MemoryDatabase | undefined
  /** One statement of an administrator, outside every pool. PostgreSQL only. */
  sql(text: string, values?: unknown[]): Promise<Record<string, any>[]>
  /** Takes messages out of upstream's log, as a restored backup or a lost file does, and tells the lane's head. */
  damage(lane: number, damage: { drop: (position: number) => boolean; head?: number }): Promise<void>
  /** Empties every table, which is quicker than another world. PostgreSQL only; nothing may be under way. */
  reset(): Promise<void>
  /** Another process over the same data; `url` leads to the same database by another way (a proxy). */
  connect(url?: string): Promise<Sites>
}

export interface WorldOptions {
  /** Defaults to 8. */
  readonly lanes?: number
  /** Tables of tally besides `counters`, in lock order, and the SQL that makes them. */
  readonly extra?: { readonly tables: readonly Table<object>[]; readonly sql: string }
  /** For memory; default to the system's. */
  readonly clock?: Clock
  readonly timers?: Timers
}

// The service's own domain.

export const counters = table('counters', {
  key: 'key',
  columns: {
    key: text,
    /** Sum of the amounts. */
    value: integer,
    /** No two counters wear the same. */
    badge: nullable(text),
    /** The `seq` of what was applied, in order: shows what was lost, doubled or overtaken. */
    history: json<readonly number[]>(),
  },
  unique: { badge: ['badge'] },
  checks: { value: (row) => row.value >= 0 },
})

const countersSql = `CREATE TABLE tally.counters (
  key text PRIMARY KEY, value int8 NOT NULL, badge text, history json NOT NULL,
  CONSTRAINT counters_value CHECK (value >= 0), CONSTRAINT counters_badge UNIQUE (badge))`

export type Counter = { key: string; value: number; badge: string | null; history: readonly number[] }

export interface Addition {
  readonly key: string
  /** Numbers what is sent to one counter. */
  readonly seq: number
  readonly amount: number
  readonly badge?: string
}

/** Without a schema: nothing here validates, and the processes that tests start would wait longest for typebox. */
const keyed = <Data extends { readonly key: string }>(type: string) =>
  message(type, 'key', undefined as never) as unknown as MessageType<Data>

/** Upstream says: add `amount` to the counter `key`. A sum below zero is refused by the declared check, a badge that is taken by the database; neither by the decision. */
export const Added = keyed<Addition>('Added')
/** Tally says, for each `Added` it applied. */
export const Counted = keyed<{ readonly key: string; readonly seq: number; readonly value: number }>('Counted')
/** Nobody handles this. */
export const Chatter = keyed<{ readonly key: string }>('Chatter')

export const added = (key: string, seq: number, rest: Partial<Addition> = {}): NewMessage =>
  Added({ key, seq, amount: 1, ...rest })

export interface TallyOptions {
  /** Throws for what is poison. Asked at each decision, so a test can cure it. */
  readonly inspect?: (addition: Addition) => void
  readonly tables?: readonly Table<object>[]
  readonly tasks?: ServiceDefinition['tasks']
  readonly commands?: ServiceDefinition['commands']
}

/** Handles the message `Added` and the command `Add`, which it rejects with `too-much` above 1,000 at once. */
export function tallyService({ inspect, tables, tasks, commands }: TallyOptions = {}): ServiceDefinition {
  const lock = ({ key }: Addition) => [counters.key(key)]
  const decide = (addition: Addition, rows: Rows) => {
    inspect?.(addition)
    if (addition.amount > 1000) return reject('too-much', `${addition.amount} is more than 1000`)
    const { key, seq, amount, badge } = addition
    const before = rows.get(counters, key)
    const value = (before?.value ?? 0) + amount
    const row = { key, value, badge: badge ?? before?.badge ?? null, history: [...(before?.history ?? []), seq] }
    const changes = [before ? counters.update(row) : counters.insert(row)]
    return accept({ changes, messages: [Counted({ key, seq, value })], reply: { value } })
  }
  return {
    name: 'tally',
    tables: tables ?? [counters],
    commands: commands ?? [onCommand<Addition>('Add', { lock, decide })],
    messages: [on(Added, { lock, decide })],
    tasks: tasks ?? [],
  }
}

export function makePipeline(site: Site, definition: ServiceDefinition, rest: Partial<PipelineOptions> = {}): Pipeline {
  return new Pipeline({
    transactions: site.transactions,
    tables: definition.tables,
    handler: router(definition),
    timers: systemTimers,
    random: systemRandom,
    ...rest,
  })
}

let sent = 0

/** Appends messages to a site's log in one committed transaction. Their ids are new each time. */
export async function send(site: Site, ...messages: readonly NewMessage[]): Promise<void> {
  const work = await site.transactions.begin()
  const at = await work.begun
  const causeId = `sent-${process.pid}-${sent++}`
  const pending = messages.map((m, i) => ({
    ...m,
    id: derivedId(causeId, 'message', i),
    requestId: causeId,
    causeId,
    at,
  }))
  await Promise.all([work.log.append(pending), work.commit()])
}

/** Everything in a site's log, lane by lane. */
export async function wholeLog(site: Site): Promise<Awaited<ReturnType<LogReader['read']>>> {
  const lanes = await site.log.heads()
  return site.log.read(
    lanes.map(({ lane }) => ({ lane, from: 1 })),
    1_000_000,
  )
}

/** Polls until `check` gives something true; an error once `limitMs` are over. */
export async function until<T>(what: string, check: () => T | Promise<T>, limitMs = 8000): Promise<T> {
  const end = systemClock.monotonic() + limitMs
  for (;;) {
    const result = await check()
    if (result) return result
    if (systemClock.monotonic() > end) throw new Error(`Not within ${limitMs} ms: ${what}`)
    await systemTimers.sleep(5)
  }
}

// Opening worlds.

export function openWorld(kind: Kind, options: WorldOptions = {}): Promise<World> {
  return kind === 'postgres' ? openPostgres(options) : Promise.resolve(openMemory(options))
}

function openMemory({ lanes = 8, clock = systemClock, timers = systemTimers }: WorldOptions): World {
  const database = new MemoryDatabase({ clock, timers })
  const site = (schema: string): Site => ({
    schema,
    transactions: memoryTransactions(database, schema, lanes),
    groups: memoryGroups(database, schema),
    queue: memoryTaskQueue(database, schema),
    actions: memoryActionReader(database, schema),
    log: memoryLogReader(database, schema, lanes),
    rows: async <Row extends object>(of: Table<Row>) =>
      ([...database.committed(`${schema}.${of.name}`).values()] as Row[]).toSorted((a, b) =>
        of.keyOf(a) < of.keyOf(b) ? -1 : 1,
      ),
  })
  const sites = { upstream: site('upstream'), tally: site('tally'), close: async () => undefined }
  const damage: World['damage'] = async (lane, { drop, head }) => {
    const messages = database.committed(`upstream.messages.${lane}`)
    for (const position of messages.keys()) if (drop(Number(position))) messages.delete(position)
    if (head !== undefined) database.committed('upstream.lanes').set(String(lane), { lane, head })
  }
  return {
    ...sites,
    kind: 'memory',
    lanes,
    url: undefined,
    connect: async () => sites,
    damage,
    memory: database,
    sql: () => Promise.reject(new Error('A world in memory has no SQL')),
    reset: () => Promise.reject(new Error('Open another world instead')),
  }
}

const kitMigrations = { name: 'kit', directory: fileURLToPath(new URL('../database/migrations', import.meta.url)) }

async function openPostgres({ lanes = 8, extra }: WorldOptions): Promise<World> {
  // Loaded here, because a process that a test starts needs none of it and should start quickly.
  const { withTemplate } = await import('../database/testing.ts')
  const { migrateAll } = await import('../database/migrate.ts')
  const { silentLogger } = await import('../telemetry/logger.ts')
  const database = await withTemplate('kit tally 1', async (url) => {
    const schemas = ['upstream', 'tally'].map((schema) => ({ schema, sets: [kitMigrations] }))
    await migrateAll(url, schemas, silentLogger())
    await administer(url, countersSql)
  })
  if (extra) await administer(database.url, extra.sql)
  const tables = [...tallyService().tables, ...(extra?.tables ?? [])]
  const sites = await connectSites(database.url, lanes, tables)
  const administrator = new pg.Client({ connectionString: database.url })
  await administrator.connect()
  const sql = async (statement: string, values: unknown[] = []) => (await administrator.query(statement, values)).rows
  return {
    ...sites,
    kind: 'postgres',
    lanes,
    url: database.url,
    memory: undefined,
    sql,
    async damage(lane, { drop, head }) {
      const rows = await sql('SELECT position::int FROM upstream.messages WHERE lane = $1', [lane])
      const dropped = rows.map(({ position }) => position as number).filter(drop)
      await sql('DELETE FROM upstream.messages WHERE lane = $1 AND position = ANY($2)', [lane, dropped])
      if (head !== undefined) await sql('UPDATE upstream.lanes SET head = $2 WHERE lane = $1', [lane, head])
    },
    reset: async () => void (await sql(resetSql)),
    connect: (url = database.url) => connectSites(url, lanes, tables),
    async close() {
      await administrator.end()
      await sites.close()
      await database.drop()
    },
  }
}

const resetSql = `DO $$
  DECLARE names text;
  BEGIN
    SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO names FROM pg_tables
      WHERE schemaname IN ('upstream', 'tally') AND tablename <> 'lanes' AND tablename NOT LIKE 'migrations%';
    EXECUTE 'TRUNCATE ' || names;
    UPDATE upstream.lanes SET head = 0, trimmed = 0;
    UPDATE tally.lanes SET head = 0, trimmed = 0;
  END $$`

/** Pools of one process. Exported for processes that a test starts. */
export async function connectSites(url: string, lanes: number, tables = tallyService().tables): Promise<Sites> {
  const pool = createPool({ url: () => url, purpose: 'pipeline', size: 16 })
  const reads = createPool({ url: () => url, purpose: 'read', size: 8 })
  const [upstream, tally] = await Promise.all(['upstream', 'tally'].map((schema) => site(schema)))
  return {
    upstream: upstream!,
    tally: tally!,
    close: async () => void (await Promise.all([pool.close(), reads.close()])),
  }

  async function site(schema: string): Promise<Site> {
    await ensureLanes(reads, schema, lanes)
    return {
      schema,
      transactions: postgresTransactions({ pool, schema, tables, lanes, timers: systemTimers }),
      groups: postgresGroups(reads, schema),
      queue: postgresTaskQueue(reads, schema),
      actions: postgresActionReader(reads, schema),
      log: postgresLogReader(reads, schema),
      rows: <Row extends object>(of: Table<Row>) => readAll(reads, schema, of),
    }
  }
}

function readAll<Row>(pool: Pool, schema: string, of: Table<Row & object>): Promise<Row[]> {
  const columns = Object.keys(of.columns).map((name) => `${snakeCase(name)} AS "${name}"`)
  const sql = `SELECT ${columns.join(', ')} FROM ${schema}.${of.name} ORDER BY ${snakeCase(of.keyColumn)} COLLATE "C"`
  return pool.query<Row>({ name: `${schema}.${of.name}.all`, text: sql }, [])
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
