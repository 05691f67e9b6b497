/**
 * The worker's part: what is done outside, before the decision. No transaction is open meanwhile; what holds the job is a lease, which
 * ends by itself when its worker dies, so that another takes the job and asks again, under the same key.
 */
import { seconds } from '@cauce/kit/core/clock'
import type { Backoff } from '@cauce/kit/policy/backoff'
import type { ServiceObserver } from '@cauce/kit/pipeline/service'
import { done, type Effect } from '@cauce/kit/task/outcome'
import { eventLog, kitEvents } from '@cauce/kit/telemetry/events'
import type { Logger } from '@cauce/kit/telemetry/logger'
import type { Metrics } from '@cauce/kit/telemetry/metrics'
import { charge, type Ask, type CardProcessor } from '../common/charge.ts'
import { PAY_ORDER } from './decide.ts'

/** Five tries within some seconds, so that one need not wait long to see a dead letter. In earnest it would be twenty, within hours. */
const backoff: Backoff = { baseMs: 500, capMs: seconds(5), attempts: 5 }

export function effects(card: CardProcessor): readonly Effect[] {
  return [
    {
      type: PAY_ORDER,
      // A wallet is in our own books: the decision does all there is to do.
      run: async (data, context) => ((data as Ask).method === 'card' ? charge(card, data as Ask, context) : done()),
      backoff,
      timeoutMs: seconds(30),
      concurrency: 20,
    },
  ]
}

/** `onCommit`: something was done, perhaps a job put into the queue. */
export function observe(logger: Logger, metrics: Metrics, onCommit: () => void): ServiceObserver {
  const log = eventLog(logger, kitEvents)
  return {
    onCommit({ kind, results }, ms) {
      onCommit()
      metrics.batch('shop', kind, results.length, ms)
      for (const result of results) {
        if (result.kind === 'aside') log('pipeline.bug', { input: result.input.id, kind, err: result.error })
      }
    },
    onAttempt({ type, id, attempt }, outcome, ms) {
      metrics.taskAttempt(type, outcome.kind, ms)
      if (outcome.kind !== 'retry') return
      const about = { queue: type, taskId: id, attempt, err: outcome.reason }
      if (attempt >= backoff.attempts) log('task.dead', about)
      else log('task.retried', { ...about, afterMs: outcome.afterMs ?? 0 })
    },
    onError: (where, err) => logger.warn({ where, err }, 'The worker backs off and tries again'),
  }
}
