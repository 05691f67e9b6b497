/** For tests of what is refused: a server with something of everything in it, requests of any shape, and a digest of what it keeps. */
import pg from 'pg'
import { createTestDatabase } from '@cauce/kit/database/testing'
import { loadDevKey, signToken, type DevKey } from '@cauce/kit/http/dev-key'
import { resolved, type ApiDocument } from '@cauce/kit/http/testing-openapi'
import { serviceNames } from './config.ts'
import {
  client,
  conforms,
  dataDirectory,
  eventually,
  funded,
  orderOf,
  sandboxOf,
  serverProcess,
  settledAudit,
  stocked,
  type Answer,
  type ServerProcess,
} from './testing.ts'

/** One request, whatever its shape. */
export interface Ask {
  readonly method?: string
  readonly path: string
  /** Whose token; null: none. Defaults to alice, a customer. `olga` is an operator. */
  readonly who?: Person | null
  /** Sent as it is, or as JSON. */
  readonly body?: object | string | Buffer
  /** Over the defaults; undefined leaves a default out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}
export type Person = 'alice' | 'bob' | 'mallory' | 'olga'

export interface Shop {
  readonly server: ServerProcess
  readonly port: number
  readonly key: DevKey
  readonly document: ApiDocument
  /** Alice's, completed and captured. */
  readonly order: string
  /** Alice's, by card, captured. */
  readonly payment: string
  /** What the card processor says of that payment. */
  charge(): Promise<{ readonly key: string; readonly sequence: number }>
  /** Sends it, and throws unless the answer is as documented. */
  ask(ask: Ask): Promise<Answer>
  token(person: Person): string
  /** One line for each table of what is kept; idempotency keys are left out, for they keep refusals too. */
  digest(): Promise<Record<string, string>>
  close(): Promise<void>
}

const kept: Readonly<Record<string, readonly string[]>> = {
  orders: ['orders', 'catalogue'],
  payments: ['payments', 'refunds', 'accounts', 'postings'],
  inventory: ['stock', 'reservations', 'adjustments'],
  shipping: ['shipments'],
}
const ofEveryService = ['messages', 'tasks', 'parked', 'operator_actions']

async function digestOf(db: pg.Client): Promise<Record<string, string>> {
  const tables = serviceNames.flatMap((name) =>
    [...(kept[name] ?? []), ...ofEveryService].map((table) => `${name}.${table}`),
  )
  const parts = tables.map(
    (table) =>
      `SELECT '${table}' AS name, count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') AS sum FROM ${table} t`,
  )
  const { rows } = await db.query<{ name: string; sum: string }>(parts.join(' UNION ALL '))
  return Object.fromEntries(rows.map(({ name, sum }) => [name, sum]))
}

const people: readonly Person[] = ['alice', 'bob', 'mallory', 'olga']

/** A shop in which everything has come to rest. */
export async function openShop(): Promise<Shop> {
  const database = await createTestDatabase('bad input')
  const data = dataDirectory()
  const server = await serverProcess({ DATABASE_URL: database.url, CAUCE_DATA: data.path })
  const key = await loadDevKey(data.path)
  const tokens = new Map(
    await Promise.all(
      people.map(async (subject) => {
        const roles = [subject === 'olga' ? 'operator' : 'customer'] as const
        return [subject, await signToken(key, { subject, roles })] as const
      }),
    ),
  )
  const token = (person: Person): string => tokens.get(person)!
  const db = new pg.Client({ connectionString: database.url })
  await db.connect()
  const close = async () => {
    await db.end()
    await server.stop()
    await database.drop()
    data.remove()
  }
  const { order, payment } = await stock(data.path, server.url).catch(async (error: unknown) => {
    await close()
    throw error
  })
  const document = resolved(await (await fetch(`${server.url}/openapi.json`)).json())
  return {
    server,
    port: Number(new URL(server.url).port),
    key,
    document,
    order,
    payment,
    async charge() {
      const { rows } = await db.query<{ key: string; sequence: string }>(
        'SELECT charge_key AS key, sequence FROM payments.payments WHERE id = $1',
        [payment],
      )
      return { key: rows[0]!.key, sequence: Number(rows[0]!.sequence) }
    },
    ask: (request) => send(server.url, token, request),
    token,
    digest: () => digestOf(db),
    close,
  }
}

/** Products in two currencies, wallets, an order that is completed, a payment by card. */
async function stock(data: string, url: string): Promise<{ order: string; payment: string }> {
  const operator = await client(data, () => url, 'olga', 'operator')
  const [alice, bob, mallory] = await Promise.all(
    ['alice', 'bob', 'mallory'].map((subject) => client(data, () => url, subject, 'customer')),
  )
  await stocked(operator, 'LAMP', 100)
  await operator.put('/v1/products/SAKE', { name: 'Sake', price: { amount: 3000, currency: 'JPY' } })
  await operator.put('/v1/products/MOON', { name: 'Moon', price: { amount: 9_000_000_000_000_000, currency: 'EUR' } })
  await funded(operator, alice!, 'alice', 100_000)
  await funded(operator, bob!, 'bob', 0)
  await mallory!.insist('/v1/accounts', { currency: 'USD' })
  const { body } = await alice!.insist('/v1/orders', orderOf('LAMP'))
  const bill = { amount: 1000, currency: 'EUR', method: 'card', token: 'tok_ok', reference: 'x' }
  const paid = await alice!.post('/v1/pay', bill, 'a-bill', { prefer: 'wait=20' })
  await eventually(
    () => operator.get(`/v1/orders/${body.id}`),
    (answer) => answer.body.status === 'completed',
  )
  // Mails have gone out, the processor has told its news, and every log is read to its end.
  await eventually(
    () => operator.get(`/v1/orders/${body.id}/timeline`),
    (answer) => answer.body.items.every((item: any) => item.kind !== 'task' || item.detail.state !== 'open'),
  )
  await eventually(
    () => sandboxOf(data, '/webhooks'),
    ({ pending, delivered }) => pending === 0 && delivered > 0,
  )
  await settledAudit(operator)
  return { order: body.id, payment: paid.body.id }
}

let asked = 0

async function send(url: string, token: (person: Person) => string, ask: Ask): Promise<Answer> {
  const { method = 'GET', path, who = 'alice', body, headers = {} } = ask
  const sent: Record<string, string | undefined> = {
    ...(who === null ? {} : { authorization: `Bearer ${token(who)}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(method === 'POST' ? { 'idempotency-key': `bad-${++asked}` } : {}),
    ...headers,
  }
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const response = await fetch(url + path, {
    method,
    headers: Object.fromEntries(
      Object.entries(sent).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    ...(body === undefined ? {} : { body: bytes as string }),
    signal: AbortSignal.timeout(20_000),
  })
  const text = await response.text()
  await conforms(url, { method, url: path, status: response.status, headers: response.headers, body: text })
  const said = text !== '' && response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
  return { status: response.status, headers: response.headers, body: said }
}
