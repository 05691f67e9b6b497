import { describe } from 'vitest'
import { bisectSuite } from './testing-bisect.ts'
import { openWorld } from './testing.ts'

describe('blame over memory', () => {
  bisectSuite(async () => {
    const world = await openWorld('memory')
    let left = 0
    let state: string | undefined
    Object.defineProperty(world.memory!, 'refuseWrites', { get: () => (left-- > 0 ? state : undefined) })
    return {
      world,
      async refuse(code, times = Infinity) {
        state = code
        left = code === undefined ? 0 : times
      },
    }
  })
})
