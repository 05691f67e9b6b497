/** A process with one consumer. */
import pg from 'pg'
import { loadVariant } from '../harness/variant.ts'
import { ordering, type ConsumerInput, type Turn } from './ordering.ts'
import { turns } from './turns.ts'

await turns<ConsumerInput, Turn>(async ({ url, variant }, step) => {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=broker,tracking' })
  await client.connect()
  const consume = await loadVariant(ordering.variants, variant)
  let { poison }: Turn = {}
  const check = ({ key, number }: { readonly key: string; readonly number: number }) => {
    if (poison?.key === key && poison.number === number) throw new Error(`${key} ${number} cannot be applied`)
  }
  return async (turn) => {
    ;({ poison } = turn)
    await consume({
      sql: async <Row extends object>(statement: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(statement, [...values])).rows,
      apply: ({ key, number }) =>
        step(`apply ${key} ${number}`, async () => {
          check({ key, number })
          await client.query(
            `INSERT INTO tracks AS t VALUES ($1, $2::bigint, 1, CASE $2::bigint WHEN 1 THEN 0 ELSE 1 END) ON CONFLICT (key) DO UPDATE
             SET last = $2::bigint, applied = t.applied + 1, disorder = t.disorder + CASE $2::bigint WHEN t.last + 1 THEN 0 ELSE 1 END`,
            [key, number],
          )
        }),
      url,
      step,
      check,
    })
  }
})
