/**
 * The card processor as payments sees it. Every call is made under a key, and made again under the same key until there is an
 * answer: under one key the processor does a thing at most once, whatever is lost on the way. A charge is named by the key it
 * was authorised under.
 */
export interface CardContext {
  /** The idempotency key. */
  readonly key: string
  /** Aborted when the answer no longer counts. */
  readonly signal: AbortSignal
  readonly requestId: string
}

export interface ChargeRequest {
  readonly paymentId: string
  readonly amount: number
  readonly currency: string
  /** The card, as the processor knows it. */
  readonly token: string
}

export interface ChargeRef {
  /** The key the charge was authorised under. */
  readonly chargeKey: string
  readonly paymentId: string
}

/** Not done, or nobody knows. Ask again with the same key, after `afterMs` when the processor named a time. */
export type Again = { readonly kind: 'again'; readonly reason: string; readonly afterMs?: number }

/** Final: it has not happened and will not happen under this key. */
export type Refused = { readonly kind: 'refused'; readonly code: string; readonly reason: string }

export type AuthorizeAnswer =
  /** Held until `expiresAt`, in milliseconds. */
  | { readonly kind: 'authorized'; readonly expiresAt: number }
  /** The card's bank says no. */
  | { readonly kind: 'declined'; readonly message: string }
  /** `voided`: the key was given up before. */
  | Refused
  | Again

/** Refused with the code `expired`, `voided` or `declined` when this charge will never be captured. */
export type CaptureAnswer = { readonly kind: 'captured' } | Refused | Again

/** Refused with the code `captured` when it is too late. A key never seen is voided too, and stays so. */
export type VoidAnswer = { readonly kind: 'voided' } | Refused | Again

/** Refused with the code `exceeds-captured` when that much was not captured, or is refunded already. */
export type RefundAnswer = { readonly kind: 'refunded' } | Refused | Again

export interface FoundCharge {
  readonly key: string
  readonly status: 'authorized' | 'captured' | 'voided' | 'refunded'
  readonly amount: number
  readonly refunded: number
  /** In milliseconds. */
  readonly expiresAt: number
}

export type FindAnswer = { readonly kind: 'found'; readonly charges: readonly FoundCharge[] } | Again

/** How many calls are made at a time, and how long one answer may take. */
export const cardLimits = { concurrency: 100, timeoutMs: 5_000 } as const

/** What went wrong on the way is an answer too. A rejection is a bug and says nothing about the charge. */
export interface CardProcessor {
  authorize(request: ChargeRequest, context: CardContext): Promise<AuthorizeAnswer>
  capture(request: ChargeRef & { readonly amount: number }, context: CardContext): Promise<CaptureAnswer>
  void(request: ChargeRef, context: CardContext): Promise<VoidAnswer>
  refund(request: ChargeRef & { readonly amount: number }, context: CardContext): Promise<RefundAnswer>
  /** What the processor has under our own reference: for when its memory of keys may be over. */
  find(paymentId: string, context: Omit<CardContext, 'key'>): Promise<FindAnswer>
}
