import { ManualTime } from '../core/manual-time.ts'
import { openWorld } from '../pipeline/testing.ts'
import { taskConformance } from './conformance.ts'

taskConformance('memory', async () => {
  const time = new ManualTime()
  const { tally, close } = await openWorld('memory', { clock: time, timers: time })
  return {
    queue: tally.queue,
    begin: () => tally.transactions.begin(),
    pass: (ms) => time.advance(ms),
    blocked: () => time.settle(),
    close,
  }
})
