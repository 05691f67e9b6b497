import { describe, expect, test } from 'vitest'
import { providerThat, saying } from '@cauce/kit/client/testing'
import { providerPolicy } from '@cauce/kit/policy/call'
import { httpCardProcessor } from './card-http.ts'
import { cardLimits, type CardProcessor, type ChargeRequest } from './card.ts'

const request: ChargeRequest = { paymentId: 'pay_1', amount: 1250, currency: 'EUR', token: 'tok_ok' }
const charge = { chargeKey: 'k/1', paymentId: 'pay_1' }
const expires = '2026-01-08T00:00:00.000Z'
const context = { key: 'k2', requestId: 'req-1', signal: new AbortController().signal }

const processorAt = (url: string, timeoutMs = 5_000): CardProcessor => {
  const policy = providerPolicy({ name: 'card', ...cardLimits, timeoutMs })
  return httpCardProcessor({ url, policy, random: { next: () => 0.5 } })
}

type Ask = (processor: CardProcessor) => Promise<object>

const authorize: Ask = (processor) => processor.authorize(request, context)
const capture: Ask = (processor) => processor.capture({ ...charge, amount: 1250 }, context)
const voiding: Ask = (processor) => processor.void(charge, context)
const refund: Ask = (processor) => processor.refund({ ...charge, amount: 250 }, context)
const find: Ask = (processor) => processor.find('pay/1', context)

const answering = async (ask: Ask, status: number, body: unknown) =>
  ask(processorAt((await providerThat(saying(status, body))).url))

describe('what is sent', () => {
  test.each<[string, Ask, string, object]>([
    ['authorize', authorize, '/api/charges', request],
    ['capture', capture, '/api/charges/k%2F1/capture', { amount: 1250 }],
    ['void', voiding, '/api/charges/k%2F1/void', {}],
    ['refund', refund, '/api/charges/k%2F1/refunds', { amount: 250 }],
  ])('%s: what is asked for, under its key', async (_, ask, path, body) => {
    const { url, seen } = await providerThat(saying(400, ''))
    await ask(processorAt(`${url}/api`))
    expect(seen).toMatchObject([{ method: 'POST', url: path }])
    expect(JSON.parse(seen[0]!.body)).toEqual(body)
    expect(seen[0]!.headers).toMatchObject({ 'idempotency-key': 'k2', 'x-request-id': 'req-1' })
  })

  test('nothing else that may be in the request', async () => {
    const { url, seen } = await providerThat(saying(400, ''))
    await processorAt(url).authorize({ ...request, note: 'x' } as ChargeRequest, context)
    expect(JSON.parse(seen[0]!.body)).toEqual(request)
  })

  test('find: a question without a key', async () => {
    const { url, seen } = await providerThat(saying(200, { items: [] }))
    expect(await find(processorAt(url))).toEqual({ kind: 'found', charges: [] })
    expect(seen).toMatchObject([{ method: 'GET', url: '/charges?paymentId=pay%2F1', body: '' }])
    expect(seen[0]!.headers).toMatchObject({ 'x-request-id': 'req-1' })
    expect(seen[0]!.headers).not.toHaveProperty('idempotency-key')
  })
})

const said = (kind: 'again' | 'refused', what: string, more = {}) => ({
  kind,
  reason: `The card processor answered ${what}`,
  ...more,
})
const again = (what: string) => said('again', what)
const refused = (code: string, what: string) => said('refused', what, { code })

type Meaning = [status: number, body: unknown, expected: object]

/** What means the same whichever change is asked for. */
const common: Meaning[] = [
  [400, { code: 'bad-key', message: 'No key' }, refused('bad-key', '400 bad-key: No key')],
  [422, { code: 'invalid' }, refused('invalid', '422 invalid')],
  [422, { code: 'key-reused' }, again('422 key-reused')],
  [409, { code: 'in-progress' }, again('409 in-progress')],
  [409, '', again('409')],
  [404, { code: 'not-found' }, again('404 not-found')],
  [401, { code: 'who' }, again('401 who')],
  [301, '', again('301')],
  [500, { code: 'declined' }, again('500 declined')],
  [503, '<html>', again('503')],
]

describe('authorize', () => {
  const unclear = again('201 without saying until when it is authorised')
  test.each<Meaning>([
    [201, { status: 'authorized', expiresAt: expires }, { kind: 'authorized', expiresAt: Date.parse(expires) }],
    [200, { status: 'authorized', expiresAt: expires }, { kind: 'authorized', expiresAt: Date.parse(expires) }],
    [201, { status: 'authorized' }, unclear],
    [201, { status: 'authorized', expiresAt: 'soon' }, unclear],
    [201, { status: 'pending', expiresAt: expires }, unclear],
    [201, '', unclear],
    [402, { code: 'declined', message: 'No funds' }, { kind: 'declined', message: 'No funds' }],
    [402, { code: 'declined' }, { kind: 'declined', message: 'The card processor answered 402 declined' }],
    [402, '', again('402')],
    [409, { code: 'voided', message: 'Given up' }, refused('voided', '409 voided: Given up')],
    [409, { code: 'captured' }, again('409 captured')],
    [422, { code: 'unknown-token' }, refused('unknown-token', '422 unknown-token')],
    ...common,
  ])('%i %j', async (status, body, expected) => {
    expect(await answering(authorize, status, body)).toEqual(expected)
  })
})

