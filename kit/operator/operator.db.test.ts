import { openWorld } from '../pipeline/testing.ts'
import { actionConformance } from './conformance.ts'

actionConformance('PostgreSQL', async () => {
  const { tally, close } = await openWorld('postgres')
  return { actions: tally.actions, begin: () => tally.transactions.begin(), close }
})
