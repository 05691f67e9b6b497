/**
 * Effects and timers of a made-up kind for tests: `job` is an effect's outcome, `bell` a timer; the command `Start` begins them.
 * Each decision counts in its counter and says in the log what it was told and its `now`.
 */
import { accept, enqueue, onCommand, onTask, schedule, unschedule, type Decision } from './decision.ts'
import { counters, tallyService, type Counter } from './testing.ts'

export interface Job {
  readonly key: string
  /** What the decision does with the result. */
  readonly does?: 'throw' | 'refuse' | 'again' | 'stop'
  readonly badge?: string
}

const said = (key: string, text: string, at: number) => ({ type: 'Said', key, data: { text, at } })

/** Counts how often it decided, and says what it was told. */
const job = onTask<Job>('job', {
  lock: ({ data }) => [counters.key(data.key)],
  decide({ data: { key, does }, result }, rows, { now }): Decision {
    const before = rows.get(counters, key)
    const count = (before?.value ?? 0) + 1
    const row: Counter = {
      key,
      value: does === 'refuse' ? -1 : count,
      badge: null,
      history: [...(before?.history ?? []), count],
    }
    if (does === 'throw') throw new TypeError('a bug')
    const text =
      result.kind === 'done'
        ? JSON.stringify(result.result)
        : `${result.kind} ${'reason' in result ? result.reason : ''}`
    return accept({ changes: [before ? counters.update(row) : counters.insert(row)], messages: [said(key, text, now)] })
  },
})

/** A timer; `does` says what its firing does with it. */
const bell = onTask<Job>('bell', {
  lock: ({ data }) => [counters.key(data.key)],
  decide(input, rows, context): Decision {
    const rung = (job.decide as (...args: unknown[]) => Decision)(input, rows, context)
    const { key, does } = input.data
    if (rung.kind !== 'accepted') return rung
    if (does === 'again') return { ...rung, tasks: [ring(key, context.now + 60_000, { key, does })] }
    if (does === 'stop') return { ...rung, tasks: [unschedule(`bell of ${key}`)] }
    return rung
  },
})

const ring = (key: string, dueAt: number, data: Job) =>
  schedule({ id: `bell of ${key}`, type: 'bell', key, data, dueAt })

/** Starts what the data says. `inMs` is relative to the decision's `now`. */
const start = onCommand<{
  key: string
  jobs?: readonly Job[]
  ring?: { inMs: number; data?: Partial<Job> }
  stop?: boolean
}>('Start', {
  lock: ({ key }) => [counters.key(key)],
  decide({ key, jobs = [], ring: bellIn, stop }, rows, { now }) {
    const before = rows.get(counters, key)
    const tasks = jobs.map((data) => enqueue({ type: 'job', key, data }))
    if (bellIn) tasks.push(ring(key, now + bellIn.inMs, { key, ...bellIn.data }))
    if (stop) tasks.push(unschedule(`bell of ${key}`))
    const touched = { key, badge: null, history: before?.history ?? [], value: before?.value ?? 0 }
    return accept({ tasks, changes: [before ? counters.update(touched) : counters.insert(touched)], reply: now })
  },
})

/** The tally service with a job, a bell and a command that starts them. */
export const jobService = tallyService({ tasks: [job, bell], commands: [start] })
