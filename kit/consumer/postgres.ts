/** Consumer groups over PostgreSQL: tables `cursors` and `parked` of the consumer's schema. */
import { causeOf } from '../core/cause.ts'
import type { Pool } from '../database/pool.ts'
import type { PostgresTransaction } from '../database/transaction.ts'
import { instantText } from '../database/values.ts'
import type {
  Cursor,
  CursorStore,
  Forked,
  GroupReader,
  ParkedCause,
  ParkedKey,
  ParkedMessage,
  ParkedSummary,
} from './port.ts'

const cursorColumns = `c.source, c.lane, c.position, c.message_id AS "messageId", c.parked`
const parkedColumns = `p.source, p.lane, p.position, p.id, p.type, p.key, p.data, p.request_id AS "requestId",
  p.cause_id AS "causeId", p.at, p.error`

const naming = (schema: string) => (name: string, text: string) => ({ name: `${schema}.consumer.${name}`, text })

/** Within a transaction. */
function storeStatements(schema: string) {
  const named = naming(schema)
  return {
    lock: named(
      'lock',
      `SELECT ${cursorColumns} FROM ${schema}.cursors c
       WHERE c.consumer_group = $1 AND (c.source, c.lane) IN (SELECT * FROM unnest($2::text[], $3::int[])) AND c.halted IS NULL
       ORDER BY c.source, c.lane FOR UPDATE SKIP LOCKED`,
    ),
    lockOne: named(
      'lock_one',
      `SELECT ${cursorColumns} FROM ${schema}.cursors c
       WHERE c.consumer_group = $1 AND c.source = $2 AND c.lane = $3 FOR UPDATE`,
    ),
    parkedKeys: named(
      'parked_keys',
      `SELECT DISTINCT p.source, p.key FROM ${schema}.parked p
       WHERE p.consumer_group = $1 AND (p.source, p.lane) IN (SELECT * FROM unnest($2::text[], $3::int[]))`,
    ),
    move: named(
      'move',
      `UPDATE ${schema}.cursors c SET position = m.position, message_id = m.message_id, parked = m.parked
       FROM unnest($2::text[], $3::int[], $4::int8[], $5::text[], $6::int8[]) AS m(source, lane, position, message_id, parked)
       WHERE c.consumer_group = $1 AND c.source = m.source AND c.lane = m.lane`,
    ),
    park: named(
      'park',
      `INSERT INTO ${schema}.parked
         (consumer_group, source, lane, position, id, type, key, data, request_id, cause_id, at, error, cause)
       SELECT $1, m.source, m.lane, m.position, m.id, m.type, m.key, m.data::json, m.request_id, m.cause_id, m.at, m.error, m.cause
       FROM unnest($2::text[], $3::int[], $4::int8[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                   $11::timestamptz[], $12::text[], $13::text[])
         AS m(source, lane, position, id, type, key, data, request_id, cause_id, at, error, cause)`,
    ),
    parkedMessages: named(
      'parked_messages',
      `SELECT ${parkedColumns} FROM ${schema}.parked p
       WHERE p.consumer_group = $1 AND p.source = $2 AND p.key = $3 ORDER BY p.position LIMIT $4`,
    ),
    unpark: named(
      'unpark',
      `WITH gone AS (
         DELETE FROM ${schema}.parked p WHERE p.consumer_group = $1 AND p.source = $2 AND p.lane = $3 AND p.id = ANY($4::text[])
         RETURNING 1
       )
       UPDATE ${schema}.cursors c SET parked = c.parked - (SELECT count(*) FROM gone)
       WHERE c.consumer_group = $1 AND c.source = $2 AND c.lane = $3`,
    ),
    blame: named(
      'blame',
      `UPDATE ${schema}.parked p SET error = f.error, cause = f.cause
       FROM unnest($4::text[], $5::text[], $6::text[]) AS f(id, error, cause)
       WHERE p.consumer_group = $1 AND p.source = $2 AND p.lane = $3 AND p.id = f.id`,
    ),
  }
}

/** Parked keys of a group, each told by its first message; to be narrowed and grouped by source and key. */
function summaries(schema: string): string {
  const first = (column: string) => `(array_agg(p.${column} ORDER BY p.position))[1] AS ${column}`
  return `SELECT p.source, p.key, min(p.lane) AS lane, count(*) AS messages, min(p.parked_at) AS since,
                 ${first('type')}, ${first('error')}, ${first('cause')}
          FROM ${schema}.parked p WHERE p.consumer_group = $1`
}

