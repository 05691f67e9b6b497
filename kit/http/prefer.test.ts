import { expect, test } from 'vitest'
import { preferredWaitMs } from './prefer.ts'

test.each([
  ['wait=10', 10_000],
  ['respond-async, wait=3', 3000],
  ['WAIT = "5"; x=1', 5000],
  ['wait=0', 0],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['await=4', undefined],
  ['wait', undefined],
  ['', undefined],
  [undefined, undefined],
])('Prefer: %s waits %s ms', (prefer, waitMs) => {
  expect(preferredWaitMs({ raw: { headers: prefer === undefined ? {} : { prefer } } } as never)).toBe(waitMs)
})
