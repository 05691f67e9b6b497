/** Each worker does what was assigned to it, and goes home. What lies in front of the others is none of its business. */

/** How long it takes is known when it is done. */
export interface Task {
  readonly name: string
}

/** All workers run on one event loop: between two awaits, nobody else touches the queues. */
export interface Worker {
  /** From 0. */
  readonly number: number
  /** A queue for each worker; its own is `queues[number]`. Every task lies in one of them. */
  readonly queues: readonly Task[][]
  /** Does a task. A worker does one at a time. */
  run(task: Task): Promise<void>
}

/** The day of one worker: it ends when there is nothing left to do for it. */
export type Work = (worker: Worker) => Promise<void>

const work: Work = async ({ number, queues, run }) => {
  const own = queues[number]!
  for (let task = own.shift(); task; task = own.shift()) await run(task)
}

export default work