/** Outside transactions. */
function groupStatements(schema: string) {
  const named = naming(schema)
  return {
    ensure: named(
      'ensure',
      `INSERT INTO ${schema}.cursors (consumer_group, source, lane)
       SELECT $1, s.source, l.lane FROM unnest($2::text[]) AS s(source), generate_series(0, $3::int - 1) AS l(lane)
       ON CONFLICT DO NOTHING`,
    ),
    cursors: named(
      'cursors',
      `SELECT ${cursorColumns} FROM ${schema}.cursors c WHERE c.consumer_group = $1 AND c.halted IS NULL ORDER BY c.source, c.lane`,
    ),
    halt: named(
      'halt',
      `UPDATE ${schema}.cursors SET halted = $5
       WHERE consumer_group = $1 AND source = $2 AND lane = $3 AND position = $4 AND halted IS NULL
       RETURNING lane`,
    ),
    halted: named(
      'halted',
      `SELECT source, lane, position, halted AS reason FROM ${schema}.cursors
       WHERE consumer_group = $1 AND halted IS NOT NULL ORDER BY source, lane`,
    ),
    parked: named(
      'parked',
      `SELECT k.* FROM (${summaries(schema)} AND (p.source, p.key) > ($3, $4) GROUP BY p.source, p.key) k
       WHERE $2::text IS NULL OR k.cause = $2 ORDER BY k.source, k.key LIMIT $5`,
    ),
    parkedKey: named('parked_key', `${summaries(schema)} AND p.source = $2 AND p.key = $3 GROUP BY p.source, p.key`),
    parkedCauses: named(
      'parked_causes',
      `SELECT k.cause, count(*) AS keys, sum(k.messages)::int8 AS messages, min(k.since) AS oldest,
              (array_agg(json_build_object('source', k.source, 'key', k.key, 'error', k.error) ORDER BY k.since, k.source, k.key))[1]
                AS example
       FROM (${summaries(schema)} GROUP BY p.source, p.key) k
       GROUP BY k.cause ORDER BY keys DESC, oldest, k.cause`,
    ),
    parkedMessages: named(
      'parked_page',
      `SELECT ${parkedColumns} FROM ${schema}.parked p
       WHERE p.consumer_group = $1 AND p.source = $2 AND p.key = $3 AND p.position > $4 ORDER BY p.position LIMIT $5`,
    ),
  }
}

export function postgresCursors(schema: string): (tx: PostgresTransaction) => CursorStore {
  const sql = storeStatements(schema)
  return (tx) => ({
    lock: (group, lanes) =>
      tx.read<Cursor>(sql.lock, [group, lanes.map((lane) => lane.source), lanes.map((lane) => lane.lane)]),
    async lockOne(group, { source, lane }) {
      const [cursor] = await tx.read<Cursor>(sql.lockOne, [group, source, lane])
      return cursor
    },
    parkedKeys: (group, lanes) =>
      tx.read<ParkedKey>(sql.parkedKeys, [group, lanes.map((lane) => lane.source), lanes.map((lane) => lane.lane)]),
    async move(group, cursors, parked) {
      const sent: Promise<unknown>[] = []
      if (cursors.length > 0) {
        sent.push(
          tx.write(sql.move, [
            group,
            cursors.map((c) => c.source),
            cursors.map((c) => c.lane),
            cursors.map((c) => c.position),
            cursors.map((c) => c.messageId),
            cursors.map((c) => c.parked),
          ]),
        )
      }
      if (parked.length > 0) sent.push(tx.write(sql.park, [group, ...parkedArrays(parked)]))
      await Promise.all(sent)
    },
    parkedMessages: (group, { source, key }, limit) =>
      tx.read<ParkedMessage>(sql.parkedMessages, [group, source, key, limit]),
    async unpark(group, { source, lane }, removedIds, failed) {
      const where = [group, source, lane]
      const sent: Promise<unknown>[] = []
      if (removedIds.length > 0) sent.push(tx.write(sql.unpark, [...where, removedIds]))
      if (failed.length > 0) {
        const errors = failed.map((m) => m.error)
        sent.push(tx.write(sql.blame, [...where, failed.map((m) => m.id), errors, errors.map(causeOf)]))
      }
      await Promise.all(sent)
    },
  })
}

function parkedArrays(parked: readonly ParkedMessage[]) {
  return [
    parked.map((m) => m.source),
    parked.map((m) => m.lane),
    parked.map((m) => m.position),
    parked.map((m) => m.id),
    parked.map((m) => m.type),
    parked.map((m) => m.key),
    parked.map((m) => JSON.stringify(m.data)),
    parked.map((m) => m.requestId),
    parked.map((m) => m.causeId),
    parked.map((m) => instantText(m.at)),
    parked.map((m) => m.error),
    parked.map((m) => causeOf(m.error)),
  ]
}

export function postgresGroups(pool: Pool, schema: string): GroupReader {
  const sql = groupStatements(schema)
  return {
    async ensure(group, sources, lanes) {
      await pool.query(sql.ensure, [group, [...sources], lanes])
    },
    cursors: (group) => pool.query<Cursor>(sql.cursors, [group]),
    async halt(group, { source, lane, position, reason }) {
      return (await pool.query(sql.halt, [group, source, lane, position, reason])).length > 0
    },
    halted: (group) => pool.query<Forked>(sql.halted, [group]),
    parked: (group, limit, { cause = null, after = { source: '', key: '' } } = {}) =>
      pool.query<ParkedSummary>(sql.parked, [group, cause, after.source, after.key, limit]),
    parkedCauses: (group) => pool.query<ParkedCause>(sql.parkedCauses, [group]),
    async parkedKey(group, { source, key }) {
      const [summary] = await pool.query<ParkedSummary>(sql.parkedKey, [group, source, key])
      return summary
    },
    parkedMessages: (group, { source, key }, after, limit) =>
      pool.query<ParkedMessage>(sql.parkedMessages, [group, source, key, after, limit]),
  }
}
