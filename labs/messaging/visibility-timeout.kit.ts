/**
 * The kit's runner: claims under a lease, extends it while the work runs, and hands the result to the pipeline, which locks the
 * message by the token of the claim. Whoever lost the lease holds an old token, finds nothing to lock, and changes nothing.
 */
import { table, text } from '@cauce/kit/database/table'
import { accept, onTask } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { taskBackoff } from '@cauce/kit/policy/backoff'
import { done, type Effect } from '@cauce/kit/task/outcome'
import { MESSAGE, SCHEMA } from './queue.ts'
import { startSmallService } from './small-service.ts'
import type { Desk } from './visibility-timeout.naive.ts'

/** What the variants of this repository get besides. */
export interface InsideDesk extends Desk {
  readonly url: string
}

const results = table('results', { key: 'id', columns: { id: text, result: text } })

const worked = onTask<{ id: string }>(MESSAGE, {
  lock: ({ data }) => [results.key(data.id)],
  decide({ data: { id }, result: outcome }, rows) {
    const { result } = (outcome as { result: { result: string } }).result
    const change = rows.get(results, id) ? results.update({ id, result }) : results.insert({ id, result })
    return accept({ changes: [change] })
  },
})

const service: ServiceDefinition = { name: SCHEMA, tables: [results], commands: [], messages: [], tasks: [worked] }

export async function timeoutHeartbeatFencing({ url, leaseMs, work, signal }: InsideDesk): Promise<void> {
  const effect: Effect = {
    type: MESSAGE,
    run: async (_data, { key }) => done({ result: await work(key) }),
    backoff: taskBackoff,
    timeoutMs: 30_000,
    concurrency: 1,
  }
  const running = startSmallService({ url, definition: service, effects: [effect], leaseMs })
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  }
  await running.stop()
}
