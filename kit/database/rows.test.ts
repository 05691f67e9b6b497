import { openWorld } from '../pipeline/testing.ts'
import { rowsConformance } from './conformance.ts'
import { sampleSql, sampleTables } from './testing-rows.ts'

rowsConformance('memory', async () => {
  const { tally, close } = await openWorld('memory', { extra: { tables: sampleTables, sql: sampleSql } })
  return {
    begin: () => tally.transactions.begin(),
    // Whatever waits for a lock does so by the next turn.
    blocked: () => new Promise<void>((resolve) => void setImmediate(resolve)),
    close,
  }
})
