/**
 * The card processor over HTTP, each change with Idempotency-Key and X-Request-Id. What its answers mean, besides what every
 * provider's do (kit/client/provider.ts, H1 to H4):
 *
 *   POST /charges                 201 until when it is held          authorized
 *                                 402 declined                       declined, for ever
 *                                 409 voided                         refused: nothing is and nothing will be charged under the key
 *   POST /charges/{key}/capture   200 captured                       captured, also when refunded since
 *                                 409 expired, voided, declined      refused: this charge will never be captured
 *   POST /charges/{key}/void      200 voided, declined               voided: nothing is held under the key
 *                                 409 captured                       refused: too late
 *   POST /charges/{key}/refunds   201                                refunded
 *   any of them                   400, 410, 413, 422 … with a code   refused: it is about the request, which stays the same
 *                                 422 key-reused, 409 else           something else was asked under this key before: again, and an operator looks
 *                                 2xx that says something else       again: what happened is not known
 *   GET /charges?paymentId=       200 with charges                   found; whatever else it says: again
 */
import { provider, type Again, type ProviderAnswer } from '@cauce/kit/client/provider'
import type { Random } from '@cauce/kit/core/prng'
import type { ProviderPolicy } from '@cauce/kit/policy/call'
import {
  cardLimits,
  type AuthorizeAnswer,
  type CaptureAnswer,
  type CardContext,
  type CardProcessor,
  type ChargeRequest,
  type FindAnswer,
  type FoundCharge,
  type RefundAnswer,
  type Refused,
  type VoidAnswer,
} from './card.ts'

export interface HttpCardProcessorOptions {
  /** Where the processor's API is. */
  readonly url: string
  /** The guard of its calls, with `cardLimits`. */
  readonly policy: ProviderPolicy
  readonly random?: Random
}

const statuses: readonly unknown[] = ['authorized', 'captured', 'voided', 'refunded'] satisfies FoundCharge['status'][]

export function httpCardProcessor(options: HttpCardProcessorOptions): CardProcessor {
  const processor = provider({ name: 'The card processor', connections: cardLimits.concurrency, ...options })

  function change<T>(
    path: string,
    body: object,
    { key, requestId, signal }: CardContext,
    meaningOf: (answer: ProviderAnswer) => T | undefined,
  ): Promise<T | Again> {
    const headers = { 'idempotency-key': key, 'x-request-id': requestId }
    const text = JSON.stringify(body)
    return processor.ask((client, inner) => client.post(path, text, headers, inner), meaningOf, signal)
  }

  return {
    authorize: (request, context) => change('/charges', bodyOf(request), context, authorized),
    capture: ({ chargeKey, amount }, context) => change(`${pathOf(chargeKey)}/capture`, { amount }, context, captured),
    void: ({ chargeKey }, context) => change(`${pathOf(chargeKey)}/void`, {}, context, voided),
    refund: ({ chargeKey, amount }, context) => change(`${pathOf(chargeKey)}/refunds`, { amount }, context, refunded),
    find(paymentId, { requestId, signal }) {
      const path = `/charges?paymentId=${encodeURIComponent(paymentId)}`
      return processor.ask((client, inner) => client.get(path, { 'x-request-id': requestId }, inner), found, signal)
    },
  }
}

const pathOf = (chargeKey: string): string => `/charges/${encodeURIComponent(chargeKey)}`

/** Made of the stored request alone (H2). */
const bodyOf = ({ paymentId, amount, currency, token }: ChargeRequest) => ({ paymentId, amount, currency, token })

function authorized(answer: ProviderAnswer): AuthorizeAnswer | undefined {
  const { status, code, message, body } = answer
  if (succeeded(answer)) {
    const expiresAt = time(body['expiresAt'])
    return body['status'] === 'authorized' && expiresAt !== undefined
      ? { kind: 'authorized', expiresAt }
      : unclear(answer, 'saying until when it is authorised')
  }
  if (status === 402 && code === 'declined') return { kind: 'declined', message }
  return refusedBy(answer, ['voided'])
}

function captured(answer: ProviderAnswer): CaptureAnswer | undefined {
  if (!succeeded(answer)) return refusedBy(answer, ['expired', 'voided', 'declined'])
  const { status } = answer.body
  return status === 'captured' || status === 'refunded'
    ? { kind: 'captured' }
    : unclear(answer, 'saying that it is captured')
}

function voided(answer: ProviderAnswer): VoidAnswer | undefined {
  if (!succeeded(answer)) return refusedBy(answer, ['captured'])
  const { status } = answer.body
  return status === 'voided' || status === 'declined' ? { kind: 'voided' } : unclear(answer, 'saying that it is voided')
}

function refunded(answer: ProviderAnswer): RefundAnswer | undefined {
  if (!succeeded(answer)) return refusedBy(answer, [])
  return typeof answer.body['amount'] === 'number' ? { kind: 'refunded' } : unclear(answer, 'saying how much')
}

function found(answer: ProviderAnswer): FindAnswer | undefined {
  if (!succeeded(answer)) return undefined
  const { items } = answer.body
  const charges = Array.isArray(items) ? items.map(chargeIn) : [undefined]
  return charges.every((charge) => charge !== undefined)
    ? { kind: 'found', charges }
    : unclear(answer, 'charges that can be read')
}

function chargeIn(item: unknown): FoundCharge | undefined {
  const { key, status, amount, refunded: back, expiresAt: until } = (item ?? {}) as Record<string, unknown>
  const expiresAt = time(until)
  if (typeof key !== 'string' || !statuses.includes(status) || expiresAt === undefined) return undefined
  if (!Number.isSafeInteger(amount) || !Number.isSafeInteger(back)) return undefined
  return { key, status: status as FoundCharge['status'], amount: amount as number, refunded: back as number, expiresAt }
}

/** `conflicts` are the codes of a 409 that are final. */
function refusedBy(answer: ProviderAnswer, conflicts: readonly string[]): Refused | undefined {
  const { status, code, reason, refusal } = answer
  if (!refusal || code === undefined) return undefined
  const final = status === 409 ? conflicts.includes(code) : code !== 'key-reused'
  return final ? { kind: 'refused', code, reason } : undefined
}

const succeeded = ({ status }: ProviderAnswer): boolean => status >= 200 && status < 300

const unclear = ({ said }: ProviderAnswer, what: string): Again => ({
  kind: 'again',
  reason: `${said} without ${what}`,
})

function time(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
