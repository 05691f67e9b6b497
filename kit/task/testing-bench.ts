/** What the tests of a queue of tasks work with: one adapter, and for each test a type and ids of its own. */
import type { PendingTask, PendingTimer, Settlement, StoredTask, Task, TaskHold, TaskQueue, TaskStore } from './port.ts'

export interface TaskTransaction {
  /** Milliseconds by the store's clock. */
  readonly begun: Promise<number>
  readonly tasks: TaskStore
  commit(): Promise<void>
  rollback(): Promise<void>
}

export interface TaskAdapter {
  readonly queue: TaskQueue
  begin(): Promise<TaskTransaction>
  /** Time passes for every task: they are due, and their leases end, this much earlier. */
  pass(ms: number): Promise<void>
  /** Resolves once somebody waits for a lock. */
  blocked(): Promise<void>
  close(): Promise<void>
}

export const LEASE_MS = 30_000
export const HOUR_MS = 3_600_000
export const none = { enqueued: [], scheduled: [], unscheduled: [] }

export const hold = ({ id, token }: TaskHold): TaskHold => ({ id, token })
export const done = (task: Task): Settlement => ({
  ...hold(task),
  state: 'done',
  outcome: { kind: 'done' },
  error: null,
})

export class TaskBench {
  readonly adapter: TaskAdapter
  readonly queue: TaskQueue
  readonly type: string

  constructor(adapter: TaskAdapter, type: string) {
    this.adapter = adapter
    this.queue = adapter.queue
    this.type = type
  }

  id(task: string): string {
    return `${this.type}.${task}`
  }

  async now(): Promise<number> {
    const tx = await this.adapter.begin()
    const at = await tx.begun
    await tx.rollback()
    return at
  }

  /** Runs in a transaction and commits. */
  async within<T>(run: (tasks: TaskStore, at: number) => Promise<T>): Promise<T> {
    const tx = await this.adapter.begin()
    try {
      const result = await run(tx.tasks, await tx.begun)
      await tx.commit()
      return result
    } catch (error) {
      await tx.rollback()
      throw error
    }
  }

  pending(task: string, at: number, rest: Partial<PendingTask> = {}): PendingTask {
    const origin = { requestId: 'request', causeId: 'cause', at }
    return { id: this.id(task), type: this.type, key: 'ord_1', data: { task }, ...origin, ...rest }
  }

  /** Due `dueInMs` from now. */
  enqueue(task: string, dueInMs = 0, rest: Partial<PendingTask> = {}): Promise<void> {
    return this.within((tasks, at) =>
      tasks.apply({ ...none, enqueued: [this.pending(task, at, { dueAt: at + dueInMs, ...rest })] }),
    )
  }

  schedule(timer: string, dueInMs: number, data: object = {}): Promise<void> {
    return this.within((tasks, at) => {
      const scheduled: PendingTimer[] = [{ ...this.pending(timer, at, { data }), dueAt: at + dueInMs }]
      return tasks.apply({ ...none, scheduled })
    })
  }

  unschedule(...timers: readonly string[]): Promise<void> {
    return this.within((tasks) => tasks.apply({ ...none, unscheduled: timers.map((timer) => this.id(timer)) }))
  }

  claim(limit = 10, leaseMs = LEASE_MS): Promise<readonly Task[]> {
    return this.queue.claim([this.type], limit, leaseMs)
  }

  async claimOne(): Promise<Task> {
    return (await this.claim(1))[0]!
  }

  lock(...tasks: readonly Task[]): Promise<readonly TaskHold[]> {
    return this.within((store) => store.lock(tasks.map(hold)))
  }

  settle(...settlements: readonly Settlement[]): Promise<void> {
    return this.within((store) => store.settle(settlements))
  }

  async stored(task: string): Promise<StoredTask> {
    return (await this.queue.find(this.id(task)))!
  }
}
