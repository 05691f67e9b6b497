import { describe, expect, test } from 'vitest'
import { providerThat, saying } from '@cauce/kit/client/testing'
import { providerPolicy } from '@cauce/kit/policy/call'
import { httpCarrier } from './carrier-http.ts'
import { carrierLimits, type BookingAnswer, type BookingRequest } from './carrier.ts'

const request: BookingRequest = {
  shipmentId: 'shp_1',
  orderId: 'ord_1',
  shipTo: { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28001', country: 'ES' },
  lines: [{ sku: 'LAMP', quantity: 2 }],
}

function book(url: string, { asked = request, timeoutMs = 5_000 } = {}): Promise<BookingAnswer> {
  const policy = providerPolicy({ name: 'carrier', ...carrierLimits, timeoutMs })
  const { signal } = new AbortController()
  return httpCarrier({ url, policy, random: { next: () => 0.5 } }).book(asked, {
    key: 'k1',
    requestId: 'req-1',
    signal,
  })
}

test('what is sent is the request under its key, and nothing else that may be in it', async () => {
  const { url, seen } = await providerThat(saying(201, { tracking: 'CRR1' }))
  expect(await book(`${url}/api/`, { asked: { ...request, note: 'x' } as BookingRequest })).toEqual({
    kind: 'booked',
    tracking: 'CRR1',
  })
  const { method, url: path, headers, body } = seen[0]!
  expect([method, path, JSON.parse(body)]).toEqual(['POST', '/api/shipments', request])
  expect(headers).toMatchObject({
    'idempotency-key': 'k1',
    'x-request-id': 'req-1',
    'content-type': 'application/json',
  })
})

describe('what the answers mean', () => {
  const again = (reason: string, more = {}) => ({ kind: 'again', reason: `The carrier answered ${reason}`, ...more })
  const refused = (reason: string) => ({ kind: 'refused', reason: `The carrier answered ${reason}` })

  test.each<[number, unknown, object]>([
    [201, { tracking: 'CRR1' }, { kind: 'booked', tracking: 'CRR1' }],
    [200, { tracking: 'CRR1' }, { kind: 'booked', tracking: 'CRR1' }],
    [422, { code: 'undeliverable', message: 'Not there' }, { kind: 'undeliverable', message: 'Not there' }],
    [409, { code: 'voided', message: 'Gone' }, refused('409 voided: Gone')],
    [400, { code: 'not-json', message: 'Bad' }, refused('400 not-json: Bad')],
    [413, { code: 'too-large' }, refused('413 too-large')],
    [413, 'too large', again('413')],
    [409, { code: 'in-progress' }, again('409 in-progress')],
    [404, { code: 'undeliverable' }, again('404 undeliverable')],
    [422, { code: 'key-reused', message: 'No' }, again('422 key-reused')],
    [301, '', again('301')],
    [500, '<html>', again('500')],
    [201, '', again('201 without a tracking number')],
    [201, '"CRR1"', again('201 without a tracking number')],
    [201, { tracking: 'a\u0000' }, again('201 without a tracking number')],
  ])('%i %j', async (status, body, expected) => {
    expect(await book((await providerThat(saying(status, body))).url)).toEqual(expected)
  })

  test('a carrier that is busy says when to come back', async () => {
    const { url } = await providerThat(saying(503, { code: 'busy' }, { 'retry-after': '2' }))
    expect(await book(url)).toEqual(again('503 busy', { afterMs: 2_500 }))
  })
})

test('an answer that does not come in time is unknown; the same bytes under the same key then get it', async () => {
  const { url, seen } = await providerThat((response, _, call) => {
    if (call > 1) response.writeHead(201).end('{"tracking":"CRR1"}')
  })
  expect(await book(url, { timeoutMs: 50 })).toEqual({
    kind: 'again',
    reason: expect.stringContaining('did not answer within 50 ms'),
  })
  expect(await book(url)).toEqual({ kind: 'booked', tracking: 'CRR1' })
  expect(seen[0]!.body).toBe(seen[1]!.body)
  expect(seen[0]!.headers['idempotency-key']).toBe(seen[1]!.headers['idempotency-key'])
})
