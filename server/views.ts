/** What only the composition root can see: groups against the heads of other services' logs, and the books across services. */
import type { Query } from '@cauce/kit/database/snapshot'
import type { Statement } from '@cauce/kit/database/session'
import { reads } from './wire.ts'
import { serviceNames, type ServiceName } from './config.ts'

const named = (name: string, text: string): Statement => ({ name: `server.${name}`, text })

export interface GroupLane {
  /** Whose group it is. */
  readonly service: ServiceName
  readonly group: string
  readonly source: string
  readonly lane: number
  readonly head: number
  readonly cursor: number
  readonly lag: number
  /** Age of the oldest message not applied; 0 when there is none. */
  readonly oldestMs: number
  readonly parked: number
  /** Why the lane is halted; null when it is not. */
  readonly halted: string | null
}

const pairs = serviceNames.flatMap((group) => reads[group].map((source) => [group, source] as const))

/** All groups of a schema: the service's own, and its views', which have names like `order-list@2`. */
const groupLanes = named(
  'groups',
  serviceNames
    .flatMap((service) => serviceNames.map((source) => [service, source] as const))
    .map(
      ([service, source]) => `
      SELECT '${service}' AS service, c.consumer_group AS "group", c.source, c.lane, l.head, c.position AS cursor,
             l.head - c.position AS lag, coalesce(floor(extract(epoch FROM clock_timestamp() - m.at) * 1000), 0)::int8 AS "oldestMs",
             c.parked, c.halted
      FROM ${service}.cursors c
      JOIN ${source}.lanes l ON l.lane = c.lane
      LEFT JOIN ${source}.messages m ON m.lane = c.lane AND m.position = c.position + 1
      WHERE c.source = '${source}'`,
    )
    .join(' UNION ALL ') + ' ORDER BY 2, 3, 4',
)

export const listGroups = (query: Query): Promise<GroupLane[]> => query<GroupLane>(groupLanes, [])

const gaps = (name: ServiceName): Statement =>
  named(
    `gaps.${name}`,
    `SELECT count(*) AS gaps FROM ${name}.lanes l
     WHERE l.head - l.trimmed <> (SELECT count(*) FROM ${name}.messages m WHERE m.lane = l.lane)`,
  )

/** Lanes whose messages are not dense (I13). */
export async function countGaps(query: Query, name: ServiceName): Promise<number> {
  const [row] = await query<{ gaps: number }>(gaps(name), [])
  return row?.gaps ?? 0
}

export async function countDeadTasks(query: Query, name: ServiceName): Promise<number> {
  const statement = named(`dead.${name}`, `SELECT count(*) AS dead FROM ${name}.tasks WHERE state = 'dead'`)
  const [row] = await query<{ dead: number }>(statement, [])
  return row?.dead ?? 0
}

const moving = named(
  'moving',
  [
    ...pairs.flatMap(([group, source]) => [
      `SELECT m.key FROM ${group}.cursors c JOIN ${source}.messages m ON m.lane = c.lane AND m.position > c.position
       WHERE c.consumer_group = '${group}' AND c.source = '${source}' AND m.key = ANY($1::text[])`,
      `SELECT p.key FROM ${group}.parked p WHERE p.consumer_group = '${group}' AND p.source = '${source}' AND p.key = ANY($1::text[])`,
    ]),
    ...serviceNames.map(
      (name) => `SELECT t.key FROM ${name}.tasks t WHERE t.state = 'open' AND t.key = ANY($1::text[])`,
    ),
  ].join(' UNION '),
)

/** Which of these orders some message, parked key or task will still move. */
export async function ordersThatMove(query: Query, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await query<{ key: string }>(moving, [ids])
  return new Set(rows.map(({ key }) => key))
}

const contradictions = named(
  'contradictions',
  `SELECT o.id FROM orders.orders o
   LEFT JOIN payments.payments p ON p.id = o.payment_id
   LEFT JOIN inventory.reservations r ON r.order_id = o.id
   WHERE (o.status = 'cancelled' AND (p.status IN ('pending', 'authorized', 'captured', 'uncollected') OR r.status IN ('held', 'issued')))
      OR (o.status = 'completed' AND (coalesce(p.status, '') NOT IN ('captured', 'refunded', 'uncollected') OR r.status IS DISTINCT FROM 'issued'))
   LIMIT 1000`,
)

/** Orders that ended while what was held for them was not settled accordingly (I4). */
export async function contradictoryOrders(query: Query): Promise<string[]> {
  const rows = await query<{ id: string }>(contradictions, [])
  return rows.map(({ id }) => id)
}
