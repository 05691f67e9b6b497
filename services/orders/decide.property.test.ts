/**
 * Whatever the participants answer, in whatever order and how often: an order ends once, its undos go backwards, and after the
 * point of no return nobody but the carrier turns it back.
 */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { due, type Given } from '@cauce/kit/pipeline/given'
import { StockIssued, StockRejected, StockReleased, StockReserved } from '@cauce/inventory/contract'
import {
  PaymentAuthorized,
  PaymentCaptured,
  PaymentDeclined,
  PaymentRefunded,
  PaymentVoided,
} from '@cauce/payments/contract'
import { ShipmentDispatched, ShipmentFailed } from '@cauce/shipping/contract'
import { order } from './tables.ts'
import { cancel, ofOrder, ofPayment, orderId, placed, shipmentId } from './testing.ts'

const answers = [
  PaymentAuthorized(ofPayment),
  PaymentDeclined({ ...ofPayment, code: 'payment-declined', message: 'no' }),
  PaymentCaptured(ofPayment),
  PaymentVoided(ofPayment),
  PaymentRefunded(ofPayment),
  StockReserved(ofOrder),
  StockRejected({ orderId, sku: 'LAMP', message: 'none' }),
  StockReleased(ofOrder),
  StockIssued(ofOrder),
  ShipmentDispatched({ orderId, shipmentId, tracking: 'CRR1' }),
  ShipmentFailed({ orderId, shipmentId, code: 'undeliverable', message: 'no' }),
  cancel(),
  due('order-deadline', { id: orderId }),
] as const

const step = fc.record({ asked: fc.constantFrom(...answers), waitMs: fc.constantFrom(0, 1000, 10_000_000) })
const ends = ['completed', 'cancelled']
const past = ['shipping', 'settling', 'completed']

interface Seen {
  readonly said: string[]
  readonly statuses: string[]
}

function run(steps: readonly { asked: (typeof answers)[number]; waitMs: number }[]): Seen {
  let world: Given = placed()
  let now = 1_767_225_600_000
  const said: string[] = []
  const statuses: string[] = []
  for (const { asked, waitMs } of steps) {
    now += waitMs
    const next = world.when(asked, { now })
    said.push(...next.messages.map(({ type }) => type))
    statuses.push(next.row(order, orderId)!.status)
    world = next
  }
  return { said, statuses }
}

describe('an order, whatever happens to it', () => {
  test.prop([fc.array(step, { maxLength: 30 })])('ends once and stays ended', (steps) => {
    const { said, statuses } = run(steps)
    const ended = statuses.findIndex((status) => ends.includes(status))
    const told = said.filter((type) => type === 'OrderCompleted' || type === 'OrderCancelled')
    expect(told).toHaveLength(ended < 0 ? 0 : 1)
    if (ended >= 0) expect(new Set(statuses.slice(ended)).size).toBe(1)
  })

  test.prop([fc.array(step, { maxLength: 30 })])(
    'goes back in reverse: no money before the stock is released',
    (steps) => {
      const { said } = run(steps)
      const voided = said.indexOf('VoidPayment')
      const released = said.indexOf('ReleaseStock')
      if (voided >= 0 && released >= 0) expect(released).toBeLessThan(voided)
      if (said.includes('CapturePayment')) expect(said).not.toContain('VoidPayment')
      if (said.includes('VoidPayment')) expect(said).not.toContain('OrderCompleted')
    },
  )

  test.prop([fc.array(step, { maxLength: 30 })])(
    'turns back past the point of no return only when the carrier refuses',
    (steps) => {
      const { statuses } = run(steps)
      for (const [i, status] of statuses.entries()) {
        if (i === 0 || status !== 'compensating' || !past.includes(statuses[i - 1]!)) continue
        expect(steps[i]!.asked.type).toBe('ShipmentFailed')
      }
    },
  )
})
