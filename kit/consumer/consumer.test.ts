import { openWorld } from '../pipeline/testing.ts'
import { consumerConformance } from './conformance.ts'

consumerConformance('memory', async () => {
  const { tally, close } = await openWorld('memory')
  return { groups: tally.groups, begin: () => tally.transactions.begin(), close }
})
