/** Cauce's HTTP API as functions: the calls the command line makes, with the contracts' types. */
import type { Product, PutProduct, AdjustStock } from '@cauce/inventory/contract'
import type { Order, PlaceOrder } from '@cauce/orders/contract'
import type {
  Account,
  AskRefund,
  Deposit,
  Pay,
  Payment,
  PostedDeposit,
  PostedTransfer,
  Refund,
  Transfer,
} from '@cauce/payments/contract'
import type { Call, Client } from './client.ts'
import { opsCalls } from './ops.ts'
import { queryOf, type Page, type PageQuery } from './query.ts'
import { operator, type Tokens, type Who } from './tokens.ts'
import { viewCalls } from './views.ts'

/** GET /v1/ops/audit. */
export interface Audit {
  readonly ok: boolean
  readonly orders: {
    readonly total: number
    readonly terminal: number
    readonly stuck: number
    readonly contradictory?: number
  }
  readonly money: { readonly balanced: boolean; readonly negativeAccounts: number; readonly duplicateCharges: number }
  readonly stock: { readonly balanced: boolean; readonly negative: number }
  readonly log: { readonly gaps: number; readonly unapplied: number; readonly parked: number }
  readonly tasks: { readonly dead: number }
}

/** One row of GET /v1/ops/groups. */
export interface GroupLane {
  readonly group: string
  readonly source: string
  readonly lane: number
  readonly head: number
  readonly cursor: number
  readonly lag: number
  readonly oldestMs: number
  readonly parked: number
  readonly halted?: string | null
}

export type Api = ReturnType<typeof createApi>

export function createApi(client: Client, tokens: Tokens) {
  const ask = async <Body>(who: Who, call: Omit<Call, 'token'>): Promise<Body> =>
    (await client.call({ ...call, token: await tokens(who) })) as Body
  const get = <Body>(who: Who, path: string) => ask<Body>(who, { method: 'GET', path })

  return {
    placeOrder: (who: Who, body: PlaceOrder, key: string) =>
      ask<Order>(who, { method: 'POST', path: '/v1/orders', body, key }),
    order: (who: Who, id: string) => get<Order>(who, `/v1/orders/${encodeURIComponent(id)}`),
    orders: (who: Who, query: PageQuery) => get<Page<Order>>(who, `/v1/orders${queryOf(query)}`),
    cancelOrder: (who: Who, id: string) =>
      ask<Order>(who, { method: 'POST', path: `/v1/orders/${encodeURIComponent(id)}/cancel` }),

    putProduct: (sku: string, body: PutProduct) =>
      ask<Product>(operator, { method: 'PUT', path: `/v1/products/${encodeURIComponent(sku)}`, body }),
    adjustStock: (sku: string, body: AdjustStock, key: string) =>
      ask<Product>(operator, { method: 'POST', path: `/v1/products/${encodeURIComponent(sku)}/stock`, body, key }),
    products: (query: PageQuery) => get<Page<Product>>(operator, `/v1/products${queryOf(query)}`),

    openAccount: (who: Who, currency: string, key: string) =>
      ask<Account>(who, { method: 'POST', path: '/v1/accounts', body: { currency }, key }),
    account: (id: string) => get<Account>(operator, `/v1/accounts/${encodeURIComponent(id)}`),
    deposit: (id: string, body: Deposit, key: string) =>
      ask<PostedDeposit>(operator, {
        method: 'POST',
        path: `/v1/accounts/${encodeURIComponent(id)}/deposits`,
        body,
        key,
      }),

    transfer: (who: Who, body: Transfer, key: string) =>
      ask<PostedTransfer>(who, { method: 'POST', path: '/v1/transfers', body, key }),

    /** Waits up to `waitS` seconds for the decision. */
    pay: (who: Who, body: Pay, key: string, waitS: number) =>
      ask<Payment>(who, { method: 'POST', path: '/v1/pay', body, key, waitS }),
    payment: (id: string) => get<Payment>(operator, `/v1/payments/${encodeURIComponent(id)}`),
    refund: (id: string, body: AskRefund, key: string) =>
      ask<Refund>(operator, { method: 'POST', path: `/v1/payments/${encodeURIComponent(id)}/refund`, body, key }),

    audit: () => get<Audit>(operator, '/v1/ops/audit'),
    groups: () => get<{ readonly items: readonly GroupLane[] }>(operator, '/v1/ops/groups'),
    ...opsCalls((call) => ask(operator, call)),
    ...viewCalls((call) => ask(operator, call)),
  }
}
