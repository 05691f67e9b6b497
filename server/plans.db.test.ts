/** Every statement that a service's pipeline or its reads by id send is a look-up by an index, in the migrated schema. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateAll } from '@cauce/kit/database/migrate'
import { explainAll } from '@cauce/kit/database/plans'
import { createPool, type Pool } from '@cauce/kit/database/pool'
import { tableStatements } from '@cauce/kit/database/rows-postgres'
import type { Statement } from '@cauce/kit/database/session'
import { createTestDatabase, type TestDatabase } from '@cauce/kit/database/testing'
import { silentLogger } from '@cauce/kit/telemetry/logger'
import { serviceNames } from './config.ts'
import { definitions, migrations } from './wire.ts'

let database: TestDatabase
let pool: Pool
beforeAll(async () => {
  database = await createTestDatabase('plans')
  await migrateAll(database.url, migrations(), silentLogger())
  pool = createPool({ url: database.url, purpose: 'pipeline', size: 1 })
})
afterAll(async () => {
  await pool.close()
  await database.drop()
})

test.each(serviceNames)('%s loads and saves its rows by key', async (name) => {
  const statements = definitions[name].tables.flatMap((table): Statement[] => {
    const { lock, read, insert, update, remove } = tableStatements(name, table)
    return table.appendOnly ? [insert] : [lock, read, insert, update, remove]
  })
  expect(statements.length).toBeGreaterThan(4)
  expect(await explainAll(pool, statements, [])).toEqual([])
})
