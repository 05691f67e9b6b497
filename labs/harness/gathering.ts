/** Meeting points: how a lab forces the interleaving that a busy day brings by chance. */
import type { Timers } from '@cauce/kit/core/clock'

export interface Gathering {
  /** Resolves when all parties have arrived, and then at once for everybody after. */
  arrive(): Promise<void>
  /** How many have arrived so far. */
  readonly arrived: number
}

/**
 * A meeting point for parties that may be unable to come, because one that waits here holds what the others want: it opens when
 * all have arrived, or when nobody has come for `patienceMs`. Code that lets many read before one writes meets everybody here;
 * code that takes turns passes one by one.
 */
export function gathering(parties: number, patienceMs: number, timers: Timers): Gathering {
  let arrived = 0
  let waiting: (() => void)[] = []
  let cancel = () => {}
  const open = () => {
    cancel()
    const released = waiting
    waiting = []
    for (const release of released) release()
  }
  return {
    get arrived() {
      return arrived
    },
    arrive() {
      arrived += 1
      cancel()
      return new Promise((resolve) => {
        waiting.push(resolve)
        if (arrived >= parties) open()
        else cancel = timers.after(patienceMs, open)
      })
    },
  }
}
