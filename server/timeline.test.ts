import { expect, test } from 'vitest'
import type { TimelineMessage } from '@cauce/orders/service'
import { compose, type Found } from './timeline.ts'

const AT = 1_800_000_000_000
const said = (
  service: string,
  position: number,
  type: string,
  ms: number,
  causeId = 'c',
  data: object = {},
): TimelineMessage => ({
  service,
  lane: 3,
  position,
  at: AT + ms,
  type,
  data,
  id: `${service}${position}`,
  causeId,
  requestId: 'r1',
})
const found: Found = {
  asked: { at: AT, requestId: 'r1', customer: 'alice' },
  messages: [
    said('orders', 1, 'OrderCreated', 0),
    said('orders', 2, 'AuthorizePayment', 0, 'c', { token: 'tok_ok', amount: 5 }),
    // Its clock is a second behind.
    said('payments', 9, 'PaymentAuthorized', -1000, 'orders:orders2'),
    said('orders', 3, 'ReserveStock', 20, 'payments:payments9'),
    said('orders', 4, 'ReserveStock', 60),
    said('inventory', 1, 'StockReserved', 70, 'orders:orders3'),
    said('orders', 5, 'DispatchShipment', 80, 'inventory:inventory1'),
  ],
  rows: [{ service: 'inventory', name: 'reservation', at: AT + 70, detail: { status: 'held' } }],
  tasks: [
    {
      name: 'orders',
      tasks: [
        {
          id: 'order-deadline:o',
          type: 'order-deadline',
          key: 'o',
          data: {},
          attempt: 2,
          token: 1,
          dueAt: AT + 5000,
          createdAt: AT,
          requestId: 'r1',
          state: 'open',
          outcome: null,
          error: 'busy',
        },
      ],
    },
  ],
}

test('what happened stands in causal order, what one decision did together', () => {
  expect(compose(found).map(({ service, kind, name }) => `${service} ${kind} ${name}`)).toEqual([
    'orders request POST /v1/orders',
    'orders message OrderCreated',
    'orders message AuthorizePayment',
    'orders task order-deadline',
    'orders state placed',
    'orders state authorizing',
    'payments message PaymentAuthorized',
    'orders message ReserveStock',
    'orders state reserving',
    'orders message ReserveStock',
    'inventory row reservation',
    'inventory message StockReserved',
    'orders message DispatchShipment',
    'orders state shipping',
  ])
})

test('tasks tell their attempts, others have none; what pays is not shown', () => {
  const items = compose(found)
  expect(items.find(({ kind }) => kind === 'task')).toMatchObject({
    attempt: 2,
    detail: { state: 'open', nextAttemptAt: new Date(AT + 5000).toISOString(), lastError: 'busy' },
  })
  expect(items.filter(({ attempt }) => attempt !== null)).toHaveLength(1)
  const asked = items.find(({ name }) => name === 'AuthorizePayment')!
  expect(asked.detail).toMatchObject({ amount: 5, token: '…', messageId: 'orders2', requestId: 'r1' })
  expect(JSON.stringify(items)).not.toContain('tok_ok')
})

test('messages that name each other as cause do not hang it', () => {
  const messages = [said('orders', 1, 'a', 0, 'payments:payments1'), said('payments', 1, 'b', 0, 'orders:orders1')]
  expect(compose({ ...found, messages, rows: [], tasks: [] })).toHaveLength(3)
})
