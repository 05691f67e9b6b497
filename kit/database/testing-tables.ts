/** For the tests of a service's migrated tables: which constraint refuses a row, and what would make its updates dear. */
import { instantText, jsonText } from './values.ts'
import { snakeCase, type Table } from './table.ts'

/** An administrator's statement on one connection. */
type Sql = (text: string) => Promise<Record<string, unknown>[]>

/** Inserts the row and takes it back. The name of the constraint that refused it, if one did. */
export async function refusedBy(
  sql: Sql,
  schema: string,
  table: Table<object>,
  row: object,
): Promise<string | undefined> {
  const given = Object.entries(table.columns).map(([name, { kind }]) => {
    const value = (row as Record<string, string | number | boolean | null>)[name] ?? null
    if (value === null) return 'NULL'
    if (kind === 'instant') return quoted(instantText(value as number))
    return quoted(kind === 'json' ? jsonText(value) : String(value))
  })
  const names = Object.keys(table.columns).map(snakeCase)
  try {
    await sql('BEGIN')
    await sql(`INSERT INTO ${schema}.${table.name} (${names.join(', ')}) VALUES (${given.join(', ')})`)
    return undefined
  } catch (error) {
    const { constraint } = error as { constraint?: string }
    if (constraint === undefined) throw error
    return constraint
  } finally {
    await sql('ROLLBACK')
  }
}

/**
 * What keeps updates of a table from staying on their page (HOT), each as a sentence: a page filled to the brim, an index on
 * a column that changes.
 */
export async function dearUpdates(sql: Sql, schema: string, tables: readonly Table<object>[]): Promise<string[]> {
  const rows = await sql(`
    SELECT c.relname AS table, coalesce(substring(array_to_string(c.reloptions, ',') FROM 'fillfactor=([0-9]+)'), '100')::int AS fill,
      ARRAY(SELECT DISTINCT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
            WHERE i.indrelid = c.oid) AS indexed
    FROM pg_class c WHERE c.relnamespace = '${schema}'::regnamespace AND c.relkind = 'r'`)
  return tables
    .filter((table) => !table.appendOnly)
    .flatMap((table) => {
      const stored = rows.find((row) => row['table'] === table.name)
      const fixed = new Set([...table.fixed].map(snakeCase))
      const changing = ((stored?.['indexed'] ?? []) as string[]).filter((column) => !fixed.has(column))
      return [
        ...((stored?.['fill'] as number) <= 50 ? [] : [`${table.name} has no fillfactor of 50 or less`]),
        ...changing.map((column) => `${table.name} has an index on ${column}, which changes`),
      ]
    })
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
