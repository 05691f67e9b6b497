/**
 * Whether the migrated schema says what the declared tables say. Memory enforces the declarations and PostgreSQL the
 * migrations, so a difference would be a rule that holds in tests and not in production, or the other way round.
 *
 *   expect(await compareWithSchema(pool, 'inventory', tables)).toEqual([])
 *
 * A CHECK is compared by name, `<table>_<check>`: what it says is proved by the batches that the service's tests refuse.
 * Foreign keys are the migration's own business.
 */
import type { Pool } from './pool.ts'
import { snakeCase, type ColumnKind, type Table } from './table.ts'

const typeOf: Record<ColumnKind, string> = {
  text: 'text',
  integer: 'bigint',
  boolean: 'boolean',
  json: 'json',
  instant: 'timestamp with time zone',
}

interface StoredColumn {
  readonly table: string
  readonly name: string
  readonly type: string
  readonly required: boolean
  /** Filled in by itself when an insert does not mention it. */
  readonly filled: boolean
}

interface StoredKey {
  readonly table: string
  readonly name: string
  readonly primary: boolean
  readonly columns: readonly string[]
  /** What keeps it from being a plain set of columns that no two rows share; '' when nothing does. */
  readonly oddity: string
}

interface StoredCheck {
  readonly table: string
  readonly name: string
  readonly valid: boolean
}

const tables = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1`

const columnsText = `
  SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS required,
         a.atthasdef OR a.attidentity <> '' AS filled
  ${tables} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relkind IN ('r', 'p') ORDER BY a.attnum`

const keysText = `
  SELECT c.relname AS table, x.relname AS name, i.indisprimary AS primary,
         ARRAY(SELECT a.attname::text FROM unnest(i.indkey[:i.indnkeyatts - 1]) k(attnum)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum ORDER BY a.attname) AS columns,
         concat_ws(' and ', CASE WHEN i.indpred IS NOT NULL THEN 'partial' END, CASE WHEN i.indexprs IS NOT NULL THEN 'over an expression' END,
                   CASE WHEN NOT i.indimmediate THEN 'deferrable' END, CASE WHEN i.indnullsnotdistinct THEN 'taking nulls for equal' END,
                   CASE WHEN NOT i.indisvalid THEN 'not valid' END) AS oddity
  ${tables} JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique JOIN pg_class x ON x.oid = i.indexrelid ORDER BY x.relname`

const checksText = `
  SELECT c.relname AS table, k.conname AS name, k.convalidated AS valid
  ${tables} JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' ORDER BY k.conname`

/** Differences, each as a sentence; none when the schema is what the tables declare. */
export async function compareWithSchema(
  pool: Pool,
  schema: string,
  declared: readonly Table<object>[],
): Promise<string[]> {
  const ask = <Row>(what: string, text: string) => pool.query<Row>({ name: `schema.${what}`, text }, [schema])
  const [columns, keys, checks] = await Promise.all([
    ask<StoredColumn>('columns', columnsText),
    ask<StoredKey>('keys', keysText),
    ask<StoredCheck>('checks', checksText),
  ])
  return declared.flatMap((table) => {
    const mine = <T extends { readonly table: string }>(list: readonly T[]) =>
      list.filter((one) => one.table === table.name)
    if (mine(columns).length === 0) return [`${schema} has no table ${table.name}`]
    return [
      ...compareColumns(table, mine(columns)),
      ...compareKeys(table, mine(keys)),
      ...compareChecks(table, mine(checks)),
    ].map((problem) => `${schema}.${table.name}: ${problem}`)
  })
}

function compareColumns(table: Table<object>, stored: readonly StoredColumn[]): string[] {
  const problems: string[] = []
  const byName = new Map(stored.map((column) => [column.name, column]))
  for (const [name, { kind, nullable }] of Object.entries(table.columns)) {
    const column = byName.get(snakeCase(name))
    byName.delete(snakeCase(name))
    if (!column) {
      problems.push(`there is no column ${snakeCase(name)}`)
      continue
    }
    if (column.type !== typeOf[kind])
      problems.push(`${column.name} is ${column.type}, declared as ${kind} (${typeOf[kind]})`)
    if (column.required === nullable) {
      problems.push(
        `${column.name} is ${nullable ? 'NOT NULL, declared as nullable' : 'nullable, declared as required'}`,
      )
    }
  }
  for (const { name, required, filled } of byName.values()) {
    if (required && !filled)
      problems.push(`${name} is NOT NULL without a default, and not declared: no insert can succeed`)
  }
  return problems
}

function compareKeys(table: Table<object>, stored: readonly StoredKey[]): string[] {
  const problems: string[] = []
  const named = (columns: readonly string[]) => columns.map(snakeCase).toSorted().join(', ')
  const primary = stored.find((key) => key.primary)
  if (table.columns[table.keyColumn]?.kind !== 'text')
    problems.push(`its key ${table.keyColumn} is not declared as text`)
  if (primary?.columns.join(', ') !== snakeCase(table.keyColumn)) {
    problems.push(
      `the primary key is (${primary?.columns.join(', ') ?? ''}), declared as (${snakeCase(table.keyColumn)})`,
    )
  }
  const others = stored.filter((key) => !key.primary)
  for (const [set, columns] of Object.entries(table.unique)) {
    if (!others.some((key) => key.oddity === '' && key.columns.join(', ') === named(columns))) {
      problems.push(`the unique set ${set} (${named(columns)}) is not in the schema`)
    }
  }
  const declared = new Set(Object.values(table.unique).map(named))
  for (const { name, columns, oddity } of others) {
    if (oddity !== '') problems.push(`the unique index ${name} is ${oddity}, which a declared set cannot be`)
    else if (!declared.has(columns.join(', ')))
      problems.push(`the unique index ${name} (${columns.join(', ')}) is not declared`)
  }
  return problems
}

function compareChecks(table: Table<object>, stored: readonly StoredCheck[]): string[] {
  const problems: string[] = []
  const byName = new Map(stored.map((check) => [check.name, check]))
  for (const name of Object.keys(table.checks).map((check) => `${table.name}_${snakeCase(check)}`)) {
    const check = byName.get(name)
    byName.delete(name)
    if (!check) problems.push(`there is no CHECK ${name}`)
    else if (!check.valid) problems.push(`the CHECK ${name} is NOT VALID: rows from before may break it`)
  }
  for (const name of byName.keys()) problems.push(`the CHECK ${name} is not declared`)
  return problems
}
