/** The calls about what is only read: views, and the timeline of an order. */
import type { Call } from './client.ts'

/** One row of GET /v1/ops/views. */
export interface View {
  readonly name: string
  readonly service: string
  readonly state: 'active' | 'building' | 'stopped'
  readonly generation: number | null
  readonly since: string | null
  readonly lag: number
  readonly oldestMs: number
  readonly error: string | null
  readonly building: {
    readonly generation: number
    readonly phase: 'asked' | 'seeding' | 'tailing'
    readonly done: number
    readonly total: number
    readonly error: string | null
  } | null
}

/** One row of GET /v1/orders/{id}/timeline. */
export interface TimelineItem {
  readonly at: string
  readonly service: string
  readonly kind: 'request' | 'row' | 'message' | 'task' | 'state'
  readonly name: string
  readonly detail: Readonly<Record<string, unknown>>
  readonly attempt: number | null
}

interface Items<Item> {
  readonly items: readonly Item[]
}

/** `ask` speaks for the operator. */
export function viewCalls(ask: <Body>(call: Omit<Call, 'token'>) => Promise<Body>) {
  return {
    views: () => ask<Items<View>>({ method: 'GET', path: '/v1/ops/views' }),
    rebuildView: (name: string) =>
      ask<View>({ method: 'POST', path: `/v1/ops/views/${encodeURIComponent(name)}/rebuild` }),
    timeline: (id: string) =>
      ask<Items<TimelineItem>>({ method: 'GET', path: `/v1/orders/${encodeURIComponent(id)}/timeline` }),
  }
}
