/** The log over PostgreSQL: tables `lanes` (heads) and `messages` of a service's schema. */
import { laneOf } from '../core/hash.ts'
import type { Pool } from '../database/pool.ts'
import type { PostgresTransaction } from '../database/transaction.ts'
import { instantText } from '../database/values.ts'
import type { Message } from './message.ts'
import { LaneMismatchError, type LaneHead, type LogReader, type LogWriter } from './port.ts'

/**
 * One statement locks the heads in lane order, moves them and appends behind them. `locked` waits for other writers and
 * then sees their heads, whatever this statement's snapshot; the UPDATE takes its numbers from there. A message whose lane
 * has no head gets no position, which the table refuses: better than to lose it without a word.
 */
const appendText = (schema: string) => `
  WITH locked AS (
    SELECT lane, head FROM ${schema}.lanes WHERE lane = ANY($1::int[]) ORDER BY lane FOR UPDATE
  ), moved AS (
    UPDATE ${schema}.lanes SET head = locked.head + n.count
    FROM locked JOIN unnest($1::int[], $2::int[]) AS n(lane, count) USING (lane)
    WHERE lanes.lane = locked.lane
    RETURNING lanes.lane, lanes.head
  ), appended AS (
    INSERT INTO ${schema}.messages (lane, position, id, type, key, data, request_id, cause_id, at)
    SELECT m.lane, locked.head + m.ordinal, m.id, m.type, m.key, m.data::json, m.request_id, m.cause_id, m.at
    FROM unnest($3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[])
      AS m(lane, ordinal, id, type, key, data, request_id, cause_id, at)
    LEFT JOIN locked ON locked.lane = m.lane
  )
  SELECT lane, head FROM moved`

export function postgresLog(schema: string, lanes: number): (tx: PostgresTransaction) => LogWriter {
  const statement = { name: `${schema}.log.append`, text: appendText(schema) }
  return (tx) => ({
    async append(messages) {
      if (messages.length === 0) return []
      const counts = new Map<number, number>()
      const laneList: number[] = []
      const ordinals: number[] = []
      for (const { key } of messages) {
        const lane = laneOf(key, lanes)
        const ordinal = (counts.get(lane) ?? 0) + 1
        counts.set(lane, ordinal)
        laneList.push(lane)
        ordinals.push(ordinal)
      }
      return tx.write<LaneHead>(statement, [
        [...counts.keys()],
        [...counts.values()],
        laneList,
        ordinals,
        messages.map((m) => m.id),
        messages.map((m) => m.type),
        messages.map((m) => m.key),
        messages.map((m) => JSON.stringify(m.data)),
        messages.map((m) => m.requestId),
        messages.map((m) => m.causeId),
        messages.map((m) => instantText(m.at)),
      ])
    },
  })
}

export function postgresLogReader(pool: Pool, source: string): LogReader {
  const heads = { name: `${source}.log.heads`, text: `SELECT lane, head FROM ${source}.lanes ORDER BY lane` }
  const read = {
    name: `${source}.log.read`,
    text: `
      SELECT '${source}' AS source, m.lane, m.position, m.id, m.type, m.key, m.data,
             m.request_id AS "requestId", m.cause_id AS "causeId", m.at
      FROM unnest($1::int[], $2::int8[]) WITH ORDINALITY AS r(lane, start, nth)
      CROSS JOIN LATERAL (
        SELECT * FROM ${source}.messages WHERE lane = r.lane AND position >= r.start ORDER BY position LIMIT $3
      ) AS m
      ORDER BY r.nth, m.position
      LIMIT $3`,
  }
  return {
    source,
    heads: () => pool.query<LaneHead>(heads, []),
    read: (ranges, limit) =>
      pool.query<Message>(read, [ranges.map((range) => range.lane), ranges.map((range) => range.from), limit]),
  }
}

/** Writes the lanes of a new log, or checks that an existing one has as many. Throws LaneMismatchError. */
export async function ensureLanes(pool: Pool, schema: string, lanes: number): Promise<void> {
  await pool.query(
    {
      name: `${schema}.lanes.ensure`,
      text: `INSERT INTO ${schema}.lanes (lane) SELECT generate_series(0, $1::int - 1)
             WHERE NOT EXISTS (SELECT FROM ${schema}.lanes) ON CONFLICT DO NOTHING`,
    },
    [lanes],
  )
  const [row] = await pool.query<{ count: number }>(
    { name: `${schema}.lanes.count`, text: `SELECT count(*) AS count FROM ${schema}.lanes` },
    [],
  )
  if (row?.count !== lanes) throw new LaneMismatchError(schema, row?.count ?? 0, lanes)
}
