import { expect, test } from 'vitest'
import { createOutput } from '../output.ts'
import { translator } from '../texts.ts'
import { createProgress } from './progress.ts'

function progressOn(isTTY: boolean) {
  const printed = { text: '' }
  const stderr = { isTTY, columns: 80, write: (text: string) => (printed.text += text) }
  const output = createOutput({ stdout: { write: () => true }, stderr, env: { NO_COLOR: '1' }, json: false })
  return { progress: createProgress(output, translator('en'), 10), printed }
}

test('a line that is said takes the place of the bar, which goes on and ends below it', () => {
  const { progress, printed } = progressOn(true)
  progress.start()
  progress.say('kill -9')
  expect(printed.text.endsWith('\r\u001B[Kkill -9\n\u001B7')).toBe(true)
  progress.show(10, 10, 0)
  progress.stop()
  expect(printed.text.slice(printed.text.lastIndexOf('\u001B7'))).toContain('10/10 ended')
})

test('elsewhere than on a terminal, and without a bar, it is a line like any other', () => {
  const { progress, printed } = progressOn(false)
  progress.say('before')
  progress.start()
  progress.say('meanwhile')
  progress.stop()
  expect(printed.text).toContain('before\n')
  expect(printed.text).toContain('meanwhile\n')
  expect(printed.text).not.toContain('\u001B7')
})
