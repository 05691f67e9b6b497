/** Looks whether there is one left, then takes one: two steps, each of them atomic. Two buyers can look before one takes. */

export interface Thread {
  /** `owner`, or one of the buyers: `buyer-1`, `buyer-2` … */
  readonly name: string
  /** Of a buyer: how many units it would like, one at a time. */
  readonly wants: number
  /** Memory that all threads share: `memory[0]` is how many units there are; the others are 0 and free to use. */
  readonly memory: Int32Array
  /**
   * Stands for anything that may happen between two instructions: the operating system takes the core away, the other threads go
   * on. The first buyer that comes here in the lab sleeps until the others have bought all there is.
   */
  pause(): void
  /** Puts a message into the mailbox of a thread. Buyers can write to `owner`, and the owner to all of them. */
  send(to: string, message: unknown): void
  /** Takes the next message out of this thread's mailbox, in the order in which they came. Undefined when there will be no more. */
  receive(): Promise<unknown>
}

/** Runs in each thread. What a buyer's gives is how many units it has bought; the owner's value is not looked at. */
export type Run = (thread: Thread) => Promise<number> | number

const run: Run = ({ name, wants, memory, pause }) => {
  if (name === 'owner') return 0
  let bought = 0
  while (bought < wants && Atomics.load(memory, 0) > 0) {
    pause()
    Atomics.sub(memory, 0, 1)
    bought += 1
  }
  return bought
}

export default run
