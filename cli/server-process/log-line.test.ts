import colours from 'picocolors'
import { expect, test } from 'vitest'
import { formatLogLine, isWarning, parseLogLine } from './log-line.ts'

const plain = colours.createColors(false)
const line = (members: object) =>
  JSON.stringify({ level: 'warn', time: '2026-11-24T08:37:39.894Z', version: '0.1.0', ...members })

test('shows when, how bad, what, about what and why', () => {
  const text = line({ event: 'consumer.parked', lane: 3, msg: 'A message is parked', err: { message: 'boom\nmore' } })
  expect(formatLogLine(text, plain)).toBe('08:37:39 warn  A message is parked  lane=3  boom')
})

test('what is not a log line is shown as it is', () => {
  for (const text of ['', 'Error: no such file', '{ half', '{"level":30}'])
    expect(formatLogLine(text, plain)).toBe(text)
})

test.each([
  ['debug', false],
  ['info', false],
  ['warn', true],
  ['error', true],
  ['fatal', true],
])('%s is a warning: %s', (level, expected) => {
  expect(isWarning(parseLogLine(line({ level })))).toBe(expected)
})
