import { expect, test } from 'vitest'
import type { Order } from '@cauce/orders/contract'
import { translator } from '../texts.ts'
import { createOutput } from '../output.ts'
import type { EndedOrder } from './flow.ts'
import { kindOf } from './kinds.ts'
import { percentiles, showSummary, summarise, type Tally } from './summary.ts'

const at = (ms: number) => new Date(1_767_225_600_000 + ms).toISOString()
const done = (tookMs: number) =>
  ({ status: 'completed', failure: null, placedAt: at(0), updatedAt: at(tookMs) }) as Order
const undone = (code: string) => ({ ...done(5), status: 'cancelled', failure: { code, message: '' } }) as Order
const completed = (tookMs: number): EndedOrder => ({ kind: 'wallet', order: done(tookMs) })
const cancelled = (code: string): EndedOrder => ({ kind: 'tok_ok', order: undone(code) })

const tally: Tally = {
  run: 'r',
  seed: 1,
  orders: 4,
  ended: [completed(10), completed(30), cancelled('out-of-stock'), cancelled('out-of-stock')],
  open: 0,
  refused: new Map(),
  placedMs: 500,
  elapsedMs: 2_000,
  stats: { retries: 0, replayed: 0 },
  audit: { ok: true } as NonNullable<Tally['audit']>,
}

test('counts what ended how, and how fast', () => {
  expect(summarise(tally)).toMatchObject({
    accepted: 4,
    completed: 2,
    cancelled: { 'out-of-stock': 2 },
    acceptedPerSecond: 8,
    endedPerSecond: 2,
    acceptToEndMs: { p50: 5, p95: 30, max: 30 },
    ok: true,
  })
})

test.each<[string, Partial<Tally>]>([
  ['an order is still open', { ended: tally.ended.slice(1), open: 1 }],
  ['an order was refused', { ended: tally.ended.slice(1), refused: new Map([['unknown-sku', 1]]) }],
  ['the books are wrong', { audit: { ok: false } as Tally['audit'] }],
  ['the books were not checked', { audit: null }],
])('it is not ok when %s', (_what, change) => {
  expect(summarise({ ...tally, ...change }).ok).toBe(false)
})

test('percentiles are values that occurred', () => {
  expect(percentiles([])).toBeNull()
  expect(percentiles([7])).toEqual({ p50: 7, p95: 7, max: 7 })
  expect(percentiles(Array.from({ length: 100 }, (_, index) => 100 - index))).toEqual({ p50: 50, p95: 95, max: 100 })
})

test('says of each kind how it ended, by failure code', () => {
  const ended = [...tally.ended, cancelled('payment-declined')]
  const summary = summarise({ ...tally, orders: 5, ended })
  expect(summary.kinds).toEqual({
    wallet: { ended: 2, completed: 2, cancelled: {} },
    tok_ok: { ended: 3, completed: 0, cancelled: { 'out-of-stock': 2, 'payment-declined': 1 } },
  })
  const silent = { write: () => true }
  const output = createOutput({ stdout: silent, stderr: silent, env: {}, json: false })
  const rows = showSummary(summary, { t: translator('en'), output }).split('\n')
  expect(rows[0]!.split(/ {2,}/)).toEqual(['Kind', 'ended', 'completed', 'payment-declined', 'out-of-stock'])
  expect(rows[1]!.split(/ {2,}/)).toEqual(['from the wallet', '2', '2'])
  expect(rows[2]!.split(/ {2,}/)).toEqual(['card', '3', '0', '1', '2'])
})

test.each([
  [{ payment: { method: 'wallet' as const }, postalCode: '28013' }, 'wallet'],
  [{ payment: { method: 'card' as const, token: 'tok_flaky' }, postalCode: '28013' }, 'tok_flaky'],
  [{ payment: { method: 'card' as const, token: 'tok_flaky' }, postalCode: '00000' }, '00000'],
  [{ payment: { method: 'wallet' as const }, postalCode: '99999' }, '99999'],
])('%j is of the kind %s', (order, kind) => {
  expect(kindOf(order)).toBe(kind)
})
