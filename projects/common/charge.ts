/**
 * Asks the card processor for the money of an order: secure it, then take it. It is asked under a key, and under one key it does
 * each of the two once, however often it is asked.
 */
import type { Metrics } from '@cauce/kit/telemetry/metrics'
import { providerPolicy } from '@cauce/kit/policy/call'
import { cancel, done, retry, type EffectContext, type Outcome } from '@cauce/kit/task/outcome'
import type { AuthorizePayment } from '@cauce/payments/contract'
import type { Authorization } from '@cauce/payments/decide-card'
import { cardLimits, httpCardProcessor } from '@cauce/payments/service'

/** What is asked of payments for an order. */
export type Ask = NonNullable<(typeof AuthorizePayment)['data']>

export type CardProcessor = ReturnType<typeof httpCardProcessor>

/** What the processor did. */
export interface Charge {
  /** The key it was asked under, which names the charge there. */
  readonly key: string
  readonly authorization: Authorization
}

export function cardProcessor(url: string, metrics: Pick<Metrics, 'breaker'>): CardProcessor {
  const onState = (state: Parameters<Metrics['breaker']>[1]) => metrics.breaker('card', state)
  return httpCardProcessor({ url, policy: providerPolicy({ name: 'card', ...cardLimits, onState }) })
}

/**
 * `done` with a Charge, which may say that there is none because the card was declined. `retry`: nobody knows, ask again under the same
 * key. `cancel`: it is secured and can never be taken, however often it is asked for under this key.
 */
export async function charge(
  card: CardProcessor,
  { paymentId, amount, currency, token = '' }: Ask,
  context: Pick<EffectContext, 'key' | 'requestId' | 'signal'>,
): Promise<Outcome> {
  const { key } = context
  const answer = await card.authorize({ paymentId, amount, currency, token }, context)
  if (answer.kind === 'again') return retry(answer.reason, answer.afterMs)
  if (answer.kind === 'authorized') {
    const taken = await card.capture({ chargeKey: key, paymentId, amount }, { ...context, key: `${key}.capture` })
    if (taken.kind === 'again') return retry(taken.reason, taken.afterMs)
    if (taken.kind === 'refused') return cancel(`${taken.code}: ${taken.reason}`)
  }
  // A card that the processor does not even know is declined too: nothing is and nothing will be charged.
  const authorization = answer.kind === 'refused' ? declined(answer.reason) : answer
  return done({ key, authorization } satisfies Charge)
}

export const declined = (message: string): Authorization => ({ kind: 'declined', message })
