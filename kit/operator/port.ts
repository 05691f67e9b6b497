/**
 * What operators did: who, when, to what, why, and what came of it. A record is written in the transaction of the action it
 * tells of, where the action has one, and is never changed.
 */

export interface NewAction {
  /** Drawn, so that actions are in the order of time. */
  readonly id: string
  /** Who: the token's subject. */
  readonly subject: string
  readonly requestId: string
  /** What: `parked.redrive`. */
  readonly action: string
  /** To what, by name. */
  readonly target: Readonly<Record<string, string>>
  readonly reason: string | null
  /** What came of it, as the operator was told. */
  readonly result: object
}

export interface OperatorAction extends NewAction {
  /** By the store's clock. */
  readonly at: number
}

/** Within a transaction. */
export interface ActionStore {
  record(action: NewAction): Promise<void>
}

export interface ActionReader {
  /** Newest first, at most `limit`, only those older than the action `before`. */
  list(limit: number, before?: string): Promise<readonly OperatorAction[]>
}
