/**
 * Projections: tables that are only read, made from messages. A projection is a consumer group of its own that writes plain
 * SQL, one or two statements for a whole batch, and decides nothing.
 *
 * J1 A projection has generations. Each has tables of its own (`order_list_1`, `order_list_2`) and a group name of its own
 *    (`order-list@2`) in the cursors; a row of the table `views` says which one is read.
 * J2 The cursor of a lane moves in the transaction that applies its messages: each is applied once, whatever is killed.
 * J3 What is read is never a hole: a new generation takes over when it is at least as far as the old one in every lane, and
 *    the old one is kept up to date, never ahead of the new one, until nobody reads it.
 * J4 Nothing parks. A lane whose messages cannot be applied stands still, backs off, and says so; the others go on.
 * J5 A definition that changed is another view: it is built anew beside the old one when a server with it starts.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../core/codec.ts'
import type { Statement, Value } from '../database/session.ts'
import type { Message } from '../log/message.ts'

export interface ViewTable {
  /** In snake_case; a generation's table has its number behind it. */
  readonly name: string
  /** What stands between the parentheses of CREATE TABLE. */
  readonly columns: string
  /** Column lists, one for each index besides the primary key. */
  readonly indexes?: readonly string[]
}

/** The tables of a generation, by their names in the definition. */
export type TableNames = Readonly<Record<string, string>>

/** SQL that names its tables by parameter. */
export type ViewSql = (tables: TableNames) => string

/** Runs one of the definition's statements. */
export type Run = (statement: string, values: readonly Value[]) => Promise<unknown>

export interface Seed {
  /** About how many rows there are to copy, for the progress: `SELECT … AS total`. An estimate will do. */
  readonly count: string
  /**
   * Copies up to $2 rows of state whose text key is after $1, in order of the key, over what is there; tells how many and the
   * last: `SELECT … AS rows, … AS last`.
   */
  readonly copy: ViewSql
}

export interface Projection {
  /** Names it for operators, and in its group name. */
  readonly name: string
  /** Raised when `apply` means something else: a view that was built with another one is built anew. */
  readonly version: number
  /** The logs it reads. */
  readonly sources: readonly string[]
  readonly tables: readonly ViewTable[]
  readonly statements: Readonly<Record<string, ViewSql>>
  /** Messages of any lanes; those of one lane are in order. The statements run in one transaction. */
  apply(messages: readonly Message[], run: Run): Promise<void>
  /** With it a generation begins as a copy of the state; without, it is built from the retained logs. */
  readonly seed?: Seed
}

export const projection = (definition: Projection): Projection => definition

export const groupOf = (name: string, generation: number): string => `${name}@${generation}`

export const tableOf = (schema: string, name: string, generation: number): string => `${schema}.${name}_${generation}`

export function tablesOf(schema: string, { tables }: Projection, generation: number): TableNames {
  return Object.fromEntries(tables.map(({ name }) => [name, tableOf(schema, name, generation)]))
}

/** The statements of a generation, ready to run. */
export function statementsOf(schema: string, definition: Projection, generation: number): Map<string, Statement> {
  const tables = tablesOf(schema, definition, generation)
  const prefix = `${schema}.${groupOf(definition.name, generation)}`
  return new Map(
    Object.entries(definition.statements).map(([name, sql]) => [
      name,
      { name: `${prefix}.${name}`, text: sql(tables) },
    ]),
  )
}

/** Makes a generation's tables. */
export function creationOf(schema: string, definition: Projection, generation: number): string[] {
  return definition.tables.flatMap(({ name, columns, indexes = [] }) => {
    const table = tableOf(schema, name, generation)
    return [`CREATE TABLE ${table} (${columns})`, ...indexes.map((list) => `CREATE INDEX ON ${table} (${list})`)]
  })
}

/** Two definitions with the same hash make the same tables out of the same messages (J5). */
export function hashOf(definition: Projection): string {
  const { name, version, sources, tables, seed } = definition
  const statements = [...statementsOf('schema', definition, 0).values()]
  const seeded = seed ? { count: seed.count, copy: seed.copy(tablesOf('schema', definition, 0)) } : null
  const said = canonicalJson({ name, version, sources, tables, statements, seeded })
  return createHash('sha256').update(said).digest('hex').slice(0, 16)
}
