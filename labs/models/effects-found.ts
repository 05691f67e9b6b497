/** What both workloads of the lab about effects count, and the trail of an order that they show. */

/** One decision on an order's way, as a row of the trail. */
export interface Step {
  readonly input: string
  readonly process: string
  readonly state: string
  readonly output: string
}

export interface Found {
  /** Orders that were placed. */
  readonly orders: number
  readonly decisions: number
  /** Decided again on the same input and rows, and not with the same bytes. */
  readonly different: number
  readonly charges: number
  readonly mails: number
  /** Charges and mails that belong to no placed order, or are not its first. */
  readonly astray: number
  /** Charges and mails that a placed order did not get. */
  readonly missing: number
  /** Orders that should have been placed. */
  readonly due: number
  /** Whether the stock is what the orders leave. */
  readonly state: 'right' | 'wrong'
  readonly trail: readonly Step[]
}
