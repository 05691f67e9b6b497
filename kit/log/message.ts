/** Messages: what services say to each other. A message type is declared once, in its owner's contract. */
import type { Static, TObject } from 'typebox'

/** What a decision returns: a fact or a request, with the key that orders it. */
export interface NewMessage {
  readonly type: string
  /** Messages of one key keep their order everywhere. The order id, for everything in an order's life. */
  readonly key: string
  readonly data: object
}

/** A message in a log. */
export interface Message extends NewMessage {
  /** The service whose log it stands in. */
  readonly source: string
  readonly lane: number
  /** Dense per lane, from 1. */
  readonly position: number
  /** Derived from the input that caused it and its index. */
  readonly id: string
  /** The request that started it all. */
  readonly requestId: string
  /** The id of the input whose decision appended it. */
  readonly causeId: string
  /** Milliseconds, the `now` of that decision. */
  readonly at: number
}

export interface MessageType<Data extends object> {
  (data: Data): NewMessage
  readonly type: string
  readonly schema: TObject
  /** Only for the compiler. */
  readonly data?: Data
}

/** Declares a message type. `key` names the member of the data that orders it. */
export function message<const S extends TObject>(
  type: string,
  key: keyof Static<S> & string,
  schema: S,
): MessageType<Static<S> & object> {
  type Data = Static<S> & object
  const make = (data: Data): NewMessage => ({ type, key: (data as Record<string, string>)[key]!, data })
  return Object.assign(make, { type, schema })
}
