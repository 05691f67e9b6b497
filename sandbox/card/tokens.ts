/** The cards there are, and what each of them does. */
import { days, minutes } from '@cauce/kit/core/clock'

/** What is known when a card is asked for an authorisation. */
export interface CardHistory {
  /** How often this key asked before and got no final answer. */
  readonly requests: number
  /** How many charges the payment has under other keys, whatever became of them. */
  readonly charges: number
}

/** What comes of it. `lapses`: it is held, but a capture will find it expired. */
export type CardAnswer =
  | { readonly outcome: 'authorized'; readonly lapses: boolean; readonly livesMs: number }
  | { readonly outcome: 'declined' | 'busy' }

const refusalsOfFlaky = 2
const livesMs = days(7)

const held = { outcome: 'authorized', lapses: false, livesMs } as const
const lapsing = { outcome: 'authorized', lapses: true, livesMs } as const
const declined = { outcome: 'declined' } as const
const busy = { outcome: 'busy' } as const

const cards = {
  tok_ok: () => held,
  tok_declined: () => declined,
  /** Its first answer under each key is lost, see `losesFirstAnswer`. */
  tok_timeout: () => held,
  tok_flaky: ({ requests }) => (requests < refusalsOfFlaky ? busy : held),
  /** The payment's first authorisation turns out to be expired, its second can be captured. */
  tok_expires: ({ charges }) => (charges === 0 ? lapsing : held),
  /** The same, and there is no second one. */
  tok_uncollectable: ({ charges }) => (charges === 0 ? lapsing : declined),
  /** Held for a minute only. */
  tok_short: () => ({ ...held, livesMs: minutes(1) }),
} satisfies Record<string, (history: CardHistory) => CardAnswer>

export type Token = keyof typeof cards

export const tokens = Object.keys(cards) as readonly Token[]

export const isToken = (text: string): text is Token => Object.hasOwn(cards, text)

export const answerOf = (token: Token, history: CardHistory): CardAnswer => cards[token](history)

export const losesFirstAnswer = (token: Token): boolean => token === 'tok_timeout'
