/** The table `views` of a schema: which generations there are, and which one is read. */
import type { Pool } from '../database/pool.ts'
import type { Statement } from '../database/session.ts'
import { storableText } from '../database/values.ts'
import type { Generation } from './steps.ts'

export const naming =
  (schema: string) =>
  (name: string, text: string): Statement => ({ name: `${schema}.views.${name}`, text })

export const generationColumns = `v.name, v.generation, v.state, v.definition, v.tables, v.seeded_to AS "seededTo", v.done, v.total, v.since,
  floor(extract(epoch FROM clock_timestamp() - v.since) * 1000)::int8 AS "ageMs", v.rebuild, v.error`

export interface Registry {
  /** The generations of a view. */
  list(name: string): Promise<Generation[]>
  /** Asks whoever runs the view to build it anew. False when there is no such view, or when it is being built already. */
  askRebuild(name: string): Promise<boolean>
  /** Notes why lanes stand still, or that none does. */
  setError(name: string, generation: number, error: string | null): Promise<void>
}

export function registryOf(pool: Pool, schema: string): Registry {
  const named = naming(schema)
  const list = named(
    'list',
    `SELECT ${generationColumns} FROM ${schema}.views v WHERE v.name = $1 ORDER BY v.generation`,
  )
  const ask = named(
    'ask',
    `UPDATE ${schema}.views v SET rebuild = true WHERE v.name = $1 AND v.state = 'active'
       AND NOT EXISTS (SELECT FROM ${schema}.views b WHERE b.name = $1 AND b.state IN ('seeding', 'tailing'))
     RETURNING v.generation`,
  )
  const fail = named(
    'error',
    `UPDATE ${schema}.views SET error = $3 WHERE name = $1 AND generation = $2 AND error IS DISTINCT FROM $3`,
  )
  return {
    list: (name) => pool.query<Generation>(list, [name]),
    askRebuild: async (name) => (await pool.query(ask, [name])).length > 0,
    async setError(name, generation, error) {
      await pool.query(fail, [name, generation, error === null ? null : storableText(error)])
    },
  }
}
