/** Acknowledges on receipt, then works. What fails, or dies, after that is nobody's any more. */

export interface Message {
  readonly id: string
}

/** The broker, as a consumer sees it. */
export interface Broker {
  /**
   * The next message; waits for one. It is this consumer's for `leaseMs`; when neither `ack` nor `nack` was called by then, the
   * broker gives it to whoever asks next. Undefined when there is nothing left: every message has been acknowledged.
   */
  receive(): Promise<Message | undefined>
  /** Done: the broker forgets it. */
  ack(message: Message): Promise<void>
  /** Not done: the broker delivers it again, a little later. */
  nack(message: Message): Promise<void>
  readonly leaseMs: number
}

/** The work of a message. Rejects when it could not be done, this time. */
export type Handle = (message: Message) => Promise<void>

/** Takes messages until there are none. The process may be killed while it handles one; then another one begins. */
export type Consume = (broker: Broker, handle: Handle) => Promise<void>

const autoAck: Consume = async ({ receive, ack }, handle) => {
  for (let message = await receive(); message; message = await receive()) {
    await ack(message)
    await handle(message).catch(() => undefined)
  }
}

export default autoAck
