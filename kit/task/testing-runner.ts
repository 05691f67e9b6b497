/** A runner over a queue in memory, in manual time, with faults where a test wants them. */
import { ManualTime } from '../core/manual-time.ts'
import { Signal } from '../core/signal.ts'
import { openWorld, type World } from '../pipeline/testing.ts'
import type { Effect, EffectContext, FinishedTask, Outcome } from './outcome.ts'
import type { NewTask, TaskQueue } from './port.ts'
import { TaskRunner, type TaskRunnerOptions } from './runner.ts'

export const LEASE_MS = 30_000

export interface RunnerBench {
  readonly time: ManualTime
  readonly world: World
  readonly finished: FinishedTask[]
  readonly errors: Error[]
  /** Calls of the queue's claims. */
  readonly counts: { claims: number }
  readonly wake: Signal
  queue: TaskQueue
  /** Set to make settling fail. */
  settleError: Error | undefined
  start(rest?: Partial<TaskRunnerOptions>): { stop(): Promise<void>; stopped: Promise<void> }
  enqueue(...tasks: readonly (Partial<NewTask> & { id: string })[]): Promise<void>
  stateOf(id: string): Promise<string | undefined>
}

export async function openRunner(): Promise<RunnerBench> {
  const time = new ManualTime()
  const world = await openWorld('memory', { clock: time, timers: time })
  const { transactions, queue } = world.tally
  const counts = { claims: 0 }
  const bench: RunnerBench = {
    time,
    world,
    finished: [],
    errors: [],
    counts,
    wake: new Signal(time),
    settleError: undefined,
    queue: {
      ...queue,
      claim: (...args) => {
        counts.claims++
        return queue.claim(...args)
      },
    },
    start(rest = {}) {
      const abort = new AbortController()
      const runner = new TaskRunner({
        queue: bench.queue,
        effects: new Map(),
        timerTypes: [],
        settle: (finished) => settle(bench, finished),
        clock: time,
        timers: time,
        wake: bench.wake,
        leaseMs: LEASE_MS,
        onError: (error) => bench.errors.push(error),
        ...rest,
      })
      const stopped = runner.run(abort.signal)
      return {
        stopped,
        stop: () => {
          abort.abort()
          return time.finish(stopped)
        },
      }
    },
    async enqueue(...tasks) {
      const work = await transactions.begin()
      const at = await work.begun
      const enqueued = tasks.map((task) => ({
        type: 'mail',
        key: 'k',
        data: {},
        ...task,
        requestId: 'r',
        causeId: 'c',
        at,
      }))
      await Promise.all([work.tasks.apply({ enqueued, scheduled: [], unscheduled: [] }), work.commit()])
    },
    stateOf: async (id) => (await queue.find(id))?.state,
  }
  return bench
}

/** Puts answers where the pipeline would: done is done, retry comes back a second later. */
async function settle(
  { world, time, settleError, finished }: RunnerBench,
  batch: readonly FinishedTask[],
): Promise<void> {
  if (settleError) throw settleError
  const work = await world.tally.transactions.begin()
  const held = await work.tasks.lock(batch.map(({ task }) => ({ id: task.id, token: task.token })))
  const ids = new Set(held.map(({ id }) => id))
  const current = batch.filter(({ task }) => ids.has(task.id))
  await work.tasks.settle(
    current.map(({ task: { id, token }, outcome }) =>
      outcome.kind === 'retry'
        ? { id, token, state: 'open', dueAt: time.now() + 1000, error: outcome.reason, refund: false }
        : { id, token, state: 'done', outcome: null, error: null },
    ),
  )
  await work.commit()
  finished.push(...current)
}

export const effect = (
  run: (data: object, context: EffectContext) => Promise<Outcome>,
  rest: Partial<Effect> = {},
): Effect => ({
  type: 'mail',
  backoff: { baseMs: 1000, capMs: 10_000, attempts: 5 },
  timeoutMs: 600_000,
  concurrency: 10,
  run: (data, context) => run(data, context),
  ...rest,
})

export const effects = (...list: readonly Effect[]) => ({ effects: new Map(list.map((one) => [one.type, one])) })
export const never = new Promise<Outcome>(() => undefined)
