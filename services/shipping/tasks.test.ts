import { expect, test } from 'vitest'
import type { BookingAnswer, Carrier } from './carrier.ts'
import { effects } from './tasks.ts'

const context = { key: 'k1', attempt: 1, ageMs: 0, requestId: 'req-1', signal: new AbortController().signal }

async function outcomeOf(answer: BookingAnswer) {
  const asked: unknown[] = []
  const carrier: Carrier = {
    book: (request, given) => {
      asked.push([request, given.key, given.requestId])
      return Promise.resolve(answer)
    },
  }
  const outcome = await effects(carrier)[0]!.run({ shipmentId: 'shp_1' }, context)
  expect(asked).toEqual([[{ shipmentId: 'shp_1' }, 'k1', 'req-1']])
  return outcome
}

test('the carrier’s answer is the outcome', async () => {
  const booked = { kind: 'booked', tracking: 'CRR1' } as const
  const undeliverable = { kind: 'undeliverable', message: 'Not there' } as const
  expect(await outcomeOf(booked)).toEqual({ kind: 'done', result: booked })
  expect(await outcomeOf(undeliverable)).toEqual({ kind: 'done', result: undeliverable })
  expect(await outcomeOf({ kind: 'refused', reason: 'voided' })).toEqual({ kind: 'cancel', reason: 'voided' })
  expect(await outcomeOf({ kind: 'again', reason: 'busy' })).toEqual({ kind: 'retry', reason: 'busy' })
  expect(await outcomeOf({ kind: 'again', reason: 'busy', afterMs: 5 })).toEqual({
    kind: 'retry',
    reason: 'busy',
    afterMs: 5,
  })
})

test('a booking has no last attempt', () => {
  const [effect] = effects({ book: () => Promise.reject(new Error('unused')) })
  expect(effect?.backoff).toEqual({ baseMs: 1_000, capMs: 60_000, attempts: Infinity })
})
