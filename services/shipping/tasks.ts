/** Shipping's one effect: asking the carrier to take a shipment. */
import { forever, taskBackoff } from '@cauce/kit/policy/backoff'
import { cancel, done, retry, type Effect, type Outcome } from '@cauce/kit/task/outcome'
import { carrierLimits, type BookingAnswer, type BookingRequest, type Carrier } from './carrier.ts'
import { BOOK_SHIPMENT } from './decide.ts'

export function effects(carrier: Carrier): readonly Effect[] {
  return [
    {
      type: BOOK_SHIPMENT,
      async run(data, { key, signal, requestId }) {
        return outcomeOf(await carrier.book(data as BookingRequest, { key, signal, requestId }))
      },
      // No last attempt: the goods are promised, and giving up would guess. The cap is what a carrier that is back is missed by.
      backoff: forever({ ...taskBackoff, capMs: 60_000 }),
      // Twice what the carrier's own guard allows: only a hung process gets here.
      timeoutMs: carrierLimits.timeoutMs * 2,
      concurrency: carrierLimits.concurrency,
    },
  ]
}

function outcomeOf(answer: BookingAnswer): Outcome {
  if (answer.kind === 'again') return retry(answer.reason, answer.afterMs)
  return answer.kind === 'refused' ? cancel(answer.reason) : done(answer)
}
