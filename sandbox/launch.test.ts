import { sourceLoader } from '@cauce/kit/program/testing'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock, systemTimers } from '@cauce/kit/core/clock'
import { announce, announced, lockOf } from './announcement.ts'
import { ensureSandbox, type RunningSandbox, SandboxNotReady } from './launch.ts'
import { holderOf } from './storage/lock.ts'
import { isRunning } from './storage/process-identity.ts'
import { book, request, sandboxHere, temporaryDirectory } from './testing.ts'

const timeoutMs = 20_000

/** Whatever runs for the directory when the test ends is ended. */
function launchDirectory(): string {
  const directory = temporaryDirectory()
  onTestFinished(async () => {
    const holder = holderOf(lockOf(directory))
    if (!holder) return
    process.kill(holder.pid, 'SIGKILL')
    for (let tries = 0; isRunning(holder) && tries < 1000; tries++) await systemTimers.sleep(5)
  })
  return directory
}

const ensure = (dataDirectory: string): Promise<RunningSandbox> =>
  ensureSandbox({ dataDirectory, timers: systemTimers, clock: systemClock })

test(
  'two launchers at the same time end with one process; who only adopted does not stop it',
  { timeout: timeoutMs },
  async () => {
    const directory = launchDirectory()
    const other = await sandboxHere() // alive and answering as this process, which holds no lock on our directory
    announce(directory, { url: other.url, smtp: other.smtp, pid: process.pid })
    const both = await Promise.all([ensure(directory), ensure(directory)])
    expect(both.map(({ started }) => started).toSorted()).toEqual([false, true])
    expect(new Set(both.map(({ url }) => url)).size).toBe(1)
    const [adopted, started] = both[0]?.started ? [both[1], both[0]] : [both[0], both[1]]
    await adopted?.stop()
    const url = started?.url ?? expect.unreachable()
    expect(url).not.toBe(other.url)
    expect((await request(url, 'GET', '/livez')).status).toBe(200)
    expect(await ensure(directory)).toMatchObject({ url, started: false })
    await started?.stop()
    await expect(request(url, 'GET', '/livez')).rejects.toThrow('fetch failed')
  },
)

test('it outlives kill -9 of the process group that started it, and is adopted', { timeout: timeoutMs }, async () => {
  const directory = launchDirectory()
  const script = join(directory, 'owner.mts')
  const kit = import.meta.resolve('@cauce/kit/core/clock')
  writeFileSync(
    script,
    `import { ensureSandbox } from ${JSON.stringify(new URL('launch.ts', import.meta.url).href)}
     import { systemClock as clock, systemTimers as timers } from ${JSON.stringify(kit)}
     await ensureSandbox({ dataDirectory: ${JSON.stringify(directory)}, clock, timers })
     console.log('ready')
     process.stdin.resume()`,
  )
  const owner = spawn(process.execPath, [...sourceLoader, script], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(owner.stdout, 'data')
  const { url = '' } = announced(directory) ?? {}
  await book(url, 'k')
  process.kill(-(owner.pid ?? expect.unreachable()), 'SIGKILL')
  await once(owner, 'exit')
  const next = await ensure(directory)
  expect([next.url, next.started]).toEqual([url, false])
  expect((await request(url, 'GET', '/shipments/k')).body.status).toBe('accepted')
})

test('a start that fails says why', { timeout: timeoutMs }, async () => {
  const directory = launchDirectory()
  writeFileSync(join(directory, 'sandbox.journal'), 'bad\n00000000 \n')
  const failure = await ensure(directory).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(SandboxNotReady)
  expect(String(failure)).toMatch(/It ended with 1\..*is damaged after byte 0/s)
  expect(readFileSync(join(directory, 'sandbox.log'), 'utf8')).toContain('is damaged')
})
