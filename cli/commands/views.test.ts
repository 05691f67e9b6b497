import { describe, expect, test } from 'vitest'
import { json, loseConnection, problem, testWorld, typed, type Handler } from '../testing.ts'

const view = {
  name: 'order-list',
  service: 'orders',
  state: 'active',
  generation: 1,
  since: '2026-01-02T03:04:05.678Z',
  lag: 3,
  oldestMs: 1500,
  error: null,
  building: null,
}
const building = { generation: 2, phase: 'seeding', done: 10, total: 40, error: null }

describe('cauce views', () => {
  test('list shows how far they are', async () => {
    const items = [
      { ...view, building },
      { ...view, name: 'order-timeline', state: 'stopped', error: 'orders/3: why' },
    ]
    const world = testWorld(() => json(200, { items }))
    const { code, out } = await typed('views list', world)
    expect(code).toBe(0)
    expect(out).toMatch(/order-list +orders +is read +1 .* 3 +1.50 s +copying 10\/40/)
    expect(out).toMatch(/order-timeline +orders +stands still .*orders\/3: why/)
    const spanish = await typed(
      'views list --lang es',
      testWorld(() => json(200, { items })),
    )
    expect(spanish.out).toMatch(/Vista +Servicio .*\n.*copiando 10\/40/)
    expect(
      JSON.parse(
        (
          await typed(
            'views list --json',
            testWorld(() => json(200, { items })),
          )
        ).out,
      ),
    ).toEqual({ items })
  })

  test('rebuild asks for one, or for all, and says which', async () => {
    const asked: string[] = []
    const handler: Handler = (url, { method = 'GET' }) => {
      asked.push(`${method} ${url.pathname}`)
      if (method === 'POST') return json(202, { ...view, building: { ...building, phase: 'asked' } })
      return json(200, { items: [view, { ...view, name: 'order-timeline' }] })
    }
    const one = await typed('views rebuild order-list', testWorld(handler))
    expect(one.code).toBe(0)
    expect(one.out).toContain('asked for 10/40')
    expect(asked).toEqual(['GET /v1/ops/views', 'POST /v1/ops/views/order-list/rebuild'])
    asked.length = 0
    await typed('views rebuild --all', testWorld(handler))
    expect(asked.slice(1)).toEqual([
      'POST /v1/ops/views/order-list/rebuild',
      'POST /v1/ops/views/order-timeline/rebuild',
    ])
    for (const line of ['views rebuild', 'views rebuild order-list --all']) {
      expect(await typed(line, testWorld(handler))).toMatchObject({ code: 2, err: 'Name a view, or say --all.\n' })
    }
  })

  test('rebuild --wait ends when the new one is read', async () => {
    let looks = 0
    const steps = [view, { ...view, building }, { ...view, building: { ...building, phase: 'tailing', done: 39 } }]
    const handler: Handler = (_url, { method = 'GET' }) => {
      if (method === 'POST') return json(202, { ...view, building })
      return json(200, { items: [steps[looks++] ?? { ...view, generation: 2 }] })
    }
    const { code, out } = await typed('views rebuild order-list --wait --json', testWorld(handler))
    expect([code, (JSON.parse(out) as { items: { generation: number }[] }).items[0]!.generation, looks]).toEqual([
      0, 2, 4,
    ])
  })

  test('a view that there is not is told', async () => {
    const handler: Handler = (_url, { method = 'GET' }) =>
      method === 'POST' ? problem(404, 'not-found') : json(200, { items: [view] })
    expect((await typed('views rebuild ghosts', testWorld(handler))).code).toBe(1)
  })
})

test('cauce order timeline tells every hop in a line', async () => {
  const at = '2026-01-02T03:04:05.000Z'
  const items = [
    { at, service: 'orders', kind: 'request', name: 'POST /v1/orders', detail: { requestId: 'req-7' }, attempt: null },
    { at, service: 'orders', kind: 'state', name: 'authorizing', detail: {}, attempt: null },
    {
      at: '2026-01-02T03:04:05.250Z',
      service: 'shipping',
      kind: 'task',
      name: 'book-shipment',
      detail: { state: 'open', nextAttemptAt: '2026-01-02T03:04:09.000Z', lastError: 'busy' },
      attempt: 2,
    },
  ]
  const { code, out } = await typed(
    'order timeline ord_1',
    testWorld(() => json(200, { items })),
  )
  expect(code).toBe(0)
  expect(out).toMatch(/\+0 ms +orders +request +POST \/v1\/orders +req-7/)
  expect(out).toMatch(
    /\+250 ms +shipping +task +book-shipment +open · attempts: 2 · next at 2026-01-02T03:04:09.000Z · busy/,
  )
})

describe('cauce order watch', () => {
  const order = (status: string, version: number) => ({
    id: 'ord_1',
    status,
    version,
    payment: { status: 'authorized' },
    shipment: null,
    failure: null,
    updatedAt: '2026-01-02T03:04:05.000Z',
  })
  const stream = (...orders: { version: number }[]) =>
    new Response(
      `:\n\n${orders.map((each) => `id: ${each.version}\nevent: order\ndata: ${JSON.stringify(each)}\n\n`).join(':\n\n')}`,
      { status: 200, headers: { 'content-type': 'text/event-stream' } },
    )

  /** Breaks off twice on the way; the rest comes to whoever says where they were. */
  function server() {
    const asked: (string | undefined)[] = []
    const handler: Handler = (url, request) => {
      const last = (request.headers as Record<string, string>)['last-event-id']
      asked.push(last)
      if (asked.length === 2) return loseConnection(url, request)
      if (asked.length === 3) return problem(503, 'too-busy')
      if (last === '5') return new Response(null, { status: 204 })
      return last === undefined
        ? stream(order('authorizing', 1), order('reserving', 2))
        : stream(order('shipping', 3), order('completed', 5))
    }
    return { asked, handler }
  }

  test('shows each status once, and goes on where it was', async () => {
    const { asked, handler } = server()
    const { code, out } = await typed('order watch ord_1', testWorld(handler))
    expect(code).toBe(0)
    const statuses = out
      .trim()
      .split('\n')
      .map((line) => line.split('  ')[1])
    expect(statuses).toEqual(['authorizing', 'reserving', 'shipping', 'completed'])
    expect(asked).toEqual([undefined, '2', '2', '2', '5'])
  })

  test('--json prints the order as it ended', async () => {
    const { out } = await typed('order watch ord_1 --json', testWorld(server().handler))
    expect(JSON.parse(out)).toMatchObject({ status: 'completed', version: 5 })
  })

  test('an order that there is not is exit 1, a server that is not there exit 3', async () => {
    expect(
      (
        await typed(
          'order watch ord_1',
          testWorld(() => problem(404, 'not-found')),
        )
      ).code,
    ).toBe(1)
    expect((await typed('order watch ord_1')).code).toBe(3)
  })
})
