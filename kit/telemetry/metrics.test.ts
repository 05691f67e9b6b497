import { describe, expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

const scrape = (metrics: ReturnType<typeof createMetrics>) => metrics.registry.metrics()

describe('metrics', () => {
  test('requests are counted by route, method and class of status', async () => {
    const metrics = createMetrics({ node: false })
    const record = metrics.httpRoute('POST', '/v1/orders')
    record(202, 4)
    record(202, 40)
    record(503, 1)
    const page = await scrape(metrics)
    expect(page).toContain('cauce_http_request_seconds_count{method="POST",route="/v1/orders",status="2xx"} 2')
    expect(page).toContain(
      'cauce_http_request_seconds_bucket{le="0.005",method="POST",route="/v1/orders",status="2xx"} 1',
    )
    expect(page).toContain('cauce_http_request_seconds_count{method="POST",route="/v1/orders",status="5xx"} 1')
  })

  test('two registries share nothing', async () => {
    const [one, two] = [createMetrics({ node: false }), createMetrics({ node: false })]
    one.problem('invalid')
    expect(await scrape(one)).toContain('cauce_http_problems_total{code="invalid"} 1')
    expect(await scrape(two)).not.toContain('code="invalid"')
  })

  test('what is, is asked for once per scrape and forgotten when gone', async () => {
    const metrics = createMetrics({ node: false })
    let asked = 0
    let samples = [{ group: 'payments', source: 'orders', lane: 3, lag: 7, oldestMs: 1500, parked: 1 }]
    metrics.watchLag(async () => {
      asked++
      return samples
    })
    const page = await scrape(metrics)
    expect(asked).toBe(1)
    expect(page).toContain('cauce_log_lag{group="payments",source="orders",lane="3"} 7')
    expect(page).toContain('cauce_log_oldest_seconds{group="payments",source="orders",lane="3"} 1.5')
    samples = []
    expect(await scrape(metrics)).not.toContain('lane="3"')
  })

  test('a callback that fails or hangs costs its gauge, not the page', async () => {
    const metrics = createMetrics({ node: false, watchTimeoutMs: 5 })
    metrics.watchTasks(() => Promise.reject(new Error('the database is away')))
    metrics.watchTasks(async () => [{ service: 'payments', queue: 'cards', state: 'due', count: 2 }])
    metrics.watchPools(() => new Promise(() => {}))
    const page = await scrape(metrics)
    expect(page).toContain('cauce_tasks{service="payments",queue="cards",state="due"} 2')
    expect(page).toContain('# TYPE cauce_pool_used gauge')
  })

  test('node metrics come with it', async () => {
    const page = await scrape(createMetrics())
    expect(page).toContain('nodejs_eventloop_lag_p99_seconds')
    expect(page).toContain('process_resident_memory_bytes')
  })

  test('mechanisms count by plain functions', async () => {
    const metrics = createMetrics({ node: false })
    metrics.command('orders', 'accepted', 12)
    metrics.batch('orders', 'command', 40, 9)
    metrics.messagesApplied('payments', 'orders', 40)
    metrics.messagesParked('payments', 'orders', 1)
    metrics.taskAttempt('cards', 'done', 80)
    metrics.breaker('cards', 'half-open')
    const page = await scrape(metrics)
    for (const line of [
      'cauce_command_seconds_count{service="orders",outcome="accepted"} 1',
      'cauce_batch_inputs_sum{service="orders",kind="command"} 40',
      'cauce_messages_applied_total{group="payments",source="orders"} 40',
      'cauce_messages_parked_total{group="payments",source="orders"} 1',
      'cauce_task_attempt_seconds_count{queue="cards",outcome="done"} 1',
      'cauce_breaker_open{provider="cards"} 0.5',
    ]) {
      expect(page).toContain(line)
    }
  })
})
