/**
 * Tasks over PostgreSQL: table `tasks` of a service's schema. Due and leased tasks share one partial index on (type, due_at).
 *
 * Statements that look tasks up by id say nothing that implies the index's `state = 'open'`: before the first ANALYZE the
 * planner takes a partial index for tiny and would read all of it instead. A task is open while `finished_at` is null, and
 * a claim's token is current only while the task is open.
 */
import { causeOf } from '../core/cause.ts'
import type { Pool } from '../database/pool.ts'
import type { PostgresTransaction } from '../database/transaction.ts'
import { instantText } from '../database/values.ts'
import type {
  DeadCause,
  DeadTask,
  Settlement,
  StoredTask,
  Task,
  TaskHold,
  TaskQueue,
  TaskStats,
  TaskStore,
} from './port.ts'

const taskColumns = `t.id, t.type, t.key, t.data, t.attempt, t.token, t.due_at AS "dueAt", t.created_at AS "createdAt", t.request_id AS "requestId"`
const deadColumns = `t.id, t.type, t.key, t.data, t.attempt, t.request_id AS "requestId", t.outcome,
  coalesce(t.error, '') AS error, coalesce(t.cause, '') AS cause, t.finished_at AS since`

const naming = (schema: string) => (name: string, text: string) => ({ name: `${schema}.task.${name}`, text })

/** Within a transaction. */
function storeStatements(schema: string) {
  const named = naming(schema)
  const insert = `
    INSERT INTO ${schema}.tasks (id, type, key, data, due_at, request_id, cause_id, created_at)
    SELECT n.id, n.type, n.key, n.data::json, n.due_at, n.request_id, n.cause_id, n.at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::timestamptz[])
      AS n(id, type, key, data, due_at, request_id, cause_id, at)`
  return {
    enqueue: named('enqueue', insert),
    // A timer set again takes the next token: whoever had claimed it for the old time can no longer settle it.
    schedule: named(
      'schedule',
      `${insert}
       ON CONFLICT (id) DO UPDATE SET type = excluded.type, key = excluded.key, data = excluded.data, due_at = excluded.due_at,
         state = 'open', attempt = 0, token = tasks.token + 1, request_id = excluded.request_id, cause_id = excluded.cause_id,
         finished_at = NULL, outcome = NULL, error = NULL, cause = NULL`,
    ),
    // The row stays and its tokens go on: a timer set anew must not be settled by whoever holds the old one.
    unschedule: named(
      'unschedule',
      `UPDATE ${schema}.tasks SET state = 'cancelled', token = token + 1, finished_at = clock_timestamp()
       WHERE id = ANY($1::text[]) AND finished_at IS NULL`,
    ),
    lock: named(
      'lock',
      `SELECT t.id, t.token FROM ${schema}.tasks t, unnest($1::text[], $2::int8[]) AS h(id, token)
       WHERE t.id = h.id AND t.token = h.token AND t.finished_at IS NULL ORDER BY t.id FOR UPDATE OF t`,
    ),
    settle: named(
      'settle',
      `UPDATE ${schema}.tasks t SET state = s.state, due_at = coalesce(s.due_at, t.due_at), outcome = s.outcome::json, error = s.error,
         cause = s.cause, attempt = t.attempt - s.refund, finished_at = CASE WHEN s.state = 'open' THEN NULL ELSE ${now} END,
         token = t.token + 1
       FROM unnest($1::text[], $2::int8[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::int8[], $8::text[])
         AS s(id, token, state, due_at, outcome, error, refund, cause)
       WHERE t.id = s.id AND t.token = s.token`,
    ),
    redrive: named(
      'redrive',
      `WITH dead AS (${dead(schema)})
       UPDATE ${schema}.tasks t SET state = 'open', attempt = 0, due_at = clock_timestamp(), token = t.token + 1,
         finished_at = NULL, cause = NULL
       FROM dead WHERE t.id = dead.id RETURNING t.id`,
    ),
    // What it had failed with is kept behind the reason.
    discard: named(
      'discard',
      `WITH dead AS (${dead(schema)})
       UPDATE ${schema}.tasks t SET state = 'cancelled', token = t.token + 1, finished_at = ${now}, cause = NULL,
         error = concat_ws('; before: ', 'discarded: ' || $2, t.error)
       FROM dead WHERE t.id = dead.id RETURNING t.id`,
    ),
  }
}

