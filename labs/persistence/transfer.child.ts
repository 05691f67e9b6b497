/** The process that transfers, and is killed before one of its statements. */
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { transfer, type TransferInput } from './transfer.ts'

await child<TransferInput>(async ({ url, variant, amount }, { at }) => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const code = await loadVariant(transfer.variants, variant)
  await code({
    from: 'ana',
    to: 'ben',
    amount,
    async sql(statement, values = []) {
      await at(statement)
      const { rows } = await client.query<object>(statement, [...values])
      return rows as never[]
    },
  })
  await at('the end')
  await client.end()
})
