/** The carrier's HTTP surface: reads requests, asks the book, puts outcomes into words. */
import { hash } from 'node:crypto'
import { canonicalJson } from '@cauce/kit/core/codec'
import type { Faults } from '../faults.ts'
import { count, fields, integer, key, list, text } from '../fields.ts'
import { type Answer, busy, type Call, problem, type Routes } from '../http.ts'
import type { Store } from '../storage/store.ts'
import { type Booking, type BookingAnswer, type ShipmentRow, type Shipments, trackingOf } from './shipments.ts'

export function carrierRoutes(shipments: Shipments, store: Store, faults: Faults): Routes {
  return {
    'POST /shipments': faults.around('carrier', async (call) => {
      const booking = readBooking(call)
      const answer = await store.change(shipments, booking.key, () => shipments.decideBooking(booking))
      return answerBooking(booking, answer)
    }),
    'POST /shipments/void': faults.around('carrier', async ({ body }) => {
      const voided = key(fields(body, 'The body')['key'], 'key')
      const row = await store.change(shipments, voided, () => shipments.decideVoid(voided))
      return { status: 200, body: view(row) }
    }),
    'GET /shipments': ({ query }) => {
      const offset = count(query, 'offset', 0)
      const limit = count(query, 'limit', shipments.size)
      const shipmentId = query.get('shipmentId')
      const rows =
        shipmentId === null
          ? shipments.page(offset, limit)
          : shipments.ofShipment(shipmentId).slice(offset, offset + limit)
      return { status: 200, body: { items: rows.map(view) } }
    },
    'GET /shipments/': ({ rest }) => {
      const row = shipments.get(rest)
      if (!row || row.status === 'busy') {
        return problem(404, 'not-found', 'No final answer was given under this key, which does not mean none will be')
      }
      return { status: 200, body: view(row) }
    },
  }
}

function readBooking({ headers, body }: Call): Booking {
  const idempotencyKey = key(headers['idempotency-key'], 'Idempotency-Key')
  const from = fields(body, 'The body')
  const shipTo = fields(from['shipTo'], 'shipTo')
  for (const field of ['name', 'line1', 'city', 'country']) text(shipTo, field)
  for (const member of list(from, 'lines')) {
    const line = fields(member, 'A line')
    text(line, 'sku')
    integer(line, 'quantity', 1, 1_000_000)
  }
  return {
    key: idempotencyKey,
    shipmentId: text(from, 'shipmentId'),
    orderId: text(from, 'orderId'),
    postalCode: text(shipTo, 'postalCode'),
    // 96 bits tell two bodies apart; the address itself is never kept
    fingerprint: hash('sha256', canonicalJson(body), 'base64url').slice(0, 16),
  }
}

function answerBooking({ key, shipmentId }: Booking, { outcome, again }: BookingAnswer): Answer {
  const headers: Record<string, string> = again ? { 'idempotency-replayed': 'true' } : {}
  switch (outcome) {
    case 'accepted':
      return { status: 201, body: { key, shipmentId, status: 'accepted', tracking: trackingOf(key) }, headers }
    case 'undeliverable': {
      const message = 'No parcel can be delivered to this postal code'
      return { ...problem(422, 'undeliverable', message, { key, shipmentId }), headers }
    }
    case 'voided':
      return { ...problem(409, 'voided', 'This key was voided; nothing will be booked under it', { key }), headers }
    case 'key-reused':
      return problem(422, 'key-reused', 'This key came with another body before; use a new key for a new request', {
        key,
      })
    case 'busy':
      return busy('busy', 'The carrier is busy; ask again with the same key')
  }
}

function view({ key, shipmentId, orderId, status, requests }: ShipmentRow): object {
  return { key, shipmentId, orderId, status, tracking: status === 'accepted' ? trackingOf(key) : null, requests }
}
