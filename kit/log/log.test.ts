import { openWorld } from '../pipeline/testing.ts'
import { logConformance } from './conformance.ts'

logConformance('memory', async () => {
  const { upstream, lanes, close } = await openWorld('memory')
  return { lanes, reader: upstream.log, begin: () => upstream.transactions.begin(), close }
})
