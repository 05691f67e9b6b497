/** The numbers are the invariants in testing.ts. */
import { existsSync } from 'node:fs'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { readDurability } from './durability.ts'
import { ask, moduleUrl, startProcess, until } from './embedded/testing-server.ts'
import { createTestDatabase, withTemplate } from './testing.ts'

vi.setConfig({ testTimeout: 60_000 })

test('databases are empty, separate, and gone when dropped, even with somebody connected', async () => {
  const [first, second] = await Promise.all([createTestDatabase('Some Label!'), createTestDatabase()])
  expect(first.name).toMatch(/^some_label_/)
  await ask(first.url, 'CREATE TABLE here (x int)')
  expect(await ask(second.url, `SELECT to_regclass('here') AS here`)).toEqual([{ here: null }])
  const client = new pg.Client(first.url)
  client.on('error', () => {})
  await client.connect()
  await first.drop()
  await first.drop()
  await expect(ask(first.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' })
  await client.end().catch(() => {})
  await second.drop()
})

test('a template is prepared once and copied each time', async () => {
  let prepared = 0
  const key = `testing ${process.pid}`
  const make = () =>
    withTemplate(key, async (url) => {
      prepared++
      await ask(url, 'CREATE TABLE filled AS SELECT 7 AS number')
    })
  const copies = await Promise.all([make(), make(), make()])
  expect(prepared).toBe(1)
  for (const copy of copies) {
    expect(await ask(copy.url, 'SELECT number FROM filled')).toEqual([{ number: 7 }])
    await ask(copy.url, 'DELETE FROM filled')
  }
  const later = await make()
  expect(await ask(later.url, 'SELECT number FROM filled')).toEqual([{ number: 7 }])
  for (const copy of [...copies, later]) await copy.drop()
})

test('a template whose preparation failed is prepared again', async () => {
  const key = `failing ${process.pid}`
  const failing = withTemplate(key, async (url) => {
    await ask(url, 'CREATE TABLE half (x int)')
    throw new Error('half-way')
  })
  await expect(failing).rejects.toThrow('half-way')
  const database = await withTemplate(key, (url) => ask(url, 'CREATE TABLE whole (x int)'))
  expect(await ask(database.url, `SELECT to_regclass('half') AS half`)).toEqual([{ half: null }])
  await database.drop()
})

test('the server has room for prepared transactions, and is the version asked for', async () => {
  const database = await createTestDatabase()
  const rows = await ask(
    database.url,
    `SELECT current_setting('max_prepared_transactions') AS prepared, current_setting('server_version_num')::int / 10000 AS major`,
  )
  expect(rows).toEqual([{ prepared: '10', major: Number(process.env['CAUCE_TEST_POSTGRES'] || 18) }])
  const client = new pg.Client(database.url)
  await client.connect()
  expect(await readDurability(client)).toMatchObject({ ok: false, settings: { fsync: 'off' } })
  await client.end()
  await database.drop()
})

test('2: nothing is left of a cluster whose process was killed', async () => {
  const script = startProcess(`
    import { createTestDatabase } from ${moduleUrl('../testing.ts')}
    delete process.env.CAUCE_TEST_CLUSTER
    const { url } = await createTestDatabase('script')
    process.stdout.write(url + '\\n')
    setInterval(() => {}, 1000)`)
  const url = await script.line()
  const [row] = await ask<{ directory: string }>(url, `SELECT current_setting('data_directory') AS directory`)
  const directory = row?.directory ?? ''
  expect(directory).toContain('cauce-test-')
  await script.kill()
  await until('its directory is gone', () => !existsSync(directory))
  await expect(ask(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
