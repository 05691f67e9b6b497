import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareWithSchema } from '@cauce/kit/database/table-schema'
import { dearUpdates } from '@cauce/kit/database/testing-tables'
import { openService, type ServiceDatabase } from '@cauce/kit/pipeline/testing-service'
import { migrations, orders } from './service.ts'
import { order, tables } from './tables.ts'

let database: ServiceDatabase
beforeAll(async () => {
  database = await openService(orders, migrations)
})
afterAll(() => database.close())

test('the migrated schema is what the tables declare', async () => {
  expect(await compareWithSchema(database.reads, 'orders', tables)).toEqual([])
})

test('an order changes on its page', async () => {
  expect(await dearUpdates(database.sql, 'orders', [order])).toEqual([])
})
