import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { silentLogger } from '../telemetry/logger.ts'
import { migrateAll, requireVersion } from './migrate.ts'

test('a database that cannot be reached is told without its password', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const failure = migrateAll(`postgres://cauce:hidden@127.0.0.1:${port}/cauce`, [], silentLogger())
  await expect(failure).rejects.toMatchObject({ name: 'MigrationError', code: 'unreachable' })
  await expect(failure).rejects.toThrow(`127.0.0.1:${port}`)
  await expect(failure).rejects.not.toThrow('hidden')
})

test('servers older than 15 are refused', () => {
  expect(() => requireVersion(140_012)).toThrow('PostgreSQL 14. Cauce needs 15 or newer')
  for (const version of [150_000, 180_004]) requireVersion(version)
})
