/** Where workers do tasks: keeps who did what when, and that each is done once, and one at a time by each worker. */
import type { Clock, Timers } from '@cauce/kit/core/clock'
import { integerBetween, type Random } from '@cauce/kit/core/prng'
import type { Task } from './work-stealing.naive.ts'

export interface AssignedTask extends Task {
  readonly ms: number
  /** The worker in whose queue it was put. */
  readonly assigned: number
}

/** A task that was done. */
export interface Done {
  readonly task: AssignedTask
  readonly worker: number
  readonly from: number
  readonly to: number
}

/** So many of all tasks are assigned to one worker: everybody's most important customer. */
const HOT_SHARE = 0.8
const TASK_MS = { least: 30, most: 70 } as const

export function assignTasks(count: number, workers: number, chance: Random): AssignedTask[] {
  const hot = Math.ceil(count * HOT_SHARE)
  const assigned = Array.from({ length: count }, (_, i) => (i < hot ? 0 : integerBetween(chance, 1, workers - 1)))
  const shuffled = assigned.map((worker) => ({ worker, at: chance.next() })).toSorted((one, other) => one.at - other.at)
  return shuffled.map(({ worker }, i) => ({
    name: `task-${i + 1}`,
    ms: integerBetween(chance, TASK_MS.least, TASK_MS.most),
    assigned: worker,
  }))
}

export class Floor {
  readonly done: Done[] = []
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #tasks: ReadonlyMap<string, AssignedTask>
  readonly #begun = new Set<string>()
  readonly #busy = new Set<number>()
  readonly #openedAt: number

  constructor(tasks: readonly AssignedTask[], { clock, timers }: { readonly clock: Clock; readonly timers: Timers }) {
    this.#tasks = new Map(tasks.map((task) => [task.name, task]))
    this.#clock = clock
    this.#timers = timers
    this.#openedAt = clock.monotonic()
  }

  /** Throws when the worker is busy, or the task was begun before. */
  async run(worker: number, name: string): Promise<void> {
    const task = this.#tasks.get(name)
    if (!task) throw new Error(`There is no task ${name}`)
    if (this.#begun.has(name)) throw new Error(`${name} was begun before`)
    if (this.#busy.has(worker)) throw new Error(`Worker ${worker} is busy: it does one task at a time`)
    this.#begun.add(name)
    this.#busy.add(worker)
    const from = this.#now()
    await this.#timers.sleep(task.ms)
    this.#busy.delete(worker)
    this.done.push({ task, worker, from, to: this.#now() })
  }

  /** A worker that has nothing to do. */
  free(workers: number): number {
    for (let worker = 0; worker < workers; worker++) if (!this.#busy.has(worker)) return worker
    throw new Error(`All ${workers} workers are busy`)
  }

  #now(): number {
    return this.#clock.monotonic() - this.#openedAt
  }
}
