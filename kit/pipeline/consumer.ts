/**
 * A consumer group's worker: finds lanes that are behind, applies their messages, waits for more. Any number of workers in
 * any number of processes share a group's lanes; a free one takes any free lane, a dead one's lanes are free at once.
 *
 * When the database is away the worker backs off and blames nobody. A lane whose source was rewound is halted and reported.
 */
import { poll } from '../consumer/poll.ts'
import type { Forked, GroupReader } from '../consumer/port.ts'
import type { Signal } from '../core/signal.ts'
import type { Timers } from '../core/clock.ts'
import { integerBetween, type Random } from '../core/prng.ts'
import { hash32 } from '../core/hash.ts'
import type { LogReader } from '../log/port.ts'
import type { Result } from './input.ts'
import { messageSource } from './messages.ts'
import type { Pipeline } from './pipeline.ts'

/** Most messages of one transaction. */
const BATCH = 500
/** An idle worker looks this often even when nobody signals. */
const IDLE_MS = 5000
/** When all lanes with work are held by others. */
const CONTENDED_MS = 20
const BACKOFF_MS = { first: 100, most: 2000 }

export interface ConsumerOptions {
  readonly group: string
  readonly groups: GroupReader
  /** The logs this group reads. */
  readonly readers: readonly LogReader[]
  readonly pipeline: Pipeline
  readonly timers: Timers
  readonly random: Random
  /** Notified when one of the logs has grown. */
  readonly wake: Signal
  readonly onBatch?: (results: readonly Result[]) => void
  /** Told once of each halted lane, by the worker that halted it. */
  readonly onForked?: (forked: Forked) => void
  readonly onError?: (error: Error, retryInMs: number) => void
}

/** Works until `signal` aborts; the transaction in hand is finished first. */
export async function runConsumer(options: ConsumerOptions, signal: AbortSignal): Promise<void> {
  const { group, groups, readers, pipeline, timers, random, wake } = options
  const source = messageSource(group)
  let start = hash32(`${group}${random.next()}`)
  let backoffMs = BACKOFF_MS.first
  while (!signal.aborted) {
    try {
      const { backlogs, forked, more } = await poll(groups, group, readers, BATCH, start++)
      for (const lane of forked) if (await groups.halt(group, lane)) options.onForked?.(lane)
      if (backlogs.length === 0) {
        backoffMs = BACKOFF_MS.first
        if (!more) await wake.wait(IDLE_MS, signal)
        continue
      }
      const results = await pipeline.run(source, backlogs)
      backoffMs = BACKOFF_MS.first
      if (results.length > 0) options.onBatch?.(results)
      else await timers.sleep(integerBetween(random, 1, CONTENDED_MS), signal)
    } catch (error) {
      options.onError?.(error as Error, backoffMs)
      await timers.sleep(backoffMs, signal)
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MS.most)
    }
  }
}
