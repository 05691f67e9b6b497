import { describe } from 'vitest'
import { systemTimers, type Clock } from '../core/clock.ts'
import { ManualTime } from '../core/manual-time.ts'
import { commandSuite } from './testing-commands.ts'
import { openWorld } from './testing.ts'

describe('commands over memory', () => {
  commandSuite(async () => {
    const time = new ManualTime()
    const clock: Clock = time
    const world = await openWorld('memory', { clock, timers: systemTimers })
    return { world, pass: (ms) => time.advance(ms) }
  })
})
