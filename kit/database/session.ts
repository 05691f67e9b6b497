/**
 * One PostgreSQL connection in pipeline mode. `query` sends at once and resolves in order, so statements issued without
 * awaiting each other travel in one flush and cost one round trip.
 *
 * Values out: int8 as a number (refused beyond the safe range), timestamptz as milliseconds, json parsed.
 */
import type { Duplex } from 'node:stream'
import pg from 'pg'

/** A named, prepared statement. The name must be unique per text within a connection; `$schema.name` by custom. */
export interface Statement {
  readonly name: string
  readonly text: string
}

export type Value = string | number | boolean | null | readonly (string | number | boolean | null)[]

const INT8 = 20
const TIMESTAMPTZ = 1184
const NUMERIC = 1700

function parseInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} does not fit a safe integer`)
  return value
}

/** '2026-01-02 03:04:05.678+00' (sessions run in UTC) → milliseconds. */
function parseInstant(text: string): number {
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11, text.length - 3)}Z`)
}

type Parser = (value: string) => unknown

const defaultParser = pg.types.getTypeParser as (oid: number, format: 'text' | 'binary') => Parser

const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: string) {
    if (format === 'binary') return defaultParser(oid, 'binary')
    if (oid === INT8 || oid === NUMERIC) return parseInteger
    if (oid === TIMESTAMPTZ) return parseInstant
    return defaultParser(oid, 'text')
  },
}

/** Applies to every connection of ours: UTC, short waits, and keepalives that notice a dead peer within a minute. */
const common = [
  'TimeZone=UTC',
  'lock_timeout=2s',
  'tcp_keepalives_idle=10',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=3',
]

/**
 * Pipeline statements are key look-ups over arrays. Generic plans spare planning; the planner's other join methods are
 * switched off because on tables that were never analysed it chooses them and scans (measured: 1,400 to 81 orders/s).
 */
const pipelineSettings = [
  ...common,
  'statement_timeout=5s',
  'idle_in_transaction_session_timeout=2s',
  'plan_cache_mode=force_generic_plan',
  'jit=off',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
]

const readSettings = [...common, 'statement_timeout=5s', 'idle_in_transaction_session_timeout=10s', 'jit=off']

const auditSettings = [...common, 'statement_timeout=5min', 'idle_in_transaction_session_timeout=5min', 'work_mem=64MB']

export type Purpose = 'pipeline' | 'read' | 'audit'

const settingsOf: Record<Purpose, readonly string[]> = {
  pipeline: pipelineSettings,
  read: readSettings,
  audit: auditSettings,
}

/** Connection options for one of our purposes. */
export function connectionConfig(url: string, purpose: Purpose): pg.ClientConfig & { pipeline: boolean } {
  return {
    connectionString: url,
    application_name: `cauce ${purpose}`,
    options: settingsOf[purpose].map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: 3000,
    // Longer than any timeout of the server: for a network that swallows everything. The connection is destroyed.
    ...(purpose === 'audit' ? {} : { query_timeout: 15_000 }),
    keepAlive: true,
    pipeline: true,
    types,
  }
}

/** Runs one named statement and gives its rows. */
export async function query<Row>(
  client: pg.ClientBase,
  statement: Statement,
  values: readonly Value[],
): Promise<Row[]> {
  const result = await send(client, statement, values)
  return result.rows as Row[]
}

/**
 * Sends one named statement. What is sent to a connection in one turn of the event loop leaves in one write: the driver alone
 * makes a system call for each statement, which was a fifth of a busy server's time.
 */
export function send(
  client: pg.ClientBase,
  { name, text }: Statement,
  values: readonly Value[],
): Promise<pg.QueryResult> {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  if (stream.writableCorked === 0) {
    stream.cork()
    process.nextTick(() => stream.uncork())
  }
  return client.query({ name, text, values: values as unknown[] })
}
