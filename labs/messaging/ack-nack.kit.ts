/** The kit's runner as a consumer: an effect says what became of its message, and has no way to forget to. */
import { systemTimers } from '@cauce/kit/core/clock'
import { onTask, unchanged } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { taskBackoff } from '@cauce/kit/policy/backoff'
import { done, retry, type Effect } from '@cauce/kit/task/outcome'
import type { Broker, Handle } from './ack-nack.naive.ts'
import { MESSAGE, SCHEMA } from './queue.ts'
import { startSmallService } from './small-service.ts'

/** What the variants of this repository get besides. */
export interface InsideBroker extends Broker {
  readonly url: string
  /** After how long a refused message is delivered again. */
  readonly nackMs: number
}

const LOOK_AGAIN_MS = 10

const service: ServiceDefinition = {
  name: SCHEMA,
  tables: [],
  commands: [],
  messages: [],
  tasks: [onTask(MESSAGE, { lock: () => [], decide: () => unchanged })],
}

export async function taskRunner({ url, leaseMs, nackMs }: InsideBroker, handle: Handle): Promise<void> {
  const effect: Effect = {
    type: MESSAGE,
    async run(_data, { key }) {
      try {
        await handle({ id: key })
        return done()
      } catch (error) {
        return retry((error as Error).message, nackMs)
      }
    },
    backoff: taskBackoff,
    timeoutMs: 10_000,
    concurrency: 1,
  }
  const running = startSmallService({ url, definition: service, effects: [effect], leaseMs })
  while ((await running.storage.queue.stats()).some(({ state }) => state === 'open')) {
    await systemTimers.sleep(LOOK_AGAIN_MS)
  }
  await running.stop()
}
