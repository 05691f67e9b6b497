import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock, systemTimers } from '../../core/clock.ts'
import { startProcess } from './testing-server.ts'
import { withLock } from './lock.ts'
import { processIdentity } from './processes.ts'
import { countUsers, register } from './users.ts'

let directory: string
let path: string
const options = { clock: systemClock, timers: systemTimers, patienceMs: 10_000 }

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cauce-lock-'))
  path = join(directory, 'lock')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('one at a time, and the lock is gone afterwards, also when the work fails', async () => {
  let inside = 0
  let most = 0
  const work = async () => {
    most = Math.max(most, ++inside)
    await systemTimers.sleep(1)
    inside--
  }
  await Promise.all(Array.from({ length: 8 }, () => withLock(path, options, work)))
  expect(most).toBe(1)
  await expect(withLock(path, options, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  expect(existsSync(path)).toBe(false)
})

test('a lock whose owner died is taken over: another pid, a reused pid, and one cut off while it was written', async () => {
  const child = startProcess('process.stdout.write("up\\n"); process.stdin.resume()')
  await child.line()
  writeFileSync(path, `${child.child.pid} ${processIdentity(child.child.pid ?? 0)}`)
  await child.kill()
  expect(await withLock(path, options, async () => readFileSync(path, 'utf8'))).toContain(String(process.pid))
  writeFileSync(path, `${process.pid} an-earlier-start`)
  expect(await withLock(path, options, async () => 1)).toBe(1)
  writeFileSync(path, '')
  const hurried = {
    ...options,
    clock: { now: systemClock.now, monotonic: () => systemClock.monotonic() * 50 },
    patienceMs: 500_000,
  }
  expect(await withLock(path, hurried, async () => 2)).toBe(2)
})

test('a living owner that does not let go is named', async () => {
  await withLock(path, options, async () => {
    const impatient = withLock(path, { ...options, patienceMs: 50 }, async () => 1)
    await expect(impatient).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(String(process.pid)) as string,
    })
  })
})

test('users: the dead and the reused are not counted', () => {
  const users = join(directory, 'users')
  const leave = register(users)
  const leaveAgain = register(users)
  writeFileSync(join(users, '4194399-1'), 'never started')
  writeFileSync(join(users, `${process.pid}-77`), 'an-earlier-start')
  expect(countUsers(users)).toBe(2)
  leave()
  expect(countUsers(users)).toBe(1)
  leaveAgain()
  expect(countUsers(users)).toBe(0)
})
