/** The whole way of a shipment, over PostgreSQL and a carrier on the loopback that refuses, forgets to answer and is slow. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { pick, seeded, systemRandom } from '@cauce/kit/core/prng'
import { redriveDead } from '@cauce/kit/pipeline/dead-letters'
import { until } from '@cauce/kit/pipeline/testing'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { startService, type RunningService } from '@cauce/kit/pipeline/service'
import { providerPolicy } from '@cauce/kit/policy/call'
import type { Effect } from '@cauce/kit/task/outcome'
import { DispatchShipment, ShipmentDispatched, ShipmentFailed } from './contract.ts'
import { carrierLimits, effects, httpCarrier, migrations, shipping } from './service.ts'
import { audit, findShipment } from './views.ts'

const address = { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', country: 'ES' }
const dispatch = (n: number | string, postalCode = '28001') =>
  DispatchShipment({
    orderId: `ord_${n}`,
    shipmentId: `shp_${n}`,
    shipTo: { ...address, postalCode },
    lines: [{ sku: 'LAMP', quantity: 1 }],
  })

type Trouble = 'none' | 'refuse' | 'lose' | 'hang'

/** Books at most once per key, whatever it then does with the answer. */
class TestCarrier {
  readonly server: Server
  readonly booked = new Map<string, string>()
  calls = 0
  trouble: () => Trouble = () => 'none'

  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        this.calls++
        const { shipmentId, shipTo } = JSON.parse(Buffer.concat(chunks).toString())
        const key = String(request.headers['idempotency-key'])
        const trouble = this.trouble()
        if (trouble === 'refuse') return response.writeHead(503).end()
        if (shipTo.postalCode === '00000')
          return response.writeHead(422).end('{"code":"undeliverable","message":"Not there"}')
        this.booked.set(key, shipmentId)
        if (trouble === 'lose') return response.destroy()
        if (trouble === 'none') response.writeHead(201).end(JSON.stringify({ tracking: `T-${key.slice(0, 8)}` }))
      })
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }
}

const impatient = (effect: Effect): Effect => ({ ...effect, backoff: { baseMs: 5, capMs: 20, attempts: Infinity } })

let database: ServiceDatabase
let carrier: TestCarrier
let running: RunningService

function start(): RunningService {
  // Never opens: the breaker's own times are seconds, and it has tests of its own.
  const policy = providerPolicy({ name: 'carrier', ...carrierLimits, timeoutMs: 500, isFailure: () => false })
  return startService({
    definition: shipping,
    storage: database.storage,
    readers: [],
    effects: effects(httpCarrier({ url: carrier.url, policy })).map(impatient),
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
  })
}

beforeAll(async () => {
  database = await openService(shipping, migrations)
})
afterAll(() => database.close())
beforeEach(async () => {
  carrier = new TestCarrier()
  carrier.server.listen(0, '127.0.0.1')
  await once(carrier.server, 'listening')
  await database.sql('TRUNCATE shipping.shipments, shipping.tasks, shipping.messages')
  running = start()
})
afterEach(async () => {
  carrier.server.closeAllConnections()
  await running.stop()
  await new Promise((resolve) => carrier.server.close(resolve))
})

const told = async (type: string) =>
  (await database.sql(
    `SELECT key, count(*)::int AS times FROM shipping.messages WHERE type = '${type}' GROUP BY key`,
  )) as {
    key: string
    times: number
  }[]

/** Asks for shipments, and wakes the runner as another process would be woken. How many were answered at once. */
async function ask(...messages: readonly ReturnType<typeof dispatch>[]): Promise<number> {
  const decisions = await Promise.all(messages.map((message) => database.submit(message)))
  running.taskWake.notify()
  return decisions.filter((decision) => decision.kind === 'accepted' && decision.messages.length > 0).length
}

/** Looks, and has the runner look around too: what is tried again after milliseconds is no reason to wait for a second. */
const statuses = async () => {
  running.taskWake.notify()
  const rows = await database.sql('SELECT status, count(*)::int AS count FROM shipping.shipments GROUP BY status')
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
}

describe('a shipment', () => {
  test('is booked and told, or failed and told', async () => {
    await ask(dispatch(1), dispatch(2, '00000'))
    await until('both ended', async () => (await statuses())['booking'] === undefined)
    const [key] = carrier.booked.keys()
    expect(await findShipment(database.reads, 'shp_1')).toMatchObject({
      status: 'dispatched',
      tracking: `T-${key!.slice(0, 8)}`,
    })
    expect(await findShipment(database.reads, 'shp_2')).toMatchObject({
      status: 'failed',
      code: 'undeliverable',
      message: 'Not there',
    })
    expect(await told(ShipmentDispatched.type)).toEqual([{ key: 'ord_1', times: 1 }])
    expect(await told(ShipmentFailed.type)).toEqual([{ key: 'ord_2', times: 1 }])
    expect(await findShipment(database.reads, 'shp_3')).toBeUndefined()
  })

  test('is booked once and told once, whatever is refused, lost and slow, and asked for again meanwhile', async () => {
    const random = seeded(3)
    const troubles: Trouble[] = ['none', 'none', 'refuse', 'refuse', 'lose', 'lose', 'lose', 'hang']
    carrier.trouble = () => (carrier.calls > 150 ? 'none' : pick(random, troubles))
    const all = Array.from({ length: 60 }, (_, n) => dispatch(n))
    expect(await ask(...all)).toBe(0)
    let again = await ask(...all.slice(0, 20))
    await until('all dispatched', async () => (await statuses())['dispatched'] === 60, 15_000)
    again += await ask(...all.slice(0, 5))
    expect(again).toBeGreaterThanOrEqual(5)
    expect(carrier.calls).toBeGreaterThan(100)
    expect([...carrier.booked.values()].toSorted()).toEqual(
      all.map((each) => (each.data as { shipmentId: string }).shipmentId).toSorted(),
    )
    const times = await told(ShipmentDispatched.type)
    expect(times).toHaveLength(60)
    expect(times.reduce((sum, each) => sum + each.times, 0)).toBe(60 + again)
  })
})

describe('audit', () => {
  test('a shipment whose task is dead is stranded, until it is redriven', async () => {
    await running.stop()
    await ask(dispatch(1), dispatch(2))
    expect(await audit(database.reads.query)).toEqual({ stranded: [] })
    const dead = await database.sql(`UPDATE shipping.tasks SET state = 'dead' WHERE key = 'ord_1' RETURNING id`)
    expect(await audit(database.reads.query)).toEqual({ stranded: ['ord_1'] })
    await redriveDead(database.storage.transactions, [dead[0]!['id'] as string])
    expect(await audit(database.reads.query)).toEqual({ stranded: [] })
    running = start()
    await until('both dispatched', async () => (await statuses())['dispatched'] === 2)
  })
})
