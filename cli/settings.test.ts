import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { reachableUrl, readSettings } from './settings.ts'
import { temporaryDirectory } from './testing.ts'
import { translator } from './texts.ts'

const t = translator('en')
// Nothing is read from it but a .env file, which it does not have.
const directory = fileURLToPath(new URL('bin', import.meta.url))
const read = (flags = {}, env = {}, at = directory) => readSettings(flags, env, at, t)

test('with nothing set it is the default server and directory', () => {
  expect(read()).toMatchObject({ url: 'http://127.0.0.1:8080', urlIsDefault: true, dataIsDefault: true })
  expect(read().dataDirectory).toBe(join(directory, '.cauce'))
})

test.each([
  [{}, { PORT: '9000' }, 'http://127.0.0.1:9000'],
  [{}, { HOST: '0.0.0.0', PORT: '1' }, 'http://127.0.0.1:1'],
  [{}, { HOST: '::1' }, 'http://[::1]:8080'],
  [{}, { CAUCE_URL: 'http://shop:1/', PORT: '9' }, 'http://shop:1'],
  [{ url: 'https://flag' }, { CAUCE_URL: 'http://env' }, 'https://flag'],
  [{}, { CAUCE_URL: '', PORT: '' }, 'http://127.0.0.1:8080'],
])('%j over %j talks to %s', (flags, env, url) => {
  expect(read(flags, env).url).toBe(url)
})

test('the environment wins over .env, flags win over both', () => {
  const at = temporaryDirectory()
  writeFileSync(join(at, '.env'), '# mine\nCAUCE_DATA=from-file\nPORT=7000\nSANDBOX_URL=http://sandbox/\n')
  const settings = read({}, { PORT: '7001' }, at)
  expect(settings).toMatchObject({ url: 'http://127.0.0.1:7001', sandboxUrl: 'http://sandbox', dataIsDefault: false })
  expect(settings.dataDirectory).toBe(join(at, 'from-file'))
  expect(read({ data: 'from-flag' }, {}, at).dataDirectory).toBe(join(at, 'from-flag'))
})

test.each(['shop', 'ftp://shop', 'http://'])('%s is no URL to talk to', (url) => {
  expect(() => read({ url })).toThrow(expect.objectContaining({ exit: 2 }))
})

test('a server on every address is reached on this machine', () => {
  expect(reachableUrl('http://0.0.0.0:8080')).toBe('http://127.0.0.1:8080')
  expect(reachableUrl('http://[::]:8080')).toBe('http://[::1]:8080')
  expect(reachableUrl('http://192.0.2.1:80')).toBe('http://192.0.2.1:80')
})
