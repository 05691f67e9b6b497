/**
 * Shipping's decisions. A shipment is booked once, under the key of the one task that its first request made, whatever is asked
 * how often: a question asked again is answered from what is there, and gets no second task.
 */
import { accept, enqueue, on, onTask, unchanged, type Decider, type Decision } from '@cauce/kit/pipeline/decision'
import type { TaskResult } from '@cauce/kit/task/outcome'
import type { Booking, BookingRequest } from './carrier.ts'
import { DispatchShipment, ShipmentDispatched, ShipmentFailed } from './contract.ts'
import { shipment, type Shipment } from './tables.ts'

export const BOOK_SHIPMENT = 'book-shipment'

export const dispatchShipment = on(DispatchShipment, {
  lock: ({ shipmentId }) => [shipment.key(shipmentId)],
  decide({ shipmentId, orderId, shipTo, lines }, rows, { now, requestId }) {
    const seen = rows.get(shipment, shipmentId)
    if (seen) return accept({ messages: answer(seen) })
    const row: Shipment = {
      id: shipmentId,
      orderId,
      shipTo,
      lines,
      status: 'booking',
      tracking: null,
      code: null,
      message: null,
      requestId,
      version: 1,
      createdAt: now,
      updatedAt: now,
    }
    const data: BookingRequest = { shipmentId, orderId, shipTo, lines }
    return accept({
      changes: [shipment.insert(row)],
      tasks: [enqueue({ type: BOOK_SHIPMENT, key: orderId, data })],
    })
  },
})

export const bookShipment = onTask<BookingRequest>(BOOK_SHIPMENT, {
  lock: ({ data }) => [shipment.key(data.shipmentId)],
  decide({ data: { shipmentId }, result }, rows, { now }) {
    const row = rows.get(shipment, shipmentId)
    if (!row) throw new Error(`There is no shipment ${shipmentId} that could have been booked`)
    if (row.status !== 'booking') return unchanged
    return settle({ ...row, ...ending(result, shipmentId), version: row.version + 1, updatedAt: now })
  },
})

function settle(row: Shipment): Decision {
  return accept({ changes: [shipment.update(row)], messages: answer(row) })
}

/** What the carrier's answer makes of a shipment. Throws when there is none: whether it is booked must not be guessed. */
function ending(result: TaskResult, shipmentId: string): Pick<Shipment, 'status' | 'tracking' | 'code' | 'message'> {
  if (result.kind === 'cancelled') return failed(result.reason)
  if (result.kind !== 'done') {
    const reason = result.kind === 'exhausted' ? result.reason : result.kind
    throw new Error(`Whether ${shipmentId} is booked is unknown (${reason}). Ask the carrier, then redrive the task`)
  }
  const booking = result.result as Booking
  if (booking.kind === 'undeliverable') return failed(booking.message)
  return { status: 'dispatched', tracking: booking.tracking, code: null, message: null }
}

const failed = (message: string) => ({ status: 'failed', tracking: null, code: 'undeliverable', message }) as const

/** What there is to say about a shipment; nothing while it is being booked. */
function answer({ id: shipmentId, orderId, tracking, code, message }: Shipment) {
  if (tracking !== null) return [ShipmentDispatched({ orderId, shipmentId, tracking })]
  if (code !== null) return [ShipmentFailed({ orderId, shipmentId, code, message: message ?? '' })]
  return []
}

export const messages: readonly Decider[] = [dispatchShipment]
export const tasks: readonly Decider[] = [bookShipment]
