/** Idempotency keys over PostgreSQL: table `idempotency_keys` of a service's schema. */
import type { Pool } from '../database/pool.ts'
import type { PostgresTransaction } from '../database/transaction.ts'
import { instantText } from '../database/values.ts'
import type { KeyJanitor, KeyRecord, KeyStore } from './port.ts'

function statements(schema: string) {
  const named = (name: string, text: string) => ({ name: `${schema}.key.${name}`, text })
  return {
    read: named(
      'read',
      `SELECT id, fingerprint, status, headers, body, request_id AS "requestId", expires_at AS "expiresAt"
       FROM ${schema}.idempotency_keys WHERE id = ANY($1::text[])`,
    ),
    // Only the very record that was found expired: another process may have put a new one in its place since.
    forget: named(
      'forget',
      `WITH gone AS (
         SELECT k.id FROM ${schema}.idempotency_keys k, unnest($1::text[], $2::timestamptz[]) AS e(id, expires_at)
         WHERE k.id = e.id AND k.expires_at = e.expires_at ORDER BY k.id FOR UPDATE OF k
       )
       DELETE FROM ${schema}.idempotency_keys k USING gone WHERE k.id = gone.id`,
    ),
    write: named(
      'write',
      `INSERT INTO ${schema}.idempotency_keys (id, fingerprint, status, headers, body, request_id, expires_at)
       SELECT n.id, n.fingerprint, n.status, n.headers::json, n.body, n.request_id, n.expires_at
       FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
         AS n(id, fingerprint, status, headers, body, request_id, expires_at)`,
    ),
    // Passes over what somebody is using anew; statement_timestamp(), unlike clock_timestamp(), bounds the index scan.
    removeExpired: named(
      'remove_expired',
      `DELETE FROM ${schema}.idempotency_keys WHERE id IN (
         SELECT id FROM ${schema}.idempotency_keys WHERE expires_at < statement_timestamp()
         ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
    ),
  }
}

export function postgresKeys(schema: string): (tx: PostgresTransaction) => KeyStore {
  const sql = statements(schema)
  return (tx) => ({
    read: (ids) => tx.read<KeyRecord>(sql.read, [ids]),
    async write(records, expired) {
      const sorted = records.toSorted((a, b) => (a.id < b.id ? -1 : 1))
      const sent: Promise<unknown>[] = []
      if (expired.length > 0) {
        sent.push(tx.write(sql.forget, [expired.map((e) => e.id), expired.map((e) => instantText(e.expiresAt))]))
      }
      if (sorted.length > 0) {
        sent.push(
          tx.write(sql.write, [
            sorted.map((r) => r.id),
            sorted.map((r) => r.fingerprint),
            sorted.map((r) => r.status),
            sorted.map((r) => JSON.stringify(r.headers)),
            sorted.map((r) => r.body),
            sorted.map((r) => r.requestId),
            sorted.map((r) => instantText(r.expiresAt)),
          ]),
        )
      }
      await Promise.all(sent)
    },
  })
}

export function postgresKeyJanitor(pool: Pool, schema: string): KeyJanitor {
  const sql = statements(schema)
  return { removeExpired: async (limit) => (await pool.query(sql.removeExpired, [limit])).length }
}
