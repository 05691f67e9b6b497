/** A worker. Its work on the message that it is to hold takes until it is let go. */
import pg from 'pg'
import { systemTimers } from '@cauce/kit/core/clock'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { statementsOn } from '../harness/statements.ts'
import { visibilityTimeout, type WorkerInput } from './visibility-timeout.ts'

const PAUSE_MS = 10

await child<WorkerInput>(async ({ url, variant, leaseMs, name, holds }, stage) => {
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=shop', max: 3 })
  const run = await loadVariant(visibilityTimeout.variants, variant)
  const stopping = new AbortController()
  stage.onTold(() => stopping.abort())
  await stage.at('ready')
  await run({
    ...statementsOn(pool, (_, take) => take()),
    async work(id) {
      await stage.say(id)
      if (id === holds) await stage.at(id)
      return name
    },
    leaseMs,
    every,
    pause: () => systemTimers.sleep(PAUSE_MS),
    signal: stopping.signal,
    url,
  })
})

function every(ms: number, task: () => Promise<unknown>): () => void {
  const stopped = new AbortController()
  const go = async () => {
    for (;;) {
      await systemTimers.sleep(ms, stopped.signal)
      if (stopped.signal.aborted) return
      await task()
    }
  }
  void go()
  return () => stopped.abort()
}
