import { expect, test } from 'vitest'
import { readLine } from './events.ts'

const event = { type: 'variant', name: 'mutex' }
const note = { type: 'note', variant: 'a', text: { en: 'it said {"type":"x"}', es: '–' } }

test.each([
  [JSON.stringify(event), { event }],
  [JSON.stringify(note), { event: note }],
  ['debugging', { printed: 'debugging' }],
  ['{"type":"mine"}', { printed: '{"type":"mine"}' }],
  ['null', { printed: 'null' }],
  [`no end of line${JSON.stringify(event)}`, { event, printed: 'no end of line' }],
])('%s', (line, read) => {
  expect(readLine(line)).toEqual(read)
})
