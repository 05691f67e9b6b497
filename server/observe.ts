/** What a running service tells, as metrics and log lines. */
import type { Message } from '@cauce/kit/log/message'
import type { MessageInput } from '@cauce/kit/pipeline/messages'
import type { Result } from '@cauce/kit/pipeline/input'
import type { ServiceObserver } from '@cauce/kit/pipeline/service'
import { eventLog, kitEvents } from '@cauce/kit/telemetry/events'
import type { Logger } from '@cauce/kit/telemetry/logger'
import type { Metrics } from '@cauce/kit/telemetry/metrics'

/** Facts that somebody should look at. */
const alarms: Readonly<Record<string, { readonly event: string; readonly says: string }>> = {
  OrderStalled: { event: 'order.stalled', says: 'An order is overdue' },
  PaymentUncollected: { event: 'payment.uncollected', says: 'What was sold could not be charged: collect it by hand' },
  RefundFailed: { event: 'refund.failed', says: 'The card processor refused a refund for good: give it back by hand' },
}

export interface ObserveOptions {
  readonly name: string
  readonly logger: Logger
  readonly metrics: Metrics
}

export function observe({ name, logger, metrics }: ObserveOptions): ServiceObserver {
  const log = eventLog(logger, kitEvents)
  let away = false

  const setAside = (input: Result['input'], error: Error) => {
    if (input.kind !== 'message') {
      log('pipeline.bug', { input: input.id, kind: input.kind, err: error })
      return
    }
    const { source, lane, key, id } = (input as MessageInput).message
    metrics.messagesParked(name, source, 1)
    log('consumer.parked', { group: name, source, lane, key, messageId: id, err: error })
  }

  return {
    onCommit({ kind, results }, ms) {
      away = false
      metrics.batch(name, kind, results.length, ms)
      for (const result of results) {
        if (result.kind === 'aside') setAside(result.input, result.error)
        else if (result.kind === 'decided' && result.decision.kind === 'accepted') {
          for (const { type, key, data } of result.decision.messages) {
            const alarm = alarms[type]
            if (alarm) logger.warn({ event: alarm.event, orderId: key, ...data }, alarm.says)
          }
        }
      }
      if (kind === 'message') countApplied(metrics, name, results)
    },
    onAttempt(task, outcome, ms) {
      metrics.taskAttempt(task.type, outcome.kind, ms)
      if (outcome.kind === 'retry') {
        const err = outcome.reason
        log('task.retried', {
          queue: task.type,
          taskId: task.id,
          attempt: task.attempt,
          afterMs: outcome.afterMs ?? 0,
          err,
        })
      }
    },
    onForked({ source, lane, reason }) {
      logger.error({ event: 'consumer.forked', group: name, source, lane, reason }, kitEvents['consumer.forked'].says)
    },
    onError(where, error) {
      // One line when it begins: a source that backs off would say the same again and again.
      if (!away)
        logger.error(
          { event: 'source.stopped', service: name, where, err: error },
          'A source stopped; it backs off and tries again',
        )
      away = true
    },
  }
}

function countApplied(metrics: Metrics, group: string, results: readonly Result[]): void {
  const perSource = new Map<string, number>()
  for (const { input } of results) {
    const { source }: Message = (input as MessageInput).message
    perSource.set(source, (perSource.get(source) ?? 0) + 1)
  }
  for (const [source, count] of perSource) metrics.messagesApplied(group, source, count)
}
