/**
 * Rows over PostgreSQL: one statement per table and kind of change, whatever the number of rows. Arrays travel as
 * parameters and are unnested, so the text of a statement never depends on the batch and its plan is made once.
 */
import type { RowChanges, RowStore } from './rows.ts'
import type { Statement, Value } from './session.ts'
import { snakeCase, type Column, type ColumnKind, type Table } from './table.ts'
import type { PostgresTransaction } from './transaction.ts'
import { assertHolds, instantText, jsonText } from './values.ts'

const arrayType: Record<ColumnKind, string> = {
  text: 'text[]',
  integer: 'int8[]',
  boolean: 'bool[]',
  json: 'text[]',
  instant: 'timestamptz[]',
}

interface TableStatements {
  readonly lock: Statement
  readonly read: Statement
  readonly insert: Statement
  readonly update: Statement
  readonly remove: Statement
  readonly columns: readonly (readonly [name: string, column: Column<unknown>])[]
  readonly changing: readonly (readonly [name: string, column: Column<unknown>])[]
}

export function tableStatements(schema: string, table: Table<object>): TableStatements {
  const name = `${schema}.${table.name}`
  const columns = Object.entries(table.columns)
  const key = quoted(table.keyColumn)
  const changing = columns.filter(([column]) => !table.fixed.has(column))
  const sent = [[table.keyColumn, table.columns[table.keyColumn]!] as const, ...changing]
  const select = `SELECT ${columns.map(([column]) => `${quoted(column)} AS "${column}"`).join(', ')} FROM ${name} WHERE ${key} = ANY($1::text[])`
  return {
    columns,
    changing: sent,
    lock: { name: `${name}.lock`, text: `${select} ORDER BY ${key} FOR NO KEY UPDATE` },
    read: { name: `${name}.read`, text: select },
    insert: {
      name: `${name}.insert`,
      text: `INSERT INTO ${name} (${columns.map(([column]) => quoted(column)).join(', ')}) SELECT ${columns.map(selected).join(', ')} FROM ${unnest(columns)}`,
    },
    update: {
      name: `${name}.update`,
      text: `UPDATE ${name} SET ${changing.map((entry, i) => `${quoted(entry[0])} = ${selected(entry, i + 1)}`).join(', ')} FROM ${unnest(sent)} WHERE ${name}.${key} = u.c0`,
    },
    remove: { name: `${name}.remove`, text: `DELETE FROM ${name} WHERE ${key} = ANY($1::text[])` },
  }
}

/** A transfer has a `from` and a `to`. */
const quoted = (column: string): string => `"${snakeCase(column)}"`

type Entry = readonly [name: string, column: Column<unknown>]

const selected = ([, column]: Entry, index: number): string => `u.c${index}${column.kind === 'json' ? '::json' : ''}`

function unnest(columns: readonly Entry[]): string {
  const arrays = columns.map(([, column], i) => `$${i + 1}::${arrayType[column.kind]}`)
  return `unnest(${arrays.join(', ')}) AS u(${columns.map((_, i) => `c${i}`).join(', ')})`
}

/** One array per column, in the order of the statement's parameters. Throws EncodingError. */
function columnArrays(columns: readonly Entry[], rows: readonly object[]): Value[] {
  return columns.map(([name, { kind }]) =>
    (rows as Record<string, unknown>[]).map((row) => encoded(kind, name, row[name])),
  )
}

function encoded(kind: ColumnKind, name: string, value: unknown): string | number | boolean | null {
  if (value === null || value === undefined) return null
  assertHolds(kind, name, value)
  if (kind === 'json') return jsonText(value)
  if (kind === 'instant') return instantText(value as number)
  return value as string | number | boolean
}

/** Builds the statements of these tables once; the result makes a RowStore per transaction. */
export function postgresRows(schema: string, tables: readonly Table<object>[]): (tx: PostgresTransaction) => RowStore {
  const statements = new Map(tables.map((table) => [table, tableStatements(schema, table)]))
  const of = (table: Table<object>) => {
    const found = statements.get(table)
    if (!found) throw new Error(`Table ${table.name} is not one of the service's tables`)
    return found
  }
  return (tx) => ({
    load(table, keys, lock) {
      const { lock: locking, read } = of(table)
      return tx.read<object>(lock ? locking : read, [keys])
    },
    async save(table, { inserted, updated, removed }: RowChanges) {
      const { insert, update, remove, columns, changing } = of(table)
      // Everything is encoded before anything is sent: all of it fails together.
      const [updates, inserts] = [columnArrays(changing, updated), columnArrays(columns, inserted)]
      const sent: Promise<unknown>[] = []
      if (removed.length > 0) sent.push(tx.write(remove, [removed]))
      // A table whose columns are all fixed has nothing to update.
      if (updated.length > 0 && changing.length > 1) sent.push(tx.write(update, updates))
      if (inserted.length > 0) sent.push(tx.write(insert, inserts))
      await Promise.all(sent)
    },
  })
}
