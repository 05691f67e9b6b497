import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { loadDevKey } from '@cauce/kit/http/dev-key'
import type { Settings } from '../settings.ts'
import { temporaryDirectory } from '../testing.ts'
import { translator } from '../texts.ts'
import { checkData, checkDisk, checkKey, checkNode, checkPort } from './local.ts'

const t = translator('en')
let home: string
beforeEach(() => void (home = temporaryDirectory()))
const settings = (given: Partial<Settings>) =>
  ({ url: 'http://127.0.0.1:8080', host: '127.0.0.1', port: '8080', ...given }) as Settings
const data = (name: string, make = true) => {
  const dataDirectory = join(home, name)
  if (make) mkdirSync(dataDirectory)
  return settings({ dataDirectory })
}

test.each([
  ['18.19.0', 'fail'],
  ['20.20.1', 'fail'],
  ['20.20.2', 'warn'],
  ['21.0.0', 'warn'],
  ['22.18.0', 'ok'],
  ['24.1.0', 'ok'],
])('Node %s: %s', (version, status) => {
  expect(checkNode(t, version).status).toBe(status)
})

test('a data directory that does not exist yet is fine', () => {
  expect(checkData(t, data('new', false))).toMatchObject({ status: 'ok' })
})

test('one in a temporary directory is a warning', () => {
  expect(checkData(t, data('temporary'))).toMatchObject({
    status: 'warn',
    advice: expect.stringContaining('temporary'),
  })
})

test('a database elsewhere that is gone is a failure', () => {
  const lost = data('lost')
  writeFileSync(join(lost.dataDirectory, 'location'), `${join(home, 'nowhere')}\n`)
  expect(checkData(t, lost)).toMatchObject({ status: 'fail', advice: expect.stringContaining('nowhere') })
})

test('a path through a file cannot be written to', () => {
  writeFileSync(join(home, 'file'), '')
  expect(checkData(t, data('file/data', false))).toMatchObject({
    status: 'fail',
    advice: expect.stringContaining('ENOTDIR'),
  })
})

test('the key: none, good, readable by others, damaged', async () => {
  const { dataDirectory } = data('keys')
  const status = () => checkKey(t, settings({ dataDirectory })).status
  expect(status()).toBe('ok')
  await loadDevKey(dataDirectory)
  expect(status()).toBe('ok')
  chmodSync(join(dataDirectory, 'dev-key.json'), 0o644)
  expect(status()).toBe('warn')
  writeFileSync(join(dataDirectory, 'dev-key.json'), '{}')
  expect(status()).toBe('fail')
})

test('the disk that holds the data is measured, also before there is any', async () => {
  expect((await checkDisk(t, data('a/b/c', false))).detail).toMatch(/^\d+\.\d GB free at /)
})

test('a port: free, taken by something else, taken by Cauce', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve))
  const port = String((other.address() as AddressInfo).port)
  const here = settings({ port, url: `http://127.0.0.1:${port}` })
  expect((await checkPort(t, here, false)).status).toBe('fail')
  expect((await checkPort(t, here, true)).status).toBe('ok')
  await new Promise<void>((resolve) => void other.close(() => resolve()))
  expect((await checkPort(t, here, false)).status).toBe('ok')
})
