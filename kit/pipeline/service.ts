/**
 * A service: its tables, its deciders, its effects. `startService` puts them on a storage and sets them going; the same
 * definition runs over PostgreSQL and over memory.
 */
import type { Forked, GroupReader } from '../consumer/port.ts'
import type { Clock, Timers } from '../core/clock.ts'
import type { Random } from '../core/prng.ts'
import { Signal } from '../core/signal.ts'
import type { Table } from '../database/table.ts'
import type { LogReader } from '../log/port.ts'
import type { Effect, FinishedTask, Outcome } from '../task/outcome.ts'
import type { Task, TaskQueue } from '../task/port.ts'
import { TaskRunner } from '../task/runner.ts'
import { CommandQueue } from './commands.ts'
import { runConsumer } from './consumer.ts'
import type { Decider, Handler } from './decision.ts'
import type { Input } from './input.ts'
import { outcomeSource } from './outcomes.ts'
import { Pipeline, type Committed } from './pipeline.ts'
import type { Transactions } from './unit-of-work.ts'

export interface ServiceDefinition {
  /** Also its schema, its log and its consumer group. */
  readonly name: string
  /** In lock order. */
  readonly tables: readonly Table<object>[]
  readonly commands: readonly Decider[]
  readonly messages: readonly Decider[]
  readonly tasks: readonly Decider[]
}

export interface Storage {
  readonly transactions: Transactions
  readonly groups: GroupReader
  readonly queue: TaskQueue
}

/** What a running service tells: for logs and metrics. Nothing here may throw. */
export interface ServiceObserver {
  onCommit?(committed: Committed, ms: number): void
  onAttempt?(task: Task, outcome: Outcome, ms: number): void
  onForked?(forked: Forked): void
  onError?(where: 'consumer' | 'tasks', error: Error): void
}

export interface ServiceOptions {
  readonly definition: ServiceDefinition
  readonly storage: Storage
  /** The logs it reads. */
  readonly readers: readonly LogReader[]
  readonly effects: readonly Effect[]
  readonly clock?: Clock
  readonly timers: Timers
  readonly random: Random
  readonly observer?: ServiceObserver
  /** Called when the service's log has grown: wakes its readers. */
  readonly onAppend?: (appended: Pick<Committed, 'messages' | 'heads'>) => void
  readonly leaseMs?: number
}

export interface RunningService {
  readonly definition: ServiceDefinition
  readonly commands: CommandQueue
  readonly pipeline: Pipeline
  readonly storage: Storage
  /** To be notified when one of the logs it reads has grown. */
  readonly consumerWake: Signal
  /** To be notified when another process enqueued tasks. */
  readonly taskWake: Signal
  /** Stops taking work, finishes what is in hand. */
  stop(): Promise<void>
}

/** The handler of an input, by kind and type. Refuses two handlers for one type. */
export function router(definition: ServiceDefinition): (input: Input) => Handler<never> | undefined {
  const table = (deciders: readonly Decider[]) => {
    const byType = new Map(deciders.map((decider) => [decider.type, decider]))
    if (byType.size !== deciders.length) throw new Error(`${definition.name} has two deciders for one type`)
    return byType
  }
  const routes = {
    command: table(definition.commands),
    message: table(definition.messages),
    task: table(definition.tasks),
  }
  return ({ kind, type }) => routes[kind].get(type)
}

export function startService(options: ServiceOptions): RunningService {
  const { definition, storage, readers, timers, random, observer } = options
  const stopping = new AbortController()
  const consumerWake = new Signal(timers)
  const taskWake = new Signal(timers)
  const pipeline = new Pipeline({
    transactions: storage.transactions,
    tables: definition.tables,
    handler: router(definition),
    ...(options.clock ? { clock: options.clock } : {}),
    timers,
    random,
    onCommit(committed, { tasks, ms }) {
      if (committed.messages.length > 0) options.onAppend?.(committed)
      if (tasks > 0) taskWake.notify()
      observer?.onCommit?.(committed, ms)
    },
  })
  const commands = new CommandQueue(pipeline)
  const work = [
    ...(readers.length > 0 ? [consume(options, pipeline, consumerWake, stopping.signal)] : []),
    ...(definition.tasks.length > 0 ? [perform(options, pipeline, taskWake).run(stopping.signal)] : []),
  ]
  return {
    definition,
    commands,
    pipeline,
    storage,
    consumerWake,
    taskWake,
    async stop() {
      await commands.idle()
      stopping.abort()
      await Promise.all(work)
    },
  }
}

function consume(options: ServiceOptions, pipeline: Pipeline, wake: Signal, signal: AbortSignal): Promise<void> {
  const { definition, storage, readers, timers, random, observer } = options
  return runConsumer(
    {
      group: definition.name,
      groups: storage.groups,
      readers,
      pipeline,
      timers,
      random,
      wake,
      onForked: (forked) => observer?.onForked?.(forked),
      onError: (error) => observer?.onError?.('consumer', error),
    },
    signal,
  )
}

function perform(options: ServiceOptions, pipeline: Pipeline, wake: Signal): TaskRunner {
  const { definition, storage, timers, random, observer, leaseMs } = options
  const effects = new Map(options.effects.map((effect) => [effect.type, effect]))
  const source = outcomeSource({ effects, random })
  const timerTypes = definition.tasks.map((decider) => decider.type).filter((type) => !effects.has(type))
  return new TaskRunner({
    queue: storage.queue,
    effects,
    timerTypes,
    settle: async (finished: readonly FinishedTask[]): Promise<void> => {
      await pipeline.run(source, finished)
    },
    timers,
    wake,
    ...(options.clock ? { clock: options.clock } : {}),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    onAttempt: (task, outcome, ms) => observer?.onAttempt?.(task, outcome, ms),
    onError: (error) => observer?.onError?.('tasks', error),
  })
}
