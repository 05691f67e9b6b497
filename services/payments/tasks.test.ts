import { describe, expect, test } from 'vitest'
import { hours } from '@cauce/kit/core/clock'
import type { AuthorizeAnswer, CardProcessor, FindAnswer } from './card.ts'
import { effects } from './tasks.ts'

const request = { paymentId: 'pay_1', amount: 700, currency: 'EUR', token: 'tok_ok' }
const context = { key: 'k1', attempt: 1, ageMs: 0, requestId: 'r', signal: new AbortController().signal }

interface Answers {
  readonly authorize?: AuthorizeAnswer
  readonly find?: FindAnswer
}

/** Runs an effect against a processor that answers so; gives the outcome and what was called. */
async function run(type: string, answers: Answers, ageMs = 0, data: object = request) {
  const called: string[] = []
  const processor: CardProcessor = {
    authorize: async () => {
      called.push('authorize')
      return answers.authorize ?? { kind: 'again', reason: 'none' }
    },
    find: async () => {
      called.push('find')
      return answers.find ?? { kind: 'again', reason: 'none' }
    },
    capture: async () => ({ kind: 'refused', code: 'expired', reason: 'too old' }),
    void: async () => ({ kind: 'refused', code: 'captured', reason: 'it was' }),
    refund: async () => ({ kind: 'refunded' }),
  }
  const effect = effects(processor).find((each) => each.type === type)!
  return { outcome: await effect.run(data, { ...context, ageMs }), called }
}

test.each<[AuthorizeAnswer, object]>([
  [
    { kind: 'authorized', expiresAt: 9 },
    { kind: 'done', result: { kind: 'authorized', expiresAt: 9 } },
  ],
  [
    { kind: 'declined', message: 'No' },
    { kind: 'done', result: { kind: 'declined', message: 'No' } },
  ],
  [
    { kind: 'again', reason: 'busy', afterMs: 5 },
    { kind: 'retry', reason: 'busy', afterMs: 5 },
  ],
  [
    { kind: 'refused', code: 'unknown-token', reason: 'who?' },
    { kind: 'cancel', reason: 'unknown-token: who?' },
  ],
])('authorise: %j is %j', async (answer, outcome) => {
  expect(await run('authorize-card', { authorize: answer })).toEqual({ outcome, called: ['authorize'] })
})

test('the decision can tell a void that came too late', async () => {
  expect((await run('void-card', {})).outcome).toEqual({ kind: 'cancel', reason: 'captured: it was' })
  expect((await run('capture-card', {})).outcome).toEqual({ kind: 'cancel', reason: 'expired: too old' })
  expect((await run('refund-card', {})).outcome).toMatchObject({ kind: 'done' })
})

describe('when the processor may have forgotten the key it is asked by our own reference first', () => {
  const old = hours(30)
  const charge = { key: 'k0', amount: 700, refunded: 0, expiresAt: 9 }

  test('what is there is taken, under its key', async () => {
    const find: FindAnswer = { kind: 'found', charges: [{ ...charge, status: 'authorized' }] }
    const { outcome, called } = await run('authorize-card', { find }, old)
    expect(outcome).toEqual({ kind: 'done', result: { kind: 'authorized', expiresAt: 9, chargeKey: 'k0' } })
    expect(called).toEqual(['find'])
  })

  test('nothing alive is there: asked for under the same key', async () => {
    const find: FindAnswer = { kind: 'found', charges: [{ ...charge, status: 'voided' }] }
    expect(
      (await run('authorize-card', { find, authorize: { kind: 'authorized', expiresAt: 9 } }, old)).called,
    ).toEqual(['find', 'authorize'])
  })

  test('no answer: not asked for', async () => {
    const { outcome, called } = await run('authorize-card', {}, old)
    expect([outcome, called]).toEqual([{ kind: 'retry', reason: 'none' }, ['find']])
  })

  test('a refund is asked for again only when nothing went back', async () => {
    const found = (refunded: number): FindAnswer => ({
      kind: 'found',
      charges: [{ ...charge, refunded, status: 'captured' }],
    })
    const back = { ...request, chargeKey: 'k0', refundId: 'ref_1' }
    expect((await run('refund-card', { find: found(0) }, old, back)).outcome).toMatchObject({ kind: 'done' })
    expect((await run('refund-card', { find: found(5) }, old, back)).outcome).toMatchObject({ kind: 'retry' })
    expect((await run('refund-card', {}, old, back)).outcome).toEqual({ kind: 'retry', reason: 'none' })
  })
})
