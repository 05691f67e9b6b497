import { describe, expect, it } from 'vitest'
import { systemTimers } from '../core/clock.ts'
import { ManualTime } from '../core/manual-time.ts'
import { CommandQueue } from './commands.ts'
import { outcomeSource } from './outcomes.ts'
import { add } from './testing-commands.ts'
import { jobService } from './testing-jobs.ts'
import { outcomeSuite } from './testing-outcomes.ts'
import { makePipeline, openWorld, wholeLog } from './testing.ts'

const timeless = async () => {
  const time = new ManualTime()
  return { time, world: await openWorld('memory', { clock: time, timers: systemTimers }) }
}

describe('outcomes over memory', () => {
  outcomeSuite(async () => {
    const { time, world } = await timeless()
    return { world, pass: (ms) => time.advance(ms) }
  })
})

describe('a clock that jumps back', () => {
  it('between the claim of a timer and its decision does not take `now` before the time it was set for', async () => {
    const { time, world } = await timeless()
    const pipeline = makePipeline(world.tally, jobService)
    const start = time.now()
    const data = { key: 'a', ring: { inMs: 60_000 } }
    await new CommandQueue(pipeline).submit(add({ key: 'a' }, undefined, { type: 'Start', data }))
    await time.advance(61_000)
    const [task] = await world.tally.queue.claim(['bell'], 1, 30_000)
    time.jump(-300_000)
    await pipeline.run(outcomeSource({ effects: new Map(), random: { next: () => 0 } }), [
      { task: task!, outcome: { kind: 'due' } },
    ])
    const [message] = await wholeLog(world.tally)
    expect(message!.at).toBe(start + 60_000)
    expect(message!.data).toMatchObject({ at: start + 60_000 })
  })
})
