import { openWorld } from '../pipeline/testing.ts'
import { actionConformance } from './conformance.ts'

actionConformance('memory', async () => {
  const { tally, close } = await openWorld('memory')
  return { actions: tally.actions, begin: () => tally.transactions.begin(), close }
})