/** To the millisecond: a place in a list is told in milliseconds. */
const now = `date_trunc('milliseconds', clock_timestamp())`

/** Those of the ids that are dead, locked in the order in which a settlement locks them. */
const dead = (schema: string): string =>
  `SELECT id FROM ${schema}.tasks
   WHERE id = ANY($1::text[]) AND CASE state WHEN 'dead' THEN true ELSE false END ORDER BY id FOR UPDATE`

/** Each a transaction of its own. */
function queueStatements(schema: string) {
  const named = naming(schema)
  return {
    // Tells when each was due, which the claim overwrites. statement_timestamp() bounds the index scan; clock_timestamp()
    // is volatile, and with it every open task would be read, however far its time.
    claim: named(
      'claim',
      `WITH due AS (
         SELECT d.id, d.due_at FROM unnest($1::text[]) AS w(type) CROSS JOIN LATERAL (
           SELECT id, due_at FROM ${schema}.tasks
           WHERE state = 'open' AND type = w.type AND due_at <= statement_timestamp()
           ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
         ) AS d ORDER BY d.due_at LIMIT $2
       )
       UPDATE ${schema}.tasks t SET token = t.token + 1, attempt = t.attempt + 1,
         due_at = clock_timestamp() + $3 * interval '1 millisecond'
       FROM due WHERE t.id = due.id
       RETURNING t.id, t.type, t.key, t.data, t.attempt, t.token, due.due_at AS "dueAt",
         t.created_at AS "createdAt", t.request_id AS "requestId",
         floor(extract(epoch FROM clock_timestamp() - t.created_at) * 1000)::int8 AS "ageMs"`,
    ),
    // Locked in the order in which a settlement locks them.
    extend: named(
      'extend',
      `WITH held AS (
         SELECT t.id FROM ${schema}.tasks t, unnest($1::text[], $2::int8[]) AS h(id, token)
         WHERE t.id = h.id AND t.token = h.token AND t.finished_at IS NULL ORDER BY t.id FOR UPDATE OF t
       )
       UPDATE ${schema}.tasks t SET due_at = clock_timestamp() + $3 * interval '1 millisecond'
       FROM held WHERE t.id = held.id RETURNING t.id`,
    ),
    nextDue: named(
      'next_due',
      `SELECT ceil(extract(epoch FROM min(d.due_at) - clock_timestamp()) * 1000)::int8 AS ms
       FROM unnest($1::text[]) AS w(type) CROSS JOIN LATERAL (
         SELECT due_at FROM ${schema}.tasks WHERE state = 'open' AND type = w.type ORDER BY due_at LIMIT 1
       ) AS d`,
    ),
    // Each half has a partial index: finished tasks, of which there are ever more, are not looked at.
    stats: named(
      'stats',
      `SELECT type, state, count(*) AS count FROM ${schema}.tasks WHERE state = 'open' GROUP BY type, state
       UNION ALL
       SELECT type, state, count(*) AS count FROM ${schema}.tasks WHERE state = 'dead' GROUP BY type, state`,
    ),
    find: named('find', `SELECT ${taskColumns}, t.state, t.outcome, t.error FROM ${schema}.tasks t WHERE t.id = $1`),
    dead: named(
      'dead',
      `SELECT ${deadColumns} FROM ${schema}.tasks t
       WHERE t.state = 'dead' AND (t.finished_at, t.id COLLATE "C") > ($3::timestamptz, $4)
         AND ($1::text IS NULL OR t.type = $1) AND ($2::text IS NULL OR t.cause = $2)
       ORDER BY t.finished_at, t.id COLLATE "C" LIMIT $5`,
    ),
    findDead: named('find_dead', `SELECT ${deadColumns} FROM ${schema}.tasks t WHERE t.id = $1 AND t.state = 'dead'`),
    deadCauses: named(
      'dead_causes',
      `SELECT t.type, t.cause, count(*) AS tasks, min(t.finished_at) AS oldest,
              (array_agg(t.id ORDER BY t.finished_at, t.id COLLATE "C"))[1] AS example
       FROM ${schema}.tasks t WHERE t.state = 'dead' GROUP BY t.type, t.cause ORDER BY tasks DESC, oldest, t.type, t.cause`,
    ),
    findByKey: named(
      'find_by_key',
      `SELECT ${taskColumns}, t.state, t.outcome, t.error FROM ${schema}.tasks t
       WHERE t.key = ANY($1::text[]) ORDER BY t.created_at, t.id COLLATE "C" LIMIT $2`,
    ),
  }
}

