import { expect, test } from 'vitest'
import { Faults } from './faults.ts'
import { type Answer, BadRequest, type Call } from './http.ts'

const call: Call = { rest: '', query: new URLSearchParams(), headers: {}, body: undefined }

/** Faults with a clock that only notes how long it was asked to wait. */
function scenario() {
  const waits: number[] = []
  const timers = { sleep: async (ms: number) => void waits.push(ms), after: () => () => {} }
  const faults = new Faults(timers)
  let worked = 0
  const handler = faults.around('carrier', () => ({ status: 201, body: ++worked }))
  const control = (method: string, body?: unknown) =>
    (faults.routes[`${method} /faults`] ?? expect.unreachable())({ ...call, body }) as Answer
  const fates = async (calls: number) => {
    const made: string[] = []
    for (let i = 0; i < calls; i++) {
      const { status, lost } = await handler(call)
      made.push(lost ? 'lost' : String(status))
    }
    return made
  }
  return { faults, waits, control, fates, worked: () => worked }
}

const healthy = { latencyMs: 0, errorRate: 0, lostAnswerRate: 0, seed: 1 }
const none = { delays: 0, errors: 0, lostAnswers: 0 }
const called = { ...healthy, fired: none }
const sent = { delayMs: 0, duplicateRate: 0, reorderRate: 0, seed: 1, fired: { delays: 0, duplicates: 0, reorders: 0 } }
const allHealthy = { carrier: called, card: called, webhooks: sent, mail: called }

test('nothing goes wrong unless asked for', async () => {
  const { control, fates, waits } = scenario()
  expect(new Set(await fates(50))).toEqual(new Set(['201']))
  expect(waits).toEqual([])
  expect(control('GET').body).toEqual(allHealthy)
})

test('F2: a refusal did nothing, a lost answer did everything, a delay comes first', async () => {
  const { control, fates, waits, worked } = scenario()
  control('PUT', { carrier: { errorRate: 1, latencyMs: 30 } })
  expect(await fates(2)).toEqual(['503', '503'])
  expect([worked(), waits]).toEqual([0, [30, 30]])
  control('PUT', { carrier: { lostAnswerRate: 1 } })
  expect(await fates(2)).toEqual(['lost', 'lost'])
  expect(worked()).toBe(2)
})

test('F3: the same seed gives the same fates, and one rate does not move the other', async () => {
  const { control, fates } = scenario()
  const under = (plan: object) => {
    control('PUT', { carrier: { seed: 7, ...plan } })
    return fates(400)
  }
  const both = await under({ errorRate: 0.2, lostAnswerRate: 0.1 })
  expect(await under({ errorRate: 0.2, lostAnswerRate: 0.1 })).toEqual(both)
  const errors = both.filter((fate) => fate === '503').length
  expect(errors).toBeGreaterThan(50)
  expect(errors).toBeLessThan(110)
  expect((await under({ errorRate: 0.2 })).map((fate) => fate === '503')).toEqual(both.map((fate) => fate === '503'))
  expect(await under({ errorRate: 0.2, lostAnswerRate: 0.1, seed: 8 })).not.toEqual(both)
})

test('F4: what fired is counted, and DELETE answers the last count', async () => {
  const { control, fates } = scenario()
  const plan = { latencyMs: 5, errorRate: 0.5, lostAnswerRate: 0.5, seed: 3 }
  control('PUT', { carrier: plan })
  const made = await fates(40)
  const fired = {
    delays: 40,
    errors: made.filter((fate) => fate === '503').length,
    lostAnswers: made.filter((fate) => fate === 'lost').length,
  }
  expect(control('DELETE').body).toEqual({ ...allHealthy, carrier: { ...plan, fired } })
  expect(control('GET').body).toEqual(allHealthy)
  expect(await fates(10)).toEqual(Array(10).fill('201'))
})

test('a plan that makes no sense is refused whole', () => {
  const { control } = scenario()
  for (const body of [
    null,
    { pigeons: {} },
    { carrier: { errorRate: 1.1 } },
    { carrier: { latencyMs: -1 } },
    { carrier: { latencyMs: 5, typo: 1 } },
    { carrier: { duplicateRate: 0.5 } },
    { webhooks: { errorRate: 0.5 } },
  ]) {
    expect(() => control('PUT', body)).toThrow(BadRequest)
  }
  expect(control('GET').body).toEqual(allHealthy)
})

test('what the sandbox sends has other faults, and a stream of dice of its own', async () => {
  const { faults, control, fates, waits } = scenario()
  const plans = { carrier: { errorRate: 0.5 }, webhooks: { duplicateRate: 0.5, delayMs: 7 } }
  control('PUT', plans)
  const made = await fates(50)
  control('PUT', plans)
  let duplicates = 0
  for (let i = 0; i < 50; i++) {
    const fate = faults.fate('webhooks')
    await fate.delay()
    if (fate.strikes('duplicateRate')) duplicates++
    expect(fate.strikes('reorderRate')).toBe(false)
  }
  expect(await fates(50)).toEqual(made)
  expect(waits).toEqual(Array(50).fill(7))
  expect(duplicates).toBeGreaterThan(10)
  expect(control('GET').body).toMatchObject({ webhooks: { fired: { delays: 50, duplicates, reorders: 0 } } })
})
