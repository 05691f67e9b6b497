/**
 * Reading a view: always the generation that is read now. Which one that is is known for a second; the one before it is kept
 * up to date for ten (J3), so a reader never finds a hole. One that was paused for longer finds no table, and looks again.
 */
import { postgresGroups } from '../consumer/postgres.ts'
import type { Clock } from '../core/clock.ts'
import { sqlState } from '../database/errors.ts'
import type { Pool } from '../database/pool.ts'
import type { Value } from '../database/session.ts'
import { groupOf, tablesOf, type Projection, type ViewSql } from './definition.ts'
import { registryOf } from './registry.ts'

const KNOWN_MS = 1000
const UNDEFINED_TABLE = '42P01'

/** The view has no generation that can be read: its first one is being built. */
export class ViewNotBuiltError extends Error {
  override readonly name = 'ViewNotBuiltError'
}

/** How far a group is in one lane of one log. */
export interface AppliedPosition {
  readonly source: string
  readonly lane: number
  readonly position: number
}

export interface ViewReader {
  /** The logs it is made from. */
  readonly sources: readonly string[]
  /** Runs a query over the tables of the generation that is read. `name` is unique per SQL. Throws ViewNotBuiltError. */
  query<Row>(name: string, sql: ViewSql, values: readonly Value[]): Promise<Row[]>
  /** How far the generation that is read has come. Throws ViewNotBuiltError. */
  applied(): Promise<readonly AppliedPosition[]>
  /** Whether there is a generation to read. */
  isBuilt(): Promise<boolean>
}

export interface ReaderOptions {
  readonly pool: Pool
  readonly schema: string
  readonly definition: Projection
  readonly clock: Clock
}

export function viewReader({ pool, schema, definition, clock }: ReaderOptions): ViewReader {
  const registry = registryOf(pool, schema)
  const groups = postgresGroups(pool, schema)
  let known: { readonly generation: number; readonly atMs: number } | undefined

  async function active(): Promise<number> {
    const now = clock.monotonic()
    if (known && now - known.atMs < KNOWN_MS) return known.generation
    const row = (await registry.list(definition.name)).find(({ state }) => state === 'active')
    if (!row) throw new ViewNotBuiltError(`The view ${definition.name} is being built`)
    known = { generation: row.generation, atMs: now }
    return row.generation
  }

  async function query<Row>(name: string, sql: ViewSql, values: readonly Value[], again = true): Promise<Row[]> {
    const generation = await active()
    const text = sql(tablesOf(schema, definition, generation))
    try {
      return await pool.query<Row>({ name: `${schema}.${groupOf(definition.name, generation)}.${name}`, text }, values)
    } catch (error) {
      if (!again || sqlState(error) !== UNDEFINED_TABLE) throw error
      known = undefined
      return query<Row>(name, sql, values, false)
    }
  }

  return {
    sources: definition.sources,
    query: (name, sql, values) => query(name, sql, values),
    applied: async () => groups.cursors(groupOf(definition.name, await active())),
    isBuilt: () =>
      active().then(
        () => true,
        (error: unknown) => {
          if (error instanceof ViewNotBuiltError) return false
          throw error
        },
      ),
  }
}
