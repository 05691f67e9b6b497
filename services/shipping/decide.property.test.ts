/** One shipment, one task and one final answer per order, over arbitrary, repeated and reordered requests and outcomes. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { NewMessage } from '@cauce/kit/log/message'
import { finished, given, type Given } from '@cauce/kit/pipeline/given'
import type { TaskResult } from '@cauce/kit/task/outcome'
import type { Booking, BookingRequest } from './carrier.ts'
import { DispatchShipment, ShipmentDispatched, ShipmentFailed } from './contract.ts'
import { BOOK_SHIPMENT, messages, tasks } from './decide.ts'
import { shipment, tables, type Shipment } from './tables.ts'

const shipping = { tables, messages, tasks }

const shipTo = { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28001', country: 'ES' }
const suffix = fc.constantFrom('1', '2', '3')
const requestOf = (of: string) => ({ orderId: `ord_${of}`, shipmentId: `shp_${of}`, shipTo, lines: [{ sku: 'LAMP', quantity: 1 }] })

const booking: fc.Arbitrary<Booking> = fc.oneof(
  fc.constantFrom('CRR1', 'CRR2').map((tracking) => ({ kind: 'booked' as const, tracking })),
  fc.string().map((message) => ({ kind: 'undeliverable' as const, message })),
)
const result: fc.Arbitrary<TaskResult> = fc.oneof(
  booking.map((each) => ({ kind: 'done' as const, result: each })),
  fc.constantFrom<TaskResult>({ kind: 'cancelled', reason: 'voided' }, { kind: 'exhausted', reason: 'timeout' }, { kind: 'due' }),
)
const input = fc.oneof(
  suffix.map((of) => DispatchShipment(requestOf(of))),
  fc.tuple(suffix, result).map(([of, each]) => finished<BookingRequest>(BOOK_SHIPMENT, requestOf(of), each)),
)

type Asked = Parameters<Given['when']>[0]

interface Run {
  readonly world: Given
  readonly said: readonly NewMessage[]
  /** Orders that a task was enqueued for. */
  readonly booked: readonly string[]
}

function step({ world, said, booked }: Run, asked: Asked): Run {
  try {
    const outcome = world.when(asked)
    const enqueued = outcome.tasks.map((change) => (change.kind === 'enqueue' ? change.task.key : ''))
    return { world: outcome, said: [...said, ...outcome.messages], booked: [...booked, ...enqueued] }
  } catch (error) {
    if (!/is unknown|There is no shipment/.test((error as Error).message)) throw error
    return { world, said, booked }
  }
}
/** What must have been said of a shipment. */
function answerOf({ id: shipmentId, orderId, tracking, code, message }: Shipment): NewMessage | undefined {
  if (tracking !== null) return ShipmentDispatched({ orderId, shipmentId, tracking })
  return code === null ? undefined : ShipmentFailed({ orderId, shipmentId, code, message: message ?? '' })
}

describe('any requests and outcomes, repeated and reordered', () => {
  test.prop([fc.array(input, { maxLength: 30 })])('one task per order, one answer for ever', (asked) => {
    let run: Run = { world: given(shipping), said: [], booked: [] }
    for (const each of asked) {
      const before = run.world.rows(shipment).filter((row) => row.status !== 'booking')
      run = step(run, each)
      for (const row of before) expect(run.world.row(shipment, row.id)).toEqual(row)
    }
    const rows = run.world.rows(shipment)
    expect(run.booked.toSorted()).toEqual(rows.map((row) => row.orderId).toSorted())
    for (const message of run.said) {
      const row = rows.find((each) => each.orderId === message.key)
      expect(message).toEqual(row && answerOf(row))
    }
    for (const row of rows) {
      const answer = answerOf(row)
      if (answer) expect(run.said).toContainEqual(answer)
    }
  })
})
