/** Reading one's own writes across services: wait until a group has applied what a log holds now. */
import type { GroupReader } from '../consumer/port.ts'
import type { Clock, Timers } from '../core/clock.ts'
import type { LogReader } from '../log/port.ts'

const LOOK_AGAIN_MS = 10

export interface CatchUpOptions {
  readonly groups: GroupReader
  readonly group: string
  readonly reader: LogReader
  readonly clock: Clock
  readonly timers: Timers
}

/** True once the group's cursors are at or past the heads this call saw first; false when that takes longer than `withinMs`. */
export async function caughtUp(options: CatchUpOptions, withinMs: number): Promise<boolean> {
  const { groups, group, reader, clock, timers } = options
  const until = clock.monotonic() + withinMs
  const heads = await reader.heads()
  for (;;) {
    const cursors = await groups.cursors(group)
    const positions = new Map(cursors.filter((c) => c.source === reader.source).map((c) => [c.lane, c.position]))
    if (heads.every(({ lane, head }) => (positions.get(lane) ?? 0) >= head)) return true
    if (clock.monotonic() >= until) return false
    await timers.sleep(LOOK_AGAIN_MS)
  }
}
