import { expect, test } from 'vitest'
import { ConfigError } from '@cauce/kit/config/config'
import { readConfig } from './config.ts'

test.each([
  [{}, true],
  [{ NODE_ENV: 'development' }, true],
  [{ NODE_ENV: 'production' }, false],
  [{ NODE_ENV: 'production', CAUCE_LABS: 'on' }, true],
  [{ NODE_ENV: 'production', CAUCE_LABS: '' }, false],
  [{ CAUCE_LABS: 'off' }, false],
])('%j: labs %j', (env, labs) => {
  expect(readConfig(env, '/tmp').labs).toBe(labs)
})

test('a setting that says neither is told', () => {
  const read = () => readConfig({ CAUCE_LABS: 'maybe' }, '/tmp')
  expect(read).toThrow(ConfigError)
  expect(read).toThrow('CAUCE_LABS is "maybe"; it must be on or off')
})
