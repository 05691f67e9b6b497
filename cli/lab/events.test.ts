import { expect, expectTypeOf, test } from 'vitest'
import type { LabDescription as TheirDescription } from '@cauce/labs/harness/describe'
import type { LabEvent as TheirEvent } from '@cauce/labs/harness/events'
import { readLine, type LabDescription, type LabEvent } from './events.ts'

test('what the labs say is what is read', () => {
  expectTypeOf<TheirEvent>().toExtend<LabEvent>()
  expectTypeOf<TheirDescription>().toExtend<LabDescription>()
})

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
