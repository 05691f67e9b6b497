import { openWorld } from '../pipeline/testing.ts'
import { consumerConformance } from './conformance.ts'

consumerConformance('PostgreSQL', async () => {
  const { tally, close } = await openWorld('postgres')
  return { groups: tally.groups, begin: () => tally.transactions.begin(), close }
})
