import { appendFileSync, closeSync, existsSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { hurriedTimers, temporaryDirectory } from '../testing.ts'
import { followLog, openLogFile } from './log-file.ts'

const directory = () => join(temporaryDirectory(), 'data')

test('is made with its directory, for its owner only', () => {
  const log = openLogFile(directory())
  closeSync(log.descriptor)
  expect(statSync(log.path).mode & 0o077).toBe(0)
  expect(log.offset).toBe(0)
})

test('is put aside when it is large', () => {
  const data = directory()
  const { path, descriptor } = openLogFile(data)
  closeSync(descriptor)
  truncateSync(path, 11 * 1024 * 1024)
  const log = openLogFile(data)
  closeSync(log.descriptor)
  expect(log.offset).toBe(0)
  expect(existsSync(`${path}.1`)).toBe(true)
})

test('gives every line that is written after the offset, whole, also the last one without its end', async () => {
  const data = directory()
  const { path, descriptor } = openLogFile(data)
  closeSync(descriptor)
  writeFileSync(path, 'old\n')
  const lines: string[] = []
  const over = new AbortController()
  const following = followLog({ path, offset: 4 }, (line) => lines.push(line), hurriedTimers, over.signal)
  for (const part of ['one\ntw', 'o\n', 'ñ'.repeat(50_000), '\nla', 'st']) {
    appendFileSync(path, part)
    await hurriedTimers.sleep(0)
  }
  over.abort()
  await following
  expect(lines).toEqual(['one', 'two', 'ñ'.repeat(50_000), 'last'])
})
