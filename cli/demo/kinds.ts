/** What is special about an order, so that a summary can say how each kind ended. */
import type { FailureCode, Order } from '@cauce/orders/contract'
import { FLAKY, UNDELIVERABLE, type PlannedOrder } from './plan.ts'

export const kinds = [
  'wallet',
  'tok_ok',
  'tok_declined',
  'tok_timeout',
  'tok_flaky',
  UNDELIVERABLE,
  FLAKY,
] as const satisfies readonly string[]
export type Kind = (typeof kinds)[number]

export interface KindTally {
  readonly ended: number
  readonly completed: number
  /** By failure code. */
  readonly cancelled: Readonly<Partial<Record<FailureCode, number>>>
}

/** Where it goes says more than how it is paid. */
export function kindOf({ payment, postalCode }: Pick<PlannedOrder, 'payment' | 'postalCode'>): Kind {
  const name = kinds.find((kind) => kind === postalCode) ?? payment.token ?? payment.method
  return kinds.find((kind) => kind === name) ?? 'wallet'
}

/** How the orders of each kind ended. Kinds without any are left out. */
export function tallyKinds(
  ended: readonly { readonly kind: Kind; readonly order: Order }[],
): Partial<Record<Kind, KindTally>> {
  const tally: Partial<Record<Kind, KindTally>> = {}
  for (const { kind, order } of ended) {
    const { ended: count, completed, cancelled } = tally[kind] ?? { ended: 0, completed: 0, cancelled: {} }
    const code = order.failure?.code
    tally[kind] = {
      ended: count + 1,
      completed: completed + (order.status === 'completed' ? 1 : 0),
      cancelled: code === undefined ? cancelled : { ...cancelled, [code]: (cancelled[code] ?? 0) + 1 },
    }
  }
  return tally
}
