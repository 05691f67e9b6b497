/** Payments' effects: what is asked of the card processor. */
import { hours, seconds } from '@cauce/kit/core/clock'
import { forever, taskBackoff } from '@cauce/kit/policy/backoff'
import { cancel, done, retry, type Effect, type EffectContext, type Outcome } from '@cauce/kit/task/outcome'
import { cardLimits, type Again, type CardProcessor, type ChargeRequest, type Refused } from './card.ts'
import { cardTask, type CaptureCard, type RefundCard, type VoidCard } from './card-steps.ts'
import type { Authorization } from './decide-card.ts'

/** Past this the processor may have forgotten a key (most keep them for a day): it is asked by our own reference first. */
const KEY_HORIZON_MS = hours(20)

export function effects(card: CardProcessor): readonly Effect[] {
  // Nobody waits for ever to hear whether a card is good; giving up is a void by key, which has no last attempt.
  const whileSomebodyWaits = { ...taskBackoff, capMs: seconds(15), attempts: 12 }
  // The cap is what a processor that is back is missed by.
  const untilDone = forever({ ...taskBackoff, capMs: seconds(60) })
  return [
    effect(cardTask.authorize, whileSomebodyWaits, (data, context) => authorized(card, data as ChargeRequest, context)),
    effect(cardTask.capture, untilDone, async (data, context) =>
      outcomeOf(await card.capture(data as CaptureCard, context)),
    ),
    effect(cardTask.void, untilDone, async (data, context) => outcomeOf(await card.void(data as VoidCard, context))),
    effect(cardTask.refund, untilDone, (data, context) => refunded(card, data as RefundCard, context)),
  ]
}

function effect(type: string, backoff: Effect['backoff'], run: Effect['run']): Effect {
  // Twice what the processor's own guard allows: only a hung process gets there.
  return { type, backoff, run, timeoutMs: cardLimits.timeoutMs * 2, concurrency: cardLimits.concurrency / 4 }
}

async function authorized(card: CardProcessor, request: ChargeRequest, context: EffectContext): Promise<Outcome> {
  if (context.ageMs > KEY_HORIZON_MS) {
    const found = await card.find(request.paymentId, context)
    if (found.kind === 'again') return outcomeOf(found)
    const [alive] = found.charges.filter(({ status }) => status === 'authorized' || status === 'captured')
    if (alive) {
      const { key: chargeKey, expiresAt } = alive
      return done({ kind: 'authorized', expiresAt, chargeKey } satisfies Authorization)
    }
  }
  const answer = await card.authorize(request, context)
  if (answer.kind === 'authorized' || answer.kind === 'declined') return done(answer satisfies Authorization)
  return outcomeOf(answer)
}

/**
 * A refund that the processor may have forgotten is only asked for again when it shows that nothing of the charge went back: of
 * several, nobody could tell which one it has done. An operator looks at the others.
 */
async function refunded(card: CardProcessor, refund: RefundCard, context: EffectContext): Promise<Outcome> {
  if (context.ageMs > KEY_HORIZON_MS) {
    const found = await card.find(refund.paymentId, context)
    if (found.kind === 'again') return outcomeOf(found)
    const charge = found.charges.find(({ key }) => key === refund.chargeKey)
    if (charge?.refunded !== 0) {
      return retry(`Whether ${refund.refundId} went back must be looked up: the processor may have forgotten its key`)
    }
  }
  return outcomeOf(await card.refund(refund, context))
}

function outcomeOf(answer: { readonly kind: 'captured' | 'voided' | 'refunded' } | Refused | Again): Outcome {
  if (answer.kind === 'again') return retry(answer.reason, answer.afterMs)
  return answer.kind === 'refused' ? cancel(`${answer.code}: ${answer.reason}`) : done(answer)
}
