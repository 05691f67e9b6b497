/** Accepts everything, and keeps what the consumer has not come to yet. */

export interface Item {
  readonly id: number
  readonly body: Uint8Array
}

/** `accepted` is answered with 202, `refused` with 503 and Retry-After: its producer keeps the item and sends it again later. */
export type Answer = 'accepted' | 'refused'

/** What lies between the HTTP server and the consumer. */
export interface Channel {
  /** Called for each request. Its answer leaves when the promise resolves; until then the producer waits. */
  offer(item: Item): Answer | Promise<Answer>
  /** Called by the consumer when it is done with the item before. Resolves with the next one, when there is one. */
  take(): Promise<Item>
}

export interface Limits {
  /** How many items the channel may hold. */
  readonly capacity: number
  /** To be called for each item that is thrown away; what is neither taken, refused nor told here counts as vanished. */
  dropped(item: Item): void
}

export type MakeChannel = (limits: Limits) => Channel

const unbounded: MakeChannel = () => {
  const items: Item[] = []
  let wake = () => {}
  return {
    offer(item) {
      items.push(item)
      wake()
      return 'accepted'
    },
    async take() {
      for (;;) {
        const next = items.shift()
        if (next) return next
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

export default unbounded
