/**
 * One shipment, one task and one final answer per order, over arbitrary, repeated and reordered requests and outcomes: after
 * each input the shipping service says what a model of a few lines says.
 */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import type { NewMessage } from '@cauce/kit/log/message'
import { finished, given, type Given } from '@cauce/kit/pipeline/given'
import type { TaskResult } from '@cauce/kit/task/outcome'
import type { Booking, BookingRequest } from './carrier.ts'
import { DispatchShipment, ShipmentDispatched, ShipmentFailed } from './contract.ts'
import { BOOK_SHIPMENT, messages, tasks } from './decide.ts'
import { shipment, tables } from './tables.ts'

const shipping = { tables, messages, tasks }

const shipTo = { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28001', country: 'ES' }
const idsOf = (of: string) => ({ orderId: `ord_${of}`, shipmentId: `shp_${of}` })
const requestOf = (of: string) => ({ ...idsOf(of), shipTo, lines: [{ sku: 'LAMP', quantity: 1 }] })

/** A request for one of three shipments, or an outcome of its task. */
interface Asked {
  readonly of: string
  readonly result: TaskResult | undefined
}

const booking: fc.Arbitrary<Booking> = fc.oneof(
  fc.constantFrom('CRR1', 'CRR2').map((tracking) => ({ kind: 'booked' as const, tracking })),
  fc.string().map((message) => ({ kind: 'undeliverable' as const, message })),
)
const result: fc.Arbitrary<TaskResult> = fc.oneof(
  booking.map((each) => ({ kind: 'done' as const, result: each })),
  fc.constantFrom<TaskResult>(
    { kind: 'cancelled', reason: 'voided' },
    { kind: 'exhausted', reason: 'timeout' },
    { kind: 'due' },
  ),
)
const input: fc.Arbitrary<Asked> = fc.record({
  of: fc.constantFrom('1', '2', '3'),
  result: fc.option(result, { nil: undefined }),
})

/** What is known of a shipment: that it is being booked, or the answer there will be for ever. */
type Model = Map<string, 'booking' | NewMessage>

interface Effects {
  readonly said: readonly NewMessage[]
  readonly enqueued: number
}

/** Undefined when the input is somebody's bug, or nobody's guess. */
function expected(model: Model, { of, result: outcome }: Asked): Effects | undefined {
  const known = model.get(of)
  if (known !== undefined && known !== 'booking') return { said: outcome ? [] : [known], enqueued: 0 }
  if (!outcome) {
    model.set(of, 'booking')
    return { said: [], enqueued: known ? 0 : 1 }
  }
  const answer = answerOf(of, outcome)
  if (!known || !answer) return undefined
  model.set(of, answer)
  return { said: [answer], enqueued: 0 }
}

function answerOf(of: string, outcome: TaskResult): NewMessage | undefined {
  const failed = (message: string) => ShipmentFailed({ ...idsOf(of), code: 'undeliverable', message })
  if (outcome.kind === 'cancelled') return failed(outcome.reason)
  if (outcome.kind !== 'done') return undefined
  const said = outcome.result as Booking
  if (said.kind === 'undeliverable') return failed(said.message)
  return ShipmentDispatched({ ...idsOf(of), tracking: said.tracking })
}

function step(world: Given, { of, result: outcome }: Asked) {
  const request = requestOf(of)
  return world.when(outcome ? finished<BookingRequest>(BOOK_SHIPMENT, request, outcome) : DispatchShipment(request))
}

describe('any requests and outcomes, repeated and reordered', () => {
  test.prop([fc.array(input, { maxLength: 30 })])('one task, one answer for ever', (asked) => {
    const model: Model = new Map()
    let world = given(shipping)
    for (const each of asked) {
      const effects = expected(model, each)
      if (!effects) {
        expect(() => step(world, each)).toThrow(/is unknown|There is no shipment/)
        continue
      }
      const outcome = step(world, each)
      expect({ said: outcome.messages, enqueued: outcome.tasks.length }).toEqual(effects)
      world = outcome
    }
    expect(
      world
        .rows(shipment)
        .map((row) => row.orderId)
        .toSorted(),
    ).toEqual([...model.keys()].map((of) => `ord_${of}`).toSorted())
  })
})
