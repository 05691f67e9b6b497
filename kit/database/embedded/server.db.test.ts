/** The numbers are the invariants in server.ts. */
import { existsSync, renameSync } from 'node:fs'
import pg from 'pg'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { silentLogger } from '../../telemetry/logger.ts'
import { readDurability } from '../durability.ts'
import { ask, postmasterOf, preparedHome, recordingLogger, startOwner, temporaryHome, until } from './testing-server.ts'
import { type EmbeddedServer, startEmbedded } from './server.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const logger = silentLogger()
const original = temporaryHome()
let scratch = original
let servers: EmbeddedServer[] = []

beforeEach(async ({ task }) => {
  scratch = task.name.includes('nothing') ? temporaryHome() : await preparedHome(original.home)
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.stop()
  await scratch.remove()
})
afterAll(() => original.remove())

async function start(): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDirectory: scratch.home, logger })
  servers.push(server)
  return server
}

const kept = (server: EmbeddedServer) => ask(server.url, 'SELECT number FROM kept')

test('from nothing: makes a durable database, and keeps it and its port from start to start', async () => {
  const first = await start()
  expect(first).toMatchObject({ state: 'up', adopted: false })
  const client = new pg.Client(first.url)
  await client.connect()
  const durability = await readDurability(client)
  await client.query('CREATE TABLE kept AS SELECT 7 AS number')
  await client.end()
  expect(durability).toMatchObject({ ok: true, problems: [], warnings: [] })
  expect(await first.stop()).toBe('stopped')
  expect(first.state).toBe('stopped')
  expect(() => postmasterOf(scratch.home)).toThrow('No server')

  const second = await start()
  expect(second.url).toBe(first.url)
  expect(await kept(second)).toEqual([{ number: 7 }])
})

test('1: outlives kill -9 of the process group that started it, and is adopted', async () => {
  const owner = startOwner(scratch.home)
  const [pid] = (await owner.line()).split(' ')
  await owner.kill()
  const server = await start()
  expect(server).toMatchObject({ adopted: true, pid: Number(pid) })
  expect(await ask(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(await server.stop()).toBe('stopped')
})

test('2: a killed server is back by itself, with everything that was committed', async () => {
  const server = await start()
  const states: string[] = []
  server.onState((state) => states.push(state))
  const { pid, url } = server
  process.kill(pid, 'SIGKILL')
  await until('it is up again', () => states.includes('up'))
  expect(states).toEqual(['down', 'up'])
  expect(server.pid).not.toBe(pid)
  expect(server.url).toBe(url)
  expect(await kept(server)).toEqual([{ number: 7 }])
})

test('3: the last of several users stops it', async () => {
  const owner = startOwner(scratch.home)
  const [pid] = (await owner.line()).split(' ')
  const twin = await start()
  expect(twin).toMatchObject({ adopted: true, pid: Number(pid) })
  owner.child.stdin?.end()
  expect(await owner.line()).toBe('left')
  expect(await ask(twin.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(await twin.stop()).toBe('stopped')
})

test('3: processes that start together on nothing make one cluster', async () => {
  const processes = [startOwner(scratch.home), startOwner(scratch.home), startOwner(scratch.home)]
  const lines = await Promise.all(processes.map((one) => one.line()))
  expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(1)
  expect(lines.filter((line) => line.endsWith('false'))).toHaveLength(1)
  await Promise.all(processes.map((one) => one.kill()))
})

test('4: data that disappears under a running application is not replaced by an empty database', async () => {
  const { logger: recording, messages } = recordingLogger()
  const server = await startEmbedded({ dataDirectory: scratch.home, logger: recording })
  servers.push(server)
  const data = `${server.location}/data`
  renameSync(data, `${data}.away`)
  process.kill(server.pid, 'SIGKILL')
  await until('it tried', () => messages.some((message) => message.includes('does not come back')))
  expect(server.state).toBe('down')
  expect(existsSync(data)).toBe(false)
  renameSync(`${data}.away`, data)
  await until('it is up again', () => server.state === 'up')
})

test('stopping while it is down ends the attempts', async () => {
  const server = await start()
  renameSync(`${server.location}/data`, `${server.location}/away`)
  process.kill(server.pid, 'SIGKILL')
  await until('it is down', () => server.state === 'down')
  expect(await server.stop()).toBe('stopped')
})

test('5: listens on the loopback only', async () => {
  const server = await start()
  expect(await ask(server.url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
  const wrong = server.url.replace(/:[0-9a-f]+@/, ':wrong@')
  await expect(ask(wrong, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
})
