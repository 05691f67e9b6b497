/** The numbers are the invariants in migrate.ts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../telemetry/logger.ts'
import { ask, moduleUrl, recordingLogger, startProcess } from './embedded/testing-server.ts'
import { type SchemaMigrations, migrate, migrateAll } from './migrate.ts'
import { type TestDatabase, createTestDatabase } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

const logger = silentLogger()
let database: TestDatabase
let directory: string
let schemas: SchemaMigrations[]

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cauce-migrate-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

beforeEach(async () => {
  database = await createTestDatabase('migrate')
  file('kit', '0001_lanes.sql', 'CREATE TABLE lanes (lane int); INSERT INTO lanes VALUES (1)')
  file('kit', '0002_more.sql', 'ALTER TABLE lanes ADD head int')
  file('kit', 'README.md', 'Not a migration')
  file('own', '0001_orders.sql', 'CREATE TABLE orders (id text, lane int)')
  const sets = [
    { name: 'kit', directory: join(directory, 'kit') },
    { name: 'own', directory: join(directory, 'own') },
  ]
  schemas = ['orders', 'payments'].map((schema) => ({ schema, sets }))
})
afterEach(async () => {
  await database.drop()
  rmSync(join(directory, 'kit'), { recursive: true })
  rmSync(join(directory, 'own'), { recursive: true })
})

function file(set: string, name: string, up: string): void {
  mkdirSync(join(directory, set), { recursive: true })
  writeFileSync(join(directory, set, name), `-- Up Migration\n\n${up};\n\n-- Down Migration\n\nDROP TABLE nothing;\n`)
}

const everything = ['orders', 'payments'].flatMap((schema) =>
  ['kit/0001_lanes', 'kit/0002_more', 'own/0001_orders'].map((name) => `${schema}/${name}`),
)

test('makes the schemas, each with its tables and its own record', async () => {
  expect(await migrateAll(database.url, schemas, logger)).toEqual(everything)
  const tables = await ask(
    database.url,
    `SELECT schemaname || '.' || tablename AS t FROM pg_tables WHERE schemaname IN ('orders', 'payments', 'public') ORDER BY 1`,
  )
  expect(tables.map(({ t }) => t as string)).toEqual(
    ['orders', 'payments'].flatMap((schema) =>
      ['lanes', 'migrations_kit', 'migrations_own', 'orders'].map((table) => `${schema}.${table}`),
    ),
  )
})

test('1: does nothing the second time, and only what is new the third', async () => {
  await migrateAll(database.url, schemas, logger)
  expect(await migrateAll(database.url, schemas, logger)).toEqual([])
  file('own', '0002_index.sql', 'CREATE INDEX ON orders (lane)')
  expect(await migrate({ url: database.url, ...(schemas[0] as SchemaMigrations), logger })).toEqual([
    'orders/own/0002_index',
  ])
  expect(await migrateAll(database.url, schemas, logger)).toEqual(['payments/own/0002_index'])
})

test('1: a database that a newer version has migrated further is in order', async () => {
  file('kit', '0003_newer.sql', 'SELECT 1')
  await migrateAll(database.url, schemas, logger)
  rmSync(join(directory, 'kit', '0003_newer.sql'))
  expect(await migrateAll(database.url, schemas, logger)).toEqual([])
  file('own', '0002_index.sql', 'CREATE INDEX ON orders (lane)')
  expect(await migrateAll(database.url, schemas, logger)).toHaveLength(2)
})

test('2: calls at the same time apply everything once', async () => {
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrateAll(database.url, schemas, logger)))
  expect(applied.flat()).toEqual(everything)
  expect(await ask(database.url, 'SELECT count(*)::int AS n FROM orders.lanes')).toEqual([{ n: 1 }])
})

test('2: two processes at the same time on an empty database', async () => {
  const code = `
    import { migrateAll } from ${moduleUrl('../migrate.ts')}
    import { silentLogger } from ${moduleUrl('../../telemetry/logger.ts')}
    await new Promise((resolve) => { process.stdin.once('data', resolve); process.stdout.write('ready\\n') })
    const applied = await migrateAll(${JSON.stringify(database.url)}, ${JSON.stringify(schemas)}, silentLogger())
    process.stdout.write(applied.length + '\\n')
    process.stdin.destroy()`
  const processes = [startProcess(code), startProcess(code)]
  await Promise.all(processes.map((one) => one.line()))
  for (const one of processes) one.child.stdin?.write('go\n')
  const counts = await Promise.all(processes.map((one) => one.line()))
  expect(counts.map(Number).toSorted()).toEqual([0, everything.length])
})

test('3: a migration that fails takes its whole set with it, and is named', async () => {
  file('kit', '0003_wrong.sql', 'CREATE TABLE extra (x int); SELECT wrong')
  await expect(migrateAll(database.url, schemas, logger)).rejects.toMatchObject({
    name: 'MigrationError',
    code: 'failed',
    message: expect.stringMatching(/orders failed in 0003_wrong .*column "wrong" does not exist/) as string,
  })
  expect(await ask(database.url, `SELECT to_regclass('orders.lanes') AS lanes`)).toEqual([{ lanes: null }])
  file('kit', '0003_wrong.sql', 'SELECT 1')
  expect(await migrateAll(database.url, schemas, logger)).toHaveLength(everything.length + 2)
})

test('4: statements see their own schema first', async () => {
  file('own', '0002_path.sql', 'CREATE TABLE path AS SELECT current_schemas(false)::text AS path')
  await migrateAll(database.url, schemas, logger)
  expect(await ask(database.url, 'SELECT path FROM payments.path')).toEqual([{ path: '{payments}' }])
})

test('the library writes to the logger, not to the console', async () => {
  const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name))
  const recording = recordingLogger()
  await migrateAll(database.url, schemas, recording.logger)
  for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  expect(recording.messages).toContain('schema migrated')
  expect(recording.messages).toContain('### MIGRATION 0002_more (UP) ###')
  vi.restoreAllMocks()
})

test('a name that would have to be quoted is refused', async () => {
  await expect(
    migrateAll(database.url, [{ schema: 'a"b', sets: [{ name: 'kit', directory }] }], logger),
  ).rejects.toThrow(RangeError)
})
