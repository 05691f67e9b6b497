/**
 * Metrics of one process, for Prometheus. A registry of its own per call, so that tests and twin servers in one process do not
 * share counters. Mechanisms get plain functions and never see prom-client.
 *
 * What happens is counted as it happens. What *is* (lag, queue sizes, pool use) is asked for at the scrape, through `watch…`: a
 * callback that fails or takes too long leaves its gauge empty for that scrape, and the rest of the page is still served.
 */

import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { systemTimers } from '../core/clock.ts'
import type { Timers } from '../core/clock.ts'
import { within } from '../policy/deadline.ts'

export interface LagSample {
  readonly group: string
  readonly source: string
  readonly lane: number
  /** Messages between the cursor and the head. */
  readonly lag: number
  /** Age of the oldest unapplied message. */
  readonly oldestMs: number
  readonly parked: number
}
export interface TaskSample {
  readonly service: string
  readonly queue: string
  readonly state: string
  readonly count: number
}
export interface PoolSample {
  readonly pool: string
  readonly used: number
  readonly idle: number
  readonly waiting: number
}

export interface MetricsOptions {
  /** Node's own metrics: memory, garbage collection, event loop delay, CPU. Defaults to true. */
  readonly node?: boolean
  /** How long a scrape waits for one `watch` callback. Defaults to 1000. */
  readonly watchTimeoutMs?: number
  readonly timers?: Timers
}

export type Metrics = ReturnType<typeof createMetrics>

const httpBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10]
const batchBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500]

export function createMetrics(options: MetricsOptions = {}) {
  const registry = new Registry()
  const registers = [registry]
  // A sample of the event loop every 100 ms: at the default of 10 ms an idle process spends its time on being measured.
  if (options.node ?? true) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers })

  const requests = histogram(
    'cauce_http_request_seconds',
    'Time to answer, by class of status',
    ['method', 'route', 'status'],
    httpBuckets,
  )
  const problems = counter('cauce_http_problems_total', 'Problem documents answered', ['code'])
  const commands = histogram(
    'cauce_command_seconds',
    'From a command being taken to its reply',
    ['service', 'outcome'],
    httpBuckets,
  )
  const batches = histogram(
    'cauce_batch_inputs',
    'Inputs decided in one transaction',
    ['service', 'kind'],
    batchBuckets,
  )
  const transactions = histogram('cauce_batch_seconds', 'Time of one transaction', ['service', 'kind'], httpBuckets)
  const applied = counter('cauce_messages_applied_total', 'Messages applied', ['group', 'source'])
  const parked = counter('cauce_messages_parked_total', 'Messages parked', ['group', 'source'])
  const attempts = histogram('cauce_task_attempt_seconds', 'Attempts at tasks', ['queue', 'outcome'], httpBuckets)
  const breakers = new Gauge({
    name: 'cauce_breaker_open',
    help: '0 closed, 0.5 half-open, 1 open',
    labelNames: ['provider'],
    registers,
  })

  return {
    registry,
    /** A recorder for one route; call it with the status and how long the answer took. */
    httpRoute(method: string, route: string): (status: number, ms: number) => void {
      const classes = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'].map((status) => requests.labels(method, route, status))
      return (status, ms) => classes[Math.trunc(status / 100)]?.observe(ms / 1000)
    },
    problem: (code: string) => problems.inc({ code }),
    command: (service: string, outcome: string, ms: number) => commands.observe({ service, outcome }, ms / 1000),
    batch(service: string, kind: string, inputs: number, ms: number) {
      batches.observe({ service, kind }, inputs)
      transactions.observe({ service, kind }, ms / 1000)
    },
    messagesApplied: (group: string, source: string, count: number) => applied.inc({ group, source }, count),
    messagesParked: (group: string, source: string, count: number) => parked.inc({ group, source }, count),
    taskAttempt: (queue: string, outcome: string, ms: number) => attempts.observe({ queue, outcome }, ms / 1000),
    breaker: (provider: string, state: 'closed' | 'open' | 'half-open') =>
      breakers.set({ provider }, state === 'closed' ? 0 : state === 'open' ? 1 : 0.5),
    ...watchers(registry, options),
  }
}

function watchers(registry: Registry, options: MetricsOptions) {
  const { watchTimeoutMs = 1_000, timers = systemTimers } = options

  /** Gauges that show the same samples. A scrape collects all gauges at once; the first one to ask fetches for all. */
  function gaugesOf<Sample>(
    labelNames: string[],
    gauges: Record<string, [help: string, value: (sample: Sample) => number]>,
  ) {
    const sources: (() => Promise<readonly Sample[]>)[] = []
    const entries = Object.entries(gauges)
    let fetching: Promise<void> | undefined
    const collect = () => (fetching ??= refresh().finally(() => (fetching = undefined)))
    const made = entries.map(([name, [help]]) => new Gauge({ name, help, labelNames, registers: [registry], collect }))
    async function refresh() {
      const samples = (await Promise.all(sources.map((source) => atMost(source)))).flat()
      made.forEach((gauge, i) => {
        gauge.reset()
        for (const sample of samples) {
          const labels = Object.fromEntries(labelNames.map((label) => [label, String(sample[label as keyof Sample])]))
          gauge.set(labels, entries[i]![1][1](sample))
        }
      })
    }
    return (source: () => Promise<readonly Sample[]>): void => void sources.push(source)
  }

  async function atMost<Sample>(source: () => Promise<readonly Sample[]>): Promise<readonly Sample[]> {
    try {
      return await within(watchTimeoutMs, timers, source)
    } catch {
      return []
    }
  }

  return {
    /** Asks for the lag of every (group, source, lane) at each scrape. */
    watchLag: gaugesOf<LagSample>(['group', 'source', 'lane'], {
      cauce_log_lag: ['Messages not applied yet', (sample) => sample.lag],
      cauce_log_oldest_seconds: ['Age of the oldest message not applied yet', (sample) => sample.oldestMs / 1000],
      cauce_log_parked: ['Messages parked now', (sample) => sample.parked],
    }),
    /** Asks for the number of tasks by queue and state at each scrape. */
    watchTasks: gaugesOf<TaskSample>(['service', 'queue', 'state'], {
      cauce_tasks: ['Tasks', (sample) => sample.count],
    }),
    /** Asks for the use of connection pools at each scrape. */
    watchPools: gaugesOf<PoolSample>(['pool'], {
      cauce_pool_used: ['Connections in use', (sample) => sample.used],
      cauce_pool_idle: ['Connections idle', (sample) => sample.idle],
      cauce_pool_waiting: ['Callers waiting for a connection', (sample) => sample.waiting],
    }),
  }
}
