/** `npm run labs:soak` as it is run: a real lab, and an interrupt that leaves nothing. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canWeigh, scalesFor } from './soak/memory.ts'
import { root } from './run.ts'

let temporary: string
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'cauce-soak-test-'))
  chmodSync(temporary, 0o755)
})
afterEach(() => rmSync(temporary, { recursive: true, force: true }))

function start(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'tools/labs-soak.ts', ...args], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, said, ended }
}

/** Files and processes of all that it started; what made it into JavaScript keeps its cache here too. */
const left = () => [
  ...readdirSync(temporary).filter((name) => !name.startsWith('tsx-')),
  ...scalesFor(temporary).members(),
]

test('a lab is run, weighed and counted', { timeout: 120_000 }, async () => {
  const { said, ended } = start(
    '--labs',
    'stock-counter',
    '--seeds',
    '0',
    '--small-seeds',
    '2',
    '--from',
    '5',
    '--json',
  )
  expect(await ended, said.err).toBe(0)
  const { labs, ...rest } = JSON.parse(said.out)
  expect(rest).toMatchObject({ ok: true, interrupted: false, deviations: [] })
  const both = { yes: 2, of: 2 }
  expect(labs).toMatchObject([{ lab: 'stock-counter', runs: 2, showed: both, held: both, slowestMs: null }])
  // A Node and a PostgreSQL.
  if (canWeigh) expect(labs[0].peakBytes).toBeGreaterThan(50 * 1024 * 1024)
  expect(labs[0].peakBytes).toBeLessThan(512 * 1024 * 1024)
  expect(left()).toEqual([])
})

test('interrupted, it leaves nothing behind', { timeout: 120_000 }, async () => {
  const { child, said, ended } = start('--labs', 'stock-counter', '--seeds', '0', '--small-seeds', '50', '--jobs', '2')
  await new Promise<void>((resolve, reject) => {
    child.stderr.once('data', () => resolve())
    void ended.then((code) => reject(new Error(`It ended with ${code}: ${said.err}`)))
  })
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(said.out).toContain('Interrupted after')
  expect(left()).toEqual([])
})

test.each([
  [['--labs', 'luck'], 'There is no lab luck. There are: '],
  [['--seeds', 'many'], '--seeds is "many"; it must be a whole number from 0 to 100000'],
  [['--colour'], "Unknown option '--colour'"],
])('%j is a mistake', { timeout: 60_000 }, async (args, why) => {
  const { said, ended } = start(...args)
  expect(await ended).toBe(2)
  expect(said.err).toContain(why)
  expect(said.err).toContain('npm run labs:soak --')
  expect(left()).toEqual([])
})
