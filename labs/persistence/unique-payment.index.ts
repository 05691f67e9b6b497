/** What an index on payment_id is good for, and what it costs: plans, pages, bytes. */
import type { LabDatabase } from '../harness/database.ts'
import type { Stage } from '../harness/stage.ts'

export interface IndexCost {
  /** Read by one look-up. */
  readonly pages: number
  readonly indexKb: number
  /** Written by one INSERT to the write-ahead log. */
  readonly walPerRow: number
}

/** Fills the table and looks one payment up; where there is no index on its id, makes one and looks again. */
export async function costOfIndex(
  { note }: Pick<Stage, 'note'>,
  { query }: LabDatabase,
  rows: number,
): Promise<IndexCost> {
  const [inserted] = await query<{ 'QUERY PLAN': readonly [{ Plan: { 'WAL Bytes': number } }] }>(
    `EXPLAIN (ANALYZE, WAL, TIMING OFF, FORMAT JSON) INSERT INTO payments (payment_id, customer, amount)
     SELECT 'pay_' || md5(n::text), 'customer-' || n, n FROM generate_series(1, ${rows}) AS n`,
  )
  const walPerRow = Math.round(inserted!['QUERY PLAN'][0].Plan['WAL Bytes'] / rows)
  const found = await look(query)
  const indexKb = await indexSize(query)
  const tell = (when: { en: string; es: string }, { plan }: Plan) =>
    note({ en: `${when.en}, ${rows} rows:\n${plan}`, es: `${when.es}, ${rows} filas:\n${plan}` })
  if (indexKb > 0) {
    tell({ en: 'EXPLAIN with the index', es: 'EXPLAIN con el índice' }, found)
    return { pages: found.pages, indexKb, walPerRow }
  }
  tell({ en: 'EXPLAIN without an index', es: 'EXPLAIN sin índice' }, found)
  const add = 'ALTER TABLE payments ADD CONSTRAINT payments_once UNIQUE (payment_id)'
  const refused = await query(add).then(() => undefined, explain)
  if (refused !== undefined) {
    note({
      en: `Adding the constraint now is refused: ${refused}. The doubled rows have to go first`,
      es: `Añadir ahora la restricción se rechaza: ${refused}. Antes hay que quitar las filas duplicadas`,
    })
    await query('DELETE FROM payments a USING payments b WHERE a.payment_id = b.payment_id AND a.ctid > b.ctid')
    await query(add)
  }
  tell({ en: 'EXPLAIN after adding it', es: 'EXPLAIN después de añadirla' }, await look(query))
  return { pages: found.pages, indexKb, walPerRow }
}

interface Plan {
  readonly plan: string
  readonly pages: number
}

async function look(query: LabDatabase['query']): Promise<Plan> {
  await query('VACUUM ANALYZE payments')
  const lines = await query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF)
     SELECT customer, amount FROM payments WHERE payment_id = 'pay_' || md5('500')`,
  )
  const plan = lines.map((line) => line['QUERY PLAN']).join('\n')
  const [, hit = 0, read = 0] = /shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan) ?? []
  return { plan, pages: Number(hit) + Number(read) }
}

/** Of those that begin with payment_id; 0 when there is none. */
async function indexSize(query: LabDatabase['query']): Promise<number> {
  const [found] = await query<{ bytes: number }>(
    `SELECT coalesce(sum(pg_relation_size(i.indexrelid)), 0)::int AS bytes FROM pg_index i
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = 'payments'::regclass AND a.attname = 'payment_id'`,
  )
  return Math.round(found!.bytes / 1024)
}

const explain = (error: Error & { detail?: string }): string =>
  [error.message, error.detail?.replace(/\.$/, '')].filter(Boolean).join('. ')
