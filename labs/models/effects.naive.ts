/** Decides an order, and does on the way what it decides: asks the clock, draws an id, charges the card, sends the mail. */

/** The input: what a customer asked for. */
export interface Order {
  readonly id: string
  /** A mail address. */
  readonly customer: string
  readonly quantity: number
  readonly card: string
}

/** The state, as it was read and locked in this transaction. */
export interface State {
  /** Of one unit, in cents. */
  readonly price: number
  /** Units on the shelf. */
  readonly left: number
}

/** What else may be looked at: the same, however often this order is decided. */
export interface Context {
  /** When the order came in, in milliseconds. */
  readonly now: number
}

/** For the world outside. Performed after COMMIT, under a key made of the order's id and its place in the list. */
export type Effect =
  | { readonly kind: 'charge'; readonly card: string; readonly amount: number }
  | { readonly kind: 'mail'; readonly to: string; readonly text: string }

/** The output: the new state, and what shall happen. */
export interface Decision {
  /** `refused` when there is too little on the shelf. Only what is placed is charged and mailed, each once. */
  readonly status: 'placed' | 'refused'
  /** Units on the shelf from now on. */
  readonly left: number
  /** Stored with the order. */
  readonly notes: Readonly<Record<string, unknown>>
  readonly effects: readonly Effect[]
}

/** The world outside, at once. What was done here has happened, whatever becomes of the decision. */
export interface Outside {
  now(): number
  /** A new id. */
  draw(): string
  /** The processor takes each key once. */
  charge(key: string, card: string, amount: number): Promise<void>
  mail(key: string, to: string, text: string): Promise<void>
}

/** May be asked twice for the same order: when the transaction was lost before its COMMIT. */
export type Decide = (order: Order, state: State, context: Context, outside: Outside) => Decision | Promise<Decision>

const decide: Decide = async ({ customer, quantity, card }, { price, left }, _context, outside) => {
  if (left < quantity) return { status: 'refused', left, notes: { at: outside.now() }, effects: [] }
  const chargeId = outside.draw()
  await outside.charge(chargeId, card, quantity * price)
  await outside.mail(chargeId, customer, `Thank you for ${quantity} lamps`)
  return { status: 'placed', left: left - quantity, notes: { chargeId, at: outside.now() }, effects: [] }
}

export default decide
