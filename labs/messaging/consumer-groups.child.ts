/** A process with one member of a group. */
import pg from 'pg'
import { loadVariant } from '../harness/variant.ts'
import { consumerGroups, type MemberInput } from './consumer-groups.ts'
import { turns } from './turns.ts'

await turns<MemberInput, object>(async ({ url, variant, group, member }, step) => {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=broker' })
  await client.connect()
  const consume = await loadVariant(consumerGroups.variants, variant)
  return () =>
    consume({
      group,
      sql: async <Row extends object>(statement: string, values: readonly unknown[] = []) =>
        (await client.query<Row>(statement, [...values])).rows,
      apply: ({ key }) =>
        step(`apply ${key}`, async () => {
          await client.query(
            `INSERT INTO ${group}.seen AS s (key, member, times) VALUES ($1, $2, 1)
             ON CONFLICT (key) DO UPDATE SET times = s.times + 1, member = $2`,
            [key, member],
          )
        }),
      url,
      step,
      member,
    })
})
