/** What a crash at any moment leaves behind, and that a start copes with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { ask, postmasterOf, preparedHome, startOwner, temporaryHome, until } from './testing-server.ts'
import { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from './server.ts'

const asRoot = process.getuid?.() === 0
const original = temporaryHome()
let scratch = original
let servers: EmbeddedServer[] = []
let data = ''

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

beforeEach(async () => {
  scratch = await preparedHome(original.home)
  data = join(scratch.home, 'pg', 'data')
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.stop()
  await scratch.remove()
})
afterAll(() => original.remove())

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedServer> {
  const server = await startEmbedded({ dataDirectory: scratch.home, logger: silentLogger(), ...options })
  servers.push(server)
  return server
}

async function inEmptyHome(mode?: number): Promise<void> {
  await scratch.remove()
  scratch = temporaryHome(mode)
}

const kept = (server: EmbeddedServer) => ask(server.url, 'SELECT number FROM kept')
const settled = () =>
  JSON.parse(readFileSync(join(scratch.home, 'postgres.json'), 'utf8')) as { password: string; port: number }

test('initdb killed half-way', async () => {
  await inEmptyHome()
  const first = startOwner(scratch.home)
  const root = join(scratch.home, 'pg')
  const half = () => (existsSync(root) ? readdirSync(root).find((name) => /^init-\d+$/.test(name)) : undefined)
  await until('initdb has begun', () => half() !== undefined && existsSync(join(root, half() ?? '', 'PG_VERSION')))
  await first.kill()
  expect(existsSync(join(root, 'data'))).toBe(false)
  const server = await start()
  expect(await ask(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(readdirSync(root).filter((name) => name.startsWith('init-'))).toEqual([])
})

test('a postmaster.pid whose pid is now another process', async () => {
  const owner = statSync(data)
  // A process of the same account is what PostgreSQL itself refuses to start beside.
  const stranger: ChildProcess = spawn('/bin/sh', ['-c', 'echo; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    ...(asRoot ? { uid: owner.uid, gid: owner.gid } : {}),
  })
  try {
    await new Promise((resolve) => stranger.stdout?.once('data', resolve))
    const file = join(data, 'postmaster.pid')
    writeFileSync(file, `${stranger.pid}\n${data}\n1700000000\n5432\n\n127.0.0.1\n  1  1\nready   \n`)
    if (asRoot) chownSync(file, owner.uid, owner.gid)
    const server = await start()
    expect(server.adopted).toBe(false)
    expect(await kept(server)).toEqual([{ number: 7 }])
  } finally {
    stranger.kill('SIGKILL')
  }
})

test('kill -9 of the server and of its owner', async () => {
  const server = await start()
  const owner = startOwner(scratch.home)
  await owner.line()
  expect(await server.stop()).toBe('left')
  const pid = postmasterOf(scratch.home)
  await owner.kill()
  process.kill(pid, 'SIGKILL')
  const next = await start()
  expect(next.adopted).toBe(false)
  expect(await kept(next)).toEqual([{ number: 7 }])
})

test.runIf(process.platform === 'linux')('a backend that outlives the killed server and does not react', async () => {
  // 20 times as fast, so that patience with it is over in less than a second.
  const clock = { now: systemClock.now, monotonic: () => systemClock.monotonic() * 20 }
  const server = await start({ clock, startLimitMs: 600_000 })
  const client = new pg.Client(server.url)
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  process.kill(rows[0]?.pid ?? 0, 'SIGSTOP')
  const { pid } = server
  process.kill(pid, 'SIGKILL')
  await until('it is up again', () => server.pid !== pid && server.state === 'up')
  expect(await kept(server)).toEqual([{ number: 7 }])
  await client.end().catch(() => {})
})

test('the password file lost: the database takes a new password and keeps its data', async () => {
  const { password } = settled()
  rmSync(join(scratch.home, 'postgres.json'))
  const server = await start()
  expect(settled().password).not.toBe(password)
  expect(await kept(server)).toEqual([{ number: 7 }])
  expect(statSync(join(scratch.home, 'postgres.json')).mode & 0o777).toBe(0o600)
})

test('the port taken meanwhile by somebody else', async () => {
  const { port } = settled()
  const squatter = createServer().listen(port, '127.0.0.1')
  try {
    const server = await start()
    expect(Number(new URL(server.url).port)).not.toBe(port)
    expect(settled().port).not.toBe(port)
    expect(await kept(server)).toEqual([{ number: 7 }])
  } finally {
    squatter.close()
  }
})

test('a log that grew too large is put aside', async () => {
  const log = join(scratch.home, 'pg', 'postgres.log')
  truncateSync(log, 60 * 1024 * 1024) // Grown with a hole: takes no space.
  await start()
  expect(statSync(log).size).toBeLessThan(100_000)
  expect(existsSync(`${log}.1`)).toBe(true)
})

test('data of another major version is refused, with what to do', async () => {
  writeFileSync(join(data, 'PG_VERSION'), '14\n')
  await expect(start()).rejects.toMatchObject({ code: 'data', message: expect.stringContaining('Dump it') as string })
})

test('a setting that the server refuses is told with what the server says', async () => {
  await expect(start({ settings: { shared_buffers: 'much' } })).rejects.toMatchObject({
    code: 'start',
    output: expect.stringContaining('shared_buffers') as string,
  })
})

test.runIf(asRoot)('as root in a private directory: the data moves to where its account can reach it', async () => {
  await inEmptyHome(0o700)
  const first = await start()
  await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS number')
  expect(first.location).not.toContain(scratch.home)
  expect(readFileSync(join(scratch.home, 'location'), 'utf8')).toBe(`${first.location}\n`)
  expect(statSync(first.location).uid).not.toBe(0)
  await first.stop()

  const second = await start()
  expect(second.location).toBe(first.location)
  expect(await kept(second)).toEqual([{ number: 7 }])
  await second.stop()

  renameSync(first.location, `${first.location}.away`)
  await expect(start()).rejects.toMatchObject({
    code: 'data',
    message: expect.stringContaining(first.location) as string,
  })
  renameSync(`${first.location}.away`, first.location)
})

test.runIf(asRoot)('what a deleted private directory leaves outside is stopped and removed by the next', async () => {
  await inEmptyHome(0o700)
  const lost = await start()
  const { pid, location } = lost
  rmSync(scratch.home, { recursive: true })
  servers = []
  const other = temporaryHome(0o700)
  const next = await startEmbedded({ dataDirectory: other.home, logger: silentLogger() })
  expect(existsSync(location)).toBe(false)
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  await next.stop()
  await other.remove()
  await lost.stop().catch(() => {}) // Its directory is gone.
})

test.runIf(asRoot)('a directory on the way that became private is named, not moved away from', async () => {
  const parent = join(scratch.home, '..')
  chmodSync(parent, 0o700)
  await expect(start()).rejects.toMatchObject({ code: 'account', message: expect.stringContaining('chmod') as string })
  chmodSync(parent, 0o755)
})
