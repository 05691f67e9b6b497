import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareWithSchema } from '@cauce/kit/database/table-schema'
import { dearUpdates, refusedBy } from '@cauce/kit/database/testing-tables'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { migrations, shipping } from './service.ts'
import { shipment, tables, type Shipment } from './tables.ts'

let database: ServiceDatabase
beforeAll(async () => {
  database = await openService(shipping, migrations)
})
afterAll(() => database.close())

test('the migrated schema is what the tables declare', async () => {
  expect(await compareWithSchema(database.reads, 'shipping', tables)).toEqual([])
})

test('updates stay on their page', async () => {
  expect(await dearUpdates(database.sql, 'shipping', tables)).toEqual([])
})

const booking: Shipment = {
  id: 'shp_1',
  orderId: 'ord_1',
  shipTo: { name: 'Ana O’Neill', line1: "Calle 'Mayor' 1", city: 'Madrid', postalCode: '28001', country: 'ES' },
  lines: [{ sku: 'LAMP', quantity: 1 }],
  status: 'booking',
  tracking: null,
  code: null,
  message: null,
  requestId: 'r',
  version: 1,
  createdAt: 1,
  updatedAt: 1,
}

describe('PostgreSQL checks what the table declares', () => {
  const cases: [Partial<Shipment>, string?][] = [
    [{}],
    [{ status: 'dispatched', tracking: 'CRR1' }],
    [{ status: 'failed', code: 'undeliverable', message: 'Not there' }],
    [{ status: 'lost' as 'booking' }, 'known'],
    [{ status: 'failed', code: 'eaten' as 'undeliverable', message: 'Not there' }, 'known'],
    [{ status: 'dispatched' }, 'tracked'],
    [{ tracking: 'CRR1' }, 'tracked'],
    [{ status: 'failed' }, 'explained'],
    [{ status: 'failed', code: 'undeliverable' }, 'explained'],
    [{ message: 'Not there' }, 'explained'],
  ]

  test.each(cases)('%j: %s', async (change, check) => {
    const row = { ...booking, ...change }
    const violated = Object.entries(shipment.checks).filter(([, holds]) => !holds(row as never))
    expect(violated.map(([name]) => name)).toEqual(check ? [check] : [])
    expect(await refusedBy(database.sql, 'shipping', shipment, row)).toBe(check && `shipments_${check}`)
  })

  test('an order has one shipment', async () => {
    await database.submit({ type: 'DispatchShipment', data: { ...booking, shipmentId: booking.id } })
    expect(await refusedBy(database.sql, 'shipping', shipment, { ...booking, id: 'shp_2' })).toBe('shipments_order')
  })
})
