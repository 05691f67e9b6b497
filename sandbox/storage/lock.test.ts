import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../testing.ts'
import { holderOf, type Lock, takeLock } from './lock.ts'
import { identify, isRunning } from './process-identity.ts'

const pathIn = (directory: string) => join(directory, 'the.lock')

function taken(path: string): Lock {
  const lock = takeLock(path)
  if ('heldBy' in lock) return expect.unreachable(`held by ${lock.heldBy.pid}`)
  return lock
}

test('one holder at a time, also within one process', () => {
  const path = pathIn(temporaryDirectory())
  expect(holderOf(path)).toBeUndefined()
  const lock = taken(path)
  expect(takeLock(path)).toEqual({ heldBy: identify(process.pid) })
  expect(holderOf(path)?.pid).toBe(process.pid)
  lock.release()
  expect(holderOf(path)).toBeUndefined()
  taken(path).release()
})

test('what a killed holder left behind is free and is cleaned up', async () => {
  const directory = temporaryDirectory()
  const path = pathIn(directory)
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] })
  await once(child, 'spawn')
  const dead = identify(child.pid ?? 0)
  expect(isRunning(dead)).toBe(true)
  writeFileSync(`${path}.3`, JSON.stringify(dead))
  writeFileSync(`${path}.${dead.pid}-1.draft`, 'half')
  expect(takeLock(path)).toEqual({ heldBy: dead })
  child.kill('SIGKILL')
  await once(child, 'exit')
  taken(path)
  expect(readdirSync(directory)).toEqual(['the.lock.4'])
})

test('the number of a dead holder, given to another process, holds nothing', () => {
  const path = pathIn(temporaryDirectory())
  writeFileSync(`${path}.1`, JSON.stringify({ pid: process.pid, began: 'another boot 42' }))
  taken(path).release()
})

test('K2: a taker that looked long ago steps back behind a newer generation', () => {
  const path = pathIn(temporaryDirectory())
  const first = taken(path)
  first.release()
  const second = taken(path)
  // generation 1 was cleaned away, so creating it would succeed: the newest one still decides
  writeFileSync(`${path}.1`, JSON.stringify(null))
  expect(takeLock(path)).toHaveProperty('heldBy')
  second.release()
})
