/** Every thread reads the number, adds one, writes it back. Between the two another thread may have done the same. */

export interface Thread {
  /** How often this thread is to count. */
  readonly times: number
  /** Memory that all threads share: `memory[0]` is the number they count with; the others are free to use. All begin at 0. */
  readonly memory: Int32Array
  /**
   * Stands for anything that may happen between two instructions: the operating system takes the core away, the other threads
   * go on. The first time that a thread comes here in the lab, exactly this happens.
   */
  pause(): void
  /** Sends a number to the thread that owns the sum: it alone adds what it gets to `memory[0]`, one message after the other. */
  send(number: number): void
}

/** Runs in each thread, all at the same time. In the end `memory[0]` should be the number of threads × `times`. */
export type Count = (thread: Thread) => Promise<void> | void

const count: Count = ({ memory, times, pause }) => {
  for (let i = 0; i < times; i++) {
    const seen = memory[0]!
    pause()
    memory[0] = seen + 1
  }
}

export default count
