/** A cluster for a while, killed, started again, followed. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startThrowAway, type ThrowAwayCluster } from './throw-away.ts'
import { ask, until } from './testing-server.ts'

let cluster: ThrowAwayCluster
beforeAll(async () => {
  cluster = await startThrowAway({ prefix: 'cauce-throw-away-test-' })
})
afterAll(() => cluster.stop())

test('what was committed survives a kill, the URL as well', async () => {
  const { url } = cluster
  await ask(url, 'CREATE TABLE kept AS SELECT 7 AS number')
  await cluster.kill()
  expect(cluster.running).toBe(false)
  await cluster.start()
  expect([cluster.url, await ask(url, 'SELECT number FROM kept')]).toEqual([url, [{ number: 7 }]])
})

test('a commit that did not wait for its flush does not', async () => {
  await cluster.shutDown()
  await cluster.start({ synchronous_commit: 'off', wal_writer_delay: '10s' })
  await ask(cluster.url, 'CREATE TABLE fleeting (number integer)')
  await ask(cluster.url, 'CHECKPOINT')
  await ask(cluster.url, 'INSERT INTO fleeting VALUES (1)')
  await cluster.kill()
  await cluster.start({ synchronous_commit: 'on' })
  expect(await ask(cluster.url, 'SELECT * FROM fleeting')).toEqual([])
})

test('a standby follows, answers reads and refuses writes', async () => {
  const standby = await cluster.standby()
  await ask(cluster.url, 'CREATE TABLE followed AS SELECT 1 AS number')
  await until('it has followed', async () => (await ask(standby.url, "SELECT to_regclass('followed') AS it"))[0]!['it'])
  await expect(ask(standby.url, 'DROP TABLE followed')).rejects.toThrow('read-only transaction')
  await standby.kill()
  await standby.start()
  expect(await ask(standby.url, 'SELECT pg_is_in_recovery() AS it')).toEqual([{ it: true }])
})

test('stopped, nothing of it is left', async () => {
  const [{ directory }] = (await ask<{ directory: string }>(
    cluster.url,
    "SELECT current_setting('data_directory') AS directory",
  )) as [{ directory: string }]
  await cluster.stop()
  expect([cluster.running, existsSync(directory)]).toEqual([false, false])
})
