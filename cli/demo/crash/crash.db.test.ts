/** The demonstrations that kill, as they are typed: real processes, a database of their own, and nothing left of them. */
import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../testing.ts'
import { processesOf, typed } from '../../testing-processes.ts'
import type { Report } from './report.ts'
import { findings } from './verdict.ts'

function demo(...args: string[]) {
  const data = temporaryDirectory()
  chmodSync(data, 0o755) // The account of the database passes through.
  const env = { ...process.env, CAUCE_DATA: data, LANG: 'en', DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }
  return { data, ...typed(['demo', ...args], data, env) }
}

async function expectNothingLeft(data: string): Promise<void> {
  // The guard is told to go as the last act, and takes a moment to.
  await expect.poll(() => processesOf(data), { timeout: 3000 }).toEqual([])
  expect(readdirSync(join(data, 'demo'))).toEqual([])
}

test('--crash: killed with its database, Cauce loses and doubles nothing', { timeout: 90_000 }, async () => {
  const { data, printed, ended } = demo('--crash', '--orders', '60', '--kills', '1', '--json')
  const code = await ended
  expect({ code, ...(code === 0 ? {} : printed) }).toEqual({ code: 0 })
  const { ok, cauce: trial, naive } = JSON.parse(printed.out) as Report
  expect({ ok, naive }).toEqual({ ok: true, naive: null })
  expect(trial).toMatchObject({
    accepted: 60,
    terminal: 60,
    findings: Object.fromEntries(findings.map((name) => [name, 0])),
    audit: { ok: true, log: { unapplied: 0, parked: 0 } },
    kills: { server: [expect.any(Number)], database: [expect.any(Number)] },
  })
  // A fault that never struck would prove nothing.
  expect(trial!.faults.lostAnswers).toBeGreaterThan(0)
  expect(trial!.charges).toBeGreaterThan(0)
  expect(printed.err).toContain('kill -9: the server, at ')
  expect(printed.err).toContain('kill -9: PostgreSQL, at ')
  await expectNothingLeft(data)
})

test('--naive: the same faults alone make it charge twice', { timeout: 90_000 }, async () => {
  const none = ['--kills', '0', '--database-kills', '0']
  const { data, printed, ended } = demo('--naive', '--orders', '60', '--cards', '100', '--json', ...none)
  const code = await ended
  expect({ code, ...(code === 0 ? {} : printed) }).toEqual({ code: 0 })
  const { naive, cauce: trial } = JSON.parse(printed.out) as Report
  expect(trial).toBeNull()
  expect(naive!.findings.doubleCharges).toBeGreaterThan(0)
  expect(naive!.completed).toBeGreaterThan(0)
  await expectNothingLeft(data)
})

test('Ctrl-C in the middle is 130, and nothing is left', { timeout: 60_000 }, async () => {
  const { child, data, printed, ended, until } = demo('--crash', '--orders', '60')
  await until('kill -9')
  expect(processesOf(data)).not.toEqual([])
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(printed.out).toBe('')
  await expectNothingLeft(data)
})
