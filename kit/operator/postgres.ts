/** What operators did, over PostgreSQL: table `operator_actions` of a service's schema. */
import type { Pool } from '../database/pool.ts'
import type { PostgresTransaction } from '../database/transaction.ts'
import { jsonText } from '../database/values.ts'
import type { ActionReader, ActionStore, OperatorAction } from './port.ts'

const naming = (schema: string) => (name: string, text: string) => ({ name: `${schema}.operator.${name}`, text })

export function postgresActions(schema: string): (tx: PostgresTransaction) => ActionStore {
  const record = naming(schema)(
    'record',
    `INSERT INTO ${schema}.operator_actions (id, subject, request_id, action, target, reason, result)
     VALUES ($1, $2, $3, $4, $5::json, $6, $7::json)`,
  )
  return (tx) => ({
    async record({ id, subject, requestId, action, target, reason, result }) {
      await tx.write(record, [id, subject, requestId, action, jsonText(target), reason, jsonText(result)])
    },
  })
}

export function postgresActionReader(pool: Pool, schema: string): ActionReader {
  const list = naming(schema)(
    'list',
    `SELECT id, at, subject, request_id AS "requestId", action, target, reason, result FROM ${schema}.operator_actions
     WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
  )
  return { list: (limit, before) => pool.query<OperatorAction>(list, [before ?? null, limit]) }
}
