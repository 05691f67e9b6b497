import { expect, test } from 'vitest'
import { providerThat, saying, type Seen } from '@cauce/kit/client/testing'
import { systemClock } from '@cauce/kit/core/clock'
import { verifySignature } from '@cauce/kit/http/webhooks'
import { capture, charge, chargeBody, refund, request, sandboxHere, temporaryDirectory, until } from '../testing.ts'

const secret = 'whsec_1'

const endpoint = (url: string, to: string) => request(url, 'PUT', '/webhooks', { url: to, secret })
const report = async (url: string) => (await request(url, 'GET', '/webhooks')).body
const told = (seen: readonly Seen[]) => seen.map(({ body }) => JSON.parse(body))
const allTold = (url: string) => until('all is told', async () => (await report(url)).pending === 0)

test('every change of a charge is told, in order and signed', async () => {
  const { url } = await sandboxHere()
  const receiver = await providerThat(saying(204, ''))
  expect((await endpoint(url, `${receiver.url}/hooks/card?v=1`)).body).toEqual({
    url: `${receiver.url}/hooks/card?v=1`,
    pending: 0,
    delivered: 0,
    failed: 0,
  })
  await charge(url, 'k', chargeBody('1'))
  await capture(url, 'k')
  await refund(url, 'k', 'r', 250)
  await charge(url, 'd', chargeBody('1', 'tok_declined'))
  await charge(url, 'v', chargeBody('2'))
  await request(url, 'POST', '/charges/v/void', {})
  await allTold(url)
  const events = told(receiver.seen)
  expect(events.filter((event) => event.charge.key === 'k').map(({ type, sequence }) => `${sequence} ${type}`)).toEqual(
    ['1 charge.authorized', '2 charge.captured', '3 charge.refunded'],
  )
  expect(events.filter((event) => event.charge.key === 'v').map(({ type }) => type)).toEqual([
    'charge.authorized',
    'charge.voided',
  ])
  expect(events.find(({ type }) => type === 'charge.refunded')).toEqual({
    id: expect.stringMatching(/^evt_[\w-]{22}$/),
    type: 'charge.refunded',
    sequence: 3,
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    charge: {
      key: 'k',
      paymentId: 'pay_1',
      amount: 1250,
      currency: 'EUR',
      status: 'captured',
      refunded: 250,
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
    },
  })
  expect(new Set(events.map(({ id }) => id)).size).toBe(5)
  for (const { method, url: path, headers, body } of receiver.seen) {
    expect([method, path, headers['content-type']]).toEqual(['POST', '/hooks/card?v=1', 'application/json'])
    const header = String(headers['cauce-signature'])
    const now = systemClock.now()
    expect(verifySignature({ secrets: [secret], header, body: Buffer.from(body), now })).toBe('ok')
  }
  expect(await report(url)).toMatchObject({ pending: 0, delivered: 5, failed: 0 })
})

test('W3: told again until answered 2xx, the same event under a new signature', async () => {
  const { url } = await sandboxHere()
  const receiver = await providerThat((response, _, call) => {
    if (call === 1) response.destroy()
    else response.writeHead([401, 404][call - 2] ?? 200).end()
  })
  await endpoint(url, receiver.url)
  await charge(url, 'k')
  await allTold(url)
  expect(receiver.seen).toHaveLength(4)
  expect(new Set(receiver.seen.map(({ body }) => body)).size).toBe(1)
  expect(await report(url)).toMatchObject({ delivered: 1, failed: 0 })
})

test('W1: what is owed outlives the sandbox, and goes to the endpoint as it is then', async () => {
  const directory = temporaryDirectory()
  const first = await sandboxHere(directory)
  const away = await providerThat(saying(503, ''))
  await endpoint(first.url, away.url)
  await charge(first.url, 'k')
  await capture(first.url, 'k')
  await until('it was tried', () => away.seen.length > 0)
  await first.close()
  const second = await sandboxHere(directory)
  expect(await report(second.url)).toMatchObject({ url: away.url, pending: 2 })
  const receiver = await providerThat(saying(200, ''))
  await endpoint(second.url, receiver.url)
  await allTold(second.url)
  expect(told(receiver.seen).map(({ type }) => type)).toEqual(['charge.authorized', 'charge.captured'])
  const count = receiver.seen.length
  await second.close()
  const third = await sandboxHere(directory)
  expect(await report(third.url)).toMatchObject({ url: receiver.url, pending: 0, delivered: 2 })
  await capture(third.url, 'k')
  expect(receiver.seen).toHaveLength(count)
})

test('W4: without an endpoint nothing is owed', async () => {
  const { url } = await sandboxHere()
  await charge(url, 'before')
  const receiver = await providerThat(saying(200, ''))
  await endpoint(url, receiver.url)
  await charge(url, 'k')
  await allTold(url)
  expect((await request(url, 'DELETE', '/webhooks')).body).toMatchObject({ url: receiver.url, delivered: 1 })
  await charge(url, 'after')
  expect(await report(url)).toEqual({ url: null, pending: 0, delivered: 1, failed: 0 })
  await endpoint(url, receiver.url)
  await charge(url, 'last')
  await allTold(url)
  expect(told(receiver.seen).map((event) => event.charge.key)).toEqual(['k', 'last'])
})

test('faults: twice, late, and in another order', async () => {
  const { url } = await sandboxHere()
  const receiver = await providerThat(saying(200, ''))
  const plan = { duplicateRate: 1, delayMs: 20, reorderRate: 1 }
  await request(url, 'PUT', '/faults', { webhooks: plan })
  await endpoint(url, receiver.url)
  await charge(url, 'k')
  await capture(url, 'k')
  await allTold(url)
  expect(told(receiver.seen).map(({ sequence }) => sequence)).toEqual([2, 2, 1, 1])
  const { fired } = (await request(url, 'DELETE', '/faults')).body.webhooks
  expect(fired).toEqual({ delays: 2, duplicates: 2, reorders: 1 })
})

test('an endpoint that makes no sense is refused', async () => {
  const { url } = await sandboxHere()
  for (const body of [
    null,
    {},
    { url: 'http://a' },
    { url: 'ftp://a', secret },
    { url: 'a', secret },
    { url: 7, secret },
  ]) {
    expect(await request(url, 'PUT', '/webhooks', body)).toMatchObject({ status: 422, body: { code: 'invalid' } })
  }
  expect(await report(url)).toEqual({ url: null, pending: 0, delivered: 0, failed: 0 })
})
