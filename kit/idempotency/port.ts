/**
 * Idempotency keys: one key, one effect, one answer.
 *
 * A record is written once, together with the answer it stands for, in the transaction of the decision. Whoever races it
 * meets it at the primary key, rolls back, and finds the stored answer at the next claim. So there is no moment in which a
 * key exists without its answer, and no second write to the row.
 */

/** The answer as sent: replayed byte for byte. */
export interface StoredReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text; '' for no body. */
  readonly body: string
}

export interface KeyRecord extends StoredReply {
  /** Hash of (principal, method, route, key). */
  readonly id: string
  /** Hash of what was asked: the same key with another one is refused. */
  readonly fingerprint: string
  readonly requestId: string
  /** Milliseconds. After this the key may be used anew. */
  readonly expiresAt: number
}

/** Names one record: a later one of the same key expires later. */
export type ExpiredKey = Pick<KeyRecord, 'id' | 'expiresAt'>

export type KeyVerdict =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'replayed'; readonly reply: StoredReply }
  /** The key was used for something else. */
  | { readonly kind: 'reused' }

/** Within a transaction. */
export interface KeyStore {
  /** Stored records of these keys, expired ones included. */
  read(ids: readonly string[]): Promise<readonly KeyRecord[]>
  /**
   * Inserts in id order, after removing the records that were found `expired`, unless another has taken their place since.
   * Rejects with 23505 when somebody was faster.
   */
  write(records: readonly KeyRecord[], expired: readonly ExpiredKey[]): Promise<void>
}

/** Housekeeping, outside the pipeline. */
export interface KeyJanitor {
  /** Removes up to `limit` expired records; gives how many. */
  removeExpired(limit: number): Promise<number>
}

/** Idempotency is checked before any other rule. */
export function verdict(stored: KeyRecord | undefined, fingerprint: string, now: number): KeyVerdict {
  if (!stored || stored.expiresAt <= now) return { kind: 'fresh' }
  if (stored.fingerprint !== fingerprint) return { kind: 'reused' }
  return { kind: 'replayed', reply: { status: stored.status, headers: stored.headers, body: stored.body } }
}