describe('capture', () => {
  test.each<Meaning>([
    [200, { status: 'captured' }, { kind: 'captured' }],
    [200, { status: 'refunded' }, { kind: 'captured' }],
    [200, { status: 'authorized' }, again('200 without saying that it is captured')],
    [200, '', again('200 without saying that it is captured')],
    [409, { code: 'expired' }, refused('expired', '409 expired')],
    [409, { code: 'voided' }, refused('voided', '409 voided')],
    [409, { code: 'declined' }, refused('declined', '409 declined')],
    [422, { code: 'amount-differs' }, refused('amount-differs', '422 amount-differs')],
    ...common,
  ])('%i %j', async (status, body, expected) => {
    expect(await answering(capture, status, body)).toEqual(expected)
  })
})

describe('void', () => {
  test.each<Meaning>([
    [200, { status: 'voided' }, { kind: 'voided' }],
    [200, { status: 'declined' }, { kind: 'voided' }],
    [200, { status: 'authorized' }, again('200 without saying that it is voided')],
    [409, { code: 'captured' }, refused('captured', '409 captured')],
    [409, { code: 'expired' }, again('409 expired')],
    ...common,
  ])('%i %j', async (status, body, expected) => {
    expect(await answering(voiding, status, body)).toEqual(expected)
  })
})

describe('refund', () => {
  test.each<Meaning>([
    [201, { key: 'k2', amount: 250 }, { kind: 'refunded' }],
    [201, {}, again('201 without saying how much')],
    [422, { code: 'exceeds-captured' }, refused('exceeds-captured', '422 exceeds-captured')],
    [409, { code: 'voided' }, again('409 voided')],
    ...common,
  ])('%i %j', async (status, body, expected) => {
    expect(await answering(refund, status, body)).toEqual(expected)
  })
})

describe('find', () => {
  const item = { key: 'k1', status: 'captured', amount: 1250, refunded: 250, expiresAt: expires, token: 'tok_ok' }
  const unreadable = again('200 without charges that can be read')
  const { token: _, ...known } = item
  test.each<Meaning>([
    [200, { items: [item] }, { kind: 'found', charges: [{ ...known, expiresAt: Date.parse(expires) }] }],
    [200, { items: [item, { ...item, status: 'lost' }] }, unreadable],
    [200, { items: [{ ...item, amount: '1250' }] }, unreadable],
    [200, { items: [{ ...item, refunded: null }] }, unreadable],
    [200, { items: [{ ...item, key: 7 }] }, unreadable],
    [200, { items: [{ ...item, expiresAt: 0 }] }, unreadable],
    [200, { items: [null] }, unreadable],
    [200, {}, unreadable],
    [404, { code: 'not-found' }, again('404 not-found')],
    [422, { code: 'invalid' }, again('422 invalid')],
    [500, '', again('500')],
  ])('%i %j', async (status, body, expected) => {
    expect(await answering(find, status, body)).toEqual(expected)
  })
})

test('an answer that does not come in time is unknown, never a decline; the same bytes then get it', async () => {
  const { url, seen } = await providerThat((response, _, call) => {
    if (call > 1) response.writeHead(201).end(JSON.stringify({ status: 'authorized', expiresAt: expires }))
  })
  expect(await authorize(processorAt(url, 50))).toEqual({
    kind: 'again',
    reason: expect.stringContaining('did not answer within 50 ms'),
  })
  expect(await authorize(processorAt(url))).toMatchObject({ kind: 'authorized' })
  expect(seen[0]!.body).toBe(seen[1]!.body)
  expect(seen[0]!.headers['idempotency-key']).toBe(seen[1]!.headers['idempotency-key'])
})

test('a connection that is cut is unknown too', async () => {
  const { url } = await providerThat((response) => void response.destroy())
  for (const ask of [authorize, capture, voiding, refund, find]) {
    expect(await ask(processorAt(url))).toEqual({ kind: 'again', reason: expect.stringMatching('ECONNRESET') })
  }
})

test('a processor that is busy says when to come back', async () => {
  const { url } = await providerThat(saying(503, { code: 'busy' }, { 'retry-after': '2' }))
  expect(await authorize(processorAt(url))).toEqual(said('again', '503 busy', { afterMs: 2_500 }))
})
