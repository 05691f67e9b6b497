/**
 * Three questions with three askers. `/livez`: is the process alive (a supervisor, who restarts it)? It looks at nothing outside,
 * or a database that is down would have every process restarted. `/readyz`: may it get traffic (a load balancer)? It runs the
 * checks. `/metrics`: how is it doing (Prometheus)?
 *
 * Readiness asked by many costs one run: askers share the run in progress. What failed is logged; the answer only names the check.
 */

import { Type } from 'typebox'
import type { Timers } from '../core/clock.ts'
import { within } from '../policy/deadline.ts'
import type { KitLog } from '../telemetry/events.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Drain } from './drain.ts'
import { answers } from './openapi.ts'
import { passingProblem } from './problem.ts'
import type { HttpServer } from './server-types.ts'

/** Resolves when all is well; rejects, or takes longer than the limit, when it is not. */
export type Check = () => Promise<unknown>

export interface HealthOptions {
  readonly version: string
  readonly checks: Readonly<Record<string, Check>>
  readonly metrics: Metrics
  readonly drain: Drain
  readonly log: KitLog
  readonly timers: Timers
  /** How long a check may take. Defaults to 1000. */
  readonly checkTimeoutMs?: number
}

const Version = Type.String({ examples: ['0.1.0'] })
const Live = Type.Object({ status: Type.Literal('alive'), version: Version })
const Ready = Type.Object({
  status: Type.Literal('ready'),
  version: Version,
  checks: Type.Array(Type.String({ examples: ['database'] })),
})
const Page = Type.String({
  description: 'In the text format of Prometheus',
  examples: ['# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\n'],
})

export function healthRoutes(app: HttpServer, options: HealthOptions): void {
  const { version, checks, metrics, drain, log, timers, checkTimeoutMs = 1_000 } = options
  const config = { access: 'open', priority: 0 } as const
  const tags = ['operations']
  let running: Promise<string[]> | undefined

  app.get('/livez', { config, schema: { tags, summary: 'Is the process alive?', ...answers({ 200: Live }) } }, () => ({
    status: 'alive' as const,
    version,
  }))

  app.get(
    '/readyz',
    { config, schema: { tags, summary: 'May it get traffic?', refusals: ['not-ready'], ...answers({ 200: Ready }) } },
    async () => {
      if (drain.started) throw passingProblem('not-ready', 'This process is shutting down. Ask another one', 1)
      running ??= failing().finally(() => (running = undefined))
      const failed = await running
      if (failed.length > 0)
        throw passingProblem('not-ready', `Not ready: ${failed.join(', ')}. It recovers by itself; ask again`, 2)
      return { status: 'ready' as const, version, checks: Object.keys(checks) }
    },
  )

  app.get(
    '/metrics',
    {
      config: { ...config, produces: 'text/plain' },
      schema: { tags, summary: 'Metrics for Prometheus', produces: ['text/plain'], ...answers({ 200: Page }) },
    },
    async (_request, reply) => {
      const page = await metrics.registry.metrics()
      return reply.type(metrics.registry.contentType).send(page)
    },
  )

  async function failing(): Promise<string[]> {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => ((await passes(name, check)) ? [] : [name])),
    )
    return results.flat()
  }

  async function passes(name: string, check: Check): Promise<boolean> {
    try {
      await within(checkTimeoutMs, timers, check)
      return true
    } catch (err) {
      log('http.not-ready', { check: name, err })
      return false
    }
  }
}
