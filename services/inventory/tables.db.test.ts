import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Table } from '@cauce/kit/database/table'
import { compareWithSchema } from '@cauce/kit/database/table-schema'
import { dearUpdates, refusedBy } from '@cauce/kit/database/testing-tables'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { inventory, migrations } from './service.ts'
import { reservation, stock, tables, type Reservation, type Stock } from './tables.ts'

let database: ServiceDatabase
beforeAll(async () => {
  database = await openService(inventory, migrations)
})
afterAll(() => database.close())

test('the migrated schema is what the tables declare', async () => {
  expect(await compareWithSchema(database.reads, 'inventory', tables)).toEqual([])
})

test('updates stay on their page', async () => {
  expect(await dearUpdates(database.sql, 'inventory', tables)).toEqual([])
})

const held: Reservation = {
  orderId: 'ord_1',
  lines: [{ sku: 'LAMP', quantity: 1 }],
  status: 'held',
  refusal: null,
  requestId: 'r',
  createdAt: 1,
  updatedAt: 1,
}
const refusal = { sku: 'LAMP', message: 'too few' }

const lamp: Stock = {
  sku: 'LAMP',
  name: 'Lamp',
  priceAmount: 1,
  priceCurrency: 'EUR',
  onHand: 2,
  reserved: 2,
  version: 1,
  createdAt: 1,
  updatedAt: 1,
}

describe('PostgreSQL checks what the tables declare', () => {
  const reservations: [Partial<Reservation>, string?][] = [
    [{}],
    [{ status: 'rejected', refusal }],
    [{ status: 'released', lines: [] }],
    [{ status: 'lost' as 'held' }, 'known'],
    [{ refusal }, 'refused'],
    [{ status: 'rejected' }, 'refused'],
  ]
  const stocks: [Partial<Stock>, string?][] = [
    [{}],
    [{ onHand: 0, reserved: 0 }],
    [{ reserved: 3 }, 'reservable'],
    [{ reserved: -1 }, 'reservable'],
    [{ onHand: -1, reserved: -1 }, 'reservable'],
    [{ priceAmount: 0 }, 'priced'],
    [{ priceAmount: -1 }, 'priced'],
  ]
  const cases: { table: Table<object>; row: object; change: object; check: string | undefined }[] = [
    ...reservations.map(([change, check]) => ({ table: reservation, row: { ...held, ...change }, change, check })),
    ...stocks.map(([change, check]) => ({ table: stock, row: { ...lamp, ...change }, change, check })),
  ]

  test.each(cases)('$table.name with $change: $check', async ({ table, row, check }) => {
    const violated = Object.entries(table.checks).filter(([, holds]) => !holds(row as never))
    expect(violated.map(([name]) => name)).toEqual(check ? [check] : [])
    expect(await refusedBy(database.sql, 'inventory', table, row)).toBe(check && `${table.name}_${check}`)
  })
})