interface Row {
  readonly id: string
  readonly type: string
  readonly key: string
  readonly data: object
  readonly dueAt?: number
  readonly requestId: string
  readonly causeId: string
  readonly at: number
}

function rowArrays(tasks: readonly Row[]) {
  return [
    tasks.map((t) => t.id),
    tasks.map((t) => t.type),
    tasks.map((t) => t.key),
    tasks.map((t) => JSON.stringify(t.data)),
    tasks.map((t) => instantText(t.dueAt ?? t.at)),
    tasks.map((t) => t.requestId),
    tasks.map((t) => t.causeId),
    tasks.map((t) => instantText(t.at)),
  ]
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)

const holdArrays = (holds: readonly TaskHold[]) => [holds.map((hold) => hold.id), holds.map((hold) => hold.token)]

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id)

const deadCauseOf = ({ state, error }: Settlement): string | null => (state === 'dead' ? causeOf(error ?? '') : null)

export function postgresTasks(schema: string): (tx: PostgresTransaction) => TaskStore {
  const sql = storeStatements(schema)
  return (tx) => ({
    async apply({ enqueued, scheduled, unscheduled }) {
      const sent: Promise<unknown>[] = []
      if (enqueued.length > 0) sent.push(tx.write(sql.enqueue, rowArrays(enqueued)))
      if (scheduled.length > 0) sent.push(tx.write(sql.schedule, rowArrays(scheduled.toSorted(byId))))
      if (unscheduled.length > 0) sent.push(tx.write(sql.unschedule, [unscheduled]))
      await Promise.all(sent)
    },
    lock: (holds) => tx.read<TaskHold>(sql.lock, holdArrays(holds)),
    async settle(settlements) {
      if (settlements.length === 0) return
      await tx.write(sql.settle, [
        ...holdArrays(settlements),
        settlements.map((s) => s.state),
        settlements.map((s) => (s.state === 'open' ? instantText(s.dueAt) : null)),
        settlements.map((s) => (s.state !== 'open' && s.outcome ? JSON.stringify(s.outcome) : null)),
        settlements.map((s) => s.error),
        settlements.map((s) => (s.state === 'open' && s.refund ? 1 : 0)),
        settlements.map(deadCauseOf),
      ])
    },
    redrive: async (ids) => idsOf(await tx.write<{ id: string }>(sql.redrive, [ids])),
    discard: async (ids, reason) => idsOf(await tx.write<{ id: string }>(sql.discard, [ids, reason])),
  })
}

export function postgresTaskQueue(pool: Pool, schema: string): TaskQueue {
  const sql = queueStatements(schema)
  return {
    claim: (types, limit, leaseMs) => pool.query<Task>(sql.claim, [types, limit, leaseMs]),
    async extend(holds, leaseMs) {
      return idsOf(await pool.query<{ id: string }>(sql.extend, [...holdArrays(holds), leaseMs]))
    },
    async nextDueInMs(types) {
      const [row] = await pool.query<{ ms: number | null }>(sql.nextDue, [types])
      const ms = row?.ms
      return typeof ms === 'number' ? Math.max(0, ms) : undefined
    },
    stats: () => pool.query<TaskStats>(sql.stats, []),
    findByKey: (keys, limit) => pool.query<StoredTask>(sql.findByKey, [keys, limit]),
    async find(id) {
      const [row] = await pool.query<StoredTask>(sql.find, [id])
      return row
    },
    dead: (limit, { type = null, cause = null, after } = {}) =>
      pool.query<DeadTask>(sql.dead, [
        type,
        cause,
        after ? instantText(after.since) : '-infinity',
        after?.id ?? '',
        limit,
      ]),
    async findDead(id) {
      const [task] = await pool.query<DeadTask>(sql.findDead, [id])
      return task
    },
    deadCauses: () => pool.query<DeadCause>(sql.deadCauses, []),
  }
}
