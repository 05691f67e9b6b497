/**
 * A Cauce for tests of the demonstration: remembers keys, ends each order when it is looked at for the second time, and loses a
 * share of its answers after it has done what was asked.
 */
import type { Random } from '@cauce/kit/core/prng'
import type { Order } from '@cauce/orders/contract'
import { json, loseConnection, type Handler } from '../testing.ts'

export interface FakeCauce {
  readonly handler: Handler
  /** Effects, not requests. */
  readonly done: { orders: number; deposits: number; accounts: number; restocks: number }
  /** Requests, by method and path without ids. */
  readonly requests: Map<string, number>
  /** Orders never end while this holds. */
  stuck: boolean
}

interface Request {
  readonly method: string
  readonly parts: readonly string[]
  readonly query: URLSearchParams
  readonly body: Record<string, any>
}

export function fakeCauce(random: Random, loses: number): FakeCauce {
  const answers = new Map<string, { status: number; body: unknown }>()
  const orders = new Map<string, { order: Order; looks: number }>()
  const accounts = new Map<string, { id: string; currency: string; balance: number }>()
  const products = new Map<string, { sku: string; available: number }>()
  const done: FakeCauce['done'] = { orders: 0, deposits: 0, accounts: 0, restocks: 0 }
  const requests: FakeCauce['requests'] = new Map()
  const fake: FakeCauce = { handler, done, requests, stuck: false }

  function look(id: string): Order | undefined {
    const entry = orders.get(id)
    if (!entry) return undefined
    entry.looks += 1
    return entry.looks > 1 && !fake.stuck ? { ...entry.order, status: 'completed' } : entry.order
  }

  function place(): unknown {
    done.orders += 1
    const id = `ord_${String(done.orders).padStart(32, '0')}`
    const times = { placedAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:01.000Z' }
    const order = { id, status: 'placed', failure: null, ...times } as Order
    orders.set(id, { order, looks: 0 })
    return order
  }

  function list(query: URLSearchParams): unknown {
    const before = query.get('cursor')
    const ids = [...orders.keys()].toReversed().filter((id) => before === null || id < before)
    const page = ids.slice(0, Number(query.get('limit')))
    return { items: page.map(look), nextCursor: ids.length > page.length ? page.at(-1) : null }
  }

  function answer({ method, parts, query, body }: Request): { status: number; body: unknown } {
    const [, kind = '', id = '', part = ''] = parts
    switch (`${method} ${kind} ${part}`.trim()) {
      case 'POST orders':
        return { status: 202, body: place() }
      case 'GET orders':
        return { status: 200, body: id === '' ? list(query) : look(id) }
      case 'PUT products':
        products.set(id, products.get(id) ?? { sku: id, available: 0 })
        return { status: 200, body: products.get(id) }
      case 'POST products stock':
        done.restocks += 1
        products.set(id, { sku: id, available: products.get(id)!.available + Number(body.delta) })
        return { status: 200, body: products.get(id) }
      case 'POST accounts':
        done.accounts += 1
        return { status: 201, body: {} }
      case 'POST accounts deposits':
        done.deposits += 1
        accounts.set(id, { id, currency: 'EUR', balance: (accounts.get(id)?.balance ?? 0) + Number(body.amount) })
        return { status: 201, body: {} }
      case 'GET accounts':
        return { status: 200, body: accounts.get(id) ?? { id, currency: 'EUR', balance: 0 } }
      default:
        return { status: 200, body: { ok: true } } // the audit
    }
  }

  function handler(url: URL, { method = 'GET', headers, body }: RequestInit): Response | Promise<Response> {
    const parts = url.pathname.split('/').slice(1)
    const name = `${method} ${[parts[1], parts[2] === undefined ? '' : 'one', parts[3]].filter(Boolean).join(' ')}`
    requests.set(name, (requests.get(name) ?? 0) + 1)
    const key = (headers as Record<string, string>)['idempotency-key']
    const known = key === undefined ? undefined : answers.get(key)
    const parsed = typeof body === 'string' ? (JSON.parse(body) as Request['body']) : {}
    const given = known ?? answer({ method, parts, query: url.searchParams, body: parsed })
    if (key !== undefined) answers.set(key, given)
    if (random.next() < loses) return loseConnection(url, {})
    return json(given.status, given.body, known ? { 'idempotency-replayed': 'true' } : {})
  }
  return fake
}
