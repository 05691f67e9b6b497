import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { providerThat, saying, type Answerer } from '@cauce/kit/client/testing'
import { systemClock, type Timers } from '@cauce/kit/core/clock'
import { Charges } from '../card/charges.ts'
import { Faults } from '../faults.ts'
import { openStore } from '../storage/store.ts'
import { temporaryDirectory, until } from '../testing.ts'
import { Endpoint } from './endpoint.ts'
import { Sender } from './sender.ts'

const moment = { now: 0, announced: true }

/** A sender whose waits are noted and take no time, and whose patience ends when told. */
async function scenario(answer: Answerer) {
  const receiver = await providerThat(answer)
  const charges = new Charges()
  const endpoint = new Endpoint()
  const store = await openStore(temporaryDirectory(), [charges, endpoint], (error) => {
    throw error
  })
  const waits: number[] = []
  const patience = new Map<() => void, number>()
  const timers: Timers = {
    sleep: async (ms) => void waits.push(ms),
    after: (ms, task) => {
      patience.set(task, ms)
      return () => void patience.delete(task)
    },
  }
  const sender = new Sender({
    charges,
    endpoint,
    store,
    faults: new Faults(timers),
    timers,
    clock: systemClock,
    random: { next: () => 1 },
  })
  endpoint.put({ key: 'endpoint', url: receiver.url, secret: 's' })
  sender.restart()
  onTestFinished(async () => {
    await sender.close()
    await store.close()
  })
  const authorize = async (key: string) => {
    const asked = { key, paymentId: key, amount: 1, currency: 'EUR', token: 'tok_ok', fingerprint: 'f' } as const
    await store.change(charges, key, () => charges.decideAuthorisation(asked, moment))
    sender.notify(key)
  }
  return { ...receiver, charges, sender, waits, patience, authorize }
}

test('W3: delays grow to a minute, and after twenty tries it is given up', async () => {
  const { seen, charges, waits, authorize } = await scenario(saying(404, ''))
  await authorize('k')
  await until('given up', () => charges.told.failed === 1)
  expect(seen).toHaveLength(20)
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, ...Array<number>(12).fill(60_000)])
  expect(charges.told).toEqual({ pending: 0, delivered: 0, failed: 1 })
})

test('W3: an answer that does not come within five seconds is a failure', async () => {
  const held: ServerResponse[] = []
  const { charges, patience, authorize } = await scenario((response, _, call) => {
    if (call === 1) held.push(response)
    else response.writeHead(200).end()
  })
  await authorize('k')
  await until('asked', () => held.length === 1)
  expect([...patience.values()]).toEqual([5_000])
  for (const giveUp of patience.keys()) giveUp()
  await until('told again', () => charges.told.delivered === 1)
  expect(patience.size).toBe(0)
})

test('W2: at most five calls at a time, and one charge does not wait for another', async () => {
  const held: ServerResponse[] = []
  const { seen, charges, authorize } = await scenario((response) => void held.push(response))
  for (let i = 0; i < 12; i++) await authorize(`k${i}`)
  await until('five are asked', () => held.length === 5)
  for (let answered = 0; answered < 12; answered++) {
    await until('the next is asked', () => held.length > answered)
    expect(seen.length - answered).toBeLessThanOrEqual(5)
    held[answered]!.writeHead(200).end()
  }
  await until('all are told', () => charges.told.delivered === 12)
  expect(seen).toHaveLength(12)
})

test('a charge that had nothing owed any more is told of again when it changes', async () => {
  const { seen, charges, authorize } = await scenario(saying(200, ''))
  await authorize('k')
  await until('told', () => charges.told.delivered === 1)
  const { row } = charges.decideVoid('k', moment)
  charges.put(row ?? expect.unreachable())
  await authorize('k')
  await until('told again', () => charges.told.delivered === 2)
  expect(seen.map(({ body }) => JSON.parse(body).type)).toEqual(['charge.authorized', 'charge.voided'])
})

test('W1: closing ends the calls under way and keeps what is owed', async () => {
  const held: ServerResponse[] = []
  const { charges, sender, authorize } = await scenario((response) => void held.push(response))
  await authorize('k')
  await until('asked', () => held.length === 1)
  await sender.close()
  sender.restart()
  await authorize('late')
  expect([held.length, charges.told]).toEqual([1, { pending: 2, delivered: 0, failed: 0 }])
})
