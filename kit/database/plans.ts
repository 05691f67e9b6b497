/**
 * Whether every statement of a hot path is a look-up. Each is planned as the pipeline plans it (generic plan, the session's
 * settings), on empty or full tables alike; nothing is executed. A statement that scans costs nothing in a test and
 * everything a year later.
 *
 *   expect(await explainAll(pool, recorder.statements, ['lanes', 'cursors'])).toEqual([])
 *
 * PREPARE and EXPLAIN EXECUTE rather than EXPLAIN (GENERIC_PLAN), which PostgreSQL 15 does not know.
 */
import type pg from 'pg'
import type { Pool } from './pool.ts'
import type { Statement } from './session.ts'

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  readonly Filter?: string
  readonly Plans?: readonly PlanNode[]
}

/**
 * Problems, each as a sentence; none when every table that can grow is reached by an index, and the index by a condition.
 * `pool` must be one for the pipeline. `small`: names of tables that stay small, which may be read whole.
 */
export async function explainAll(
  pool: Pool,
  statements: readonly Statement[],
  small: readonly string[],
): Promise<string[]> {
  const client = await pool.acquire()
  try {
    const indexes = await client.query<Index & { name: string }>(`
      SELECT x.relname AS name, t.relname AS table, pg_get_indexdef(x.oid, 1, true) AS first
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid`)
    const known = { small: new Set(small), indexes: new Map(indexes.rows.map((index) => [index.name, index])) }
    const problems: string[] = []
    for (const statement of statements) problems.push(...(await explain(client, statement, known)))
    return problems
  } finally {
    client.release(true)
  }
}

interface Index {
  readonly table: string
  /** Its first column. */
  readonly first: string
}

interface Known {
  readonly small: ReadonlySet<string>
  readonly indexes: ReadonlyMap<string, Index>
}

async function explain(client: pg.ClientBase, statement: Statement, known: Known): Promise<string[]> {
  await client.query(`PREPARE explained AS ${statement.text}`)
  const parameters = await client.query<{ count: number }>(
    `SELECT cardinality(parameter_types) AS count FROM pg_prepared_statements WHERE name = 'explained'`,
  )
  const nulls = Array.from({ length: parameters.rows[0]!.count }, () => 'NULL').join(', ')
  const explained = await client.query<{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }>(
    `EXPLAIN (FORMAT JSON) EXECUTE explained${nulls === '' ? '' : `(${nulls})`}`,
  )
  await client.query('DEALLOCATE explained')
  return scans(explained.rows[0]!['QUERY PLAN'][0].Plan, known).map((problem) => `${statement.name}: ${problem}`)
}

function scans(node: PlanNode, known: Known): string[] {
  const below = (node.Plans ?? []).flatMap((plan) => scans(plan, known))
  const { 'Node Type': type, 'Index Name': name = '', 'Index Cond': condition, Filter: filter } = node
  const index = known.indexes.get(name)
  const table = node['Relation Name'] ?? index?.table
  if (table === undefined || known.small.has(table)) return below
  const but = filter ? ` and filters by ${filter}` : ''
  if (type === 'Seq Scan') return [`reads all of ${table}${but}`, ...below]
  // A bitmap's heap scan names no index; the index scan below it does.
  if (index === undefined) return below
  if (condition === undefined) return [`reads all of the index ${name}${but}`, ...below]
  // A condition on later columns alone picks rows out of a whole index.
  const bounded = new RegExp(`\\((\\w+\\.)?${index.first} `).test(condition)
  return bounded ? below : [`reads all of the index ${name} for ${condition}`, ...below]
}
