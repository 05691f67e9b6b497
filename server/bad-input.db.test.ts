/**
 * Bad input, on every route of a real server: the status and the problem document it is answered with, never a 5xx, and in the end
 * nothing has changed. What can be made from the OpenAPI document is made from it, so a new route is tested by being there; every
 * answer is also compared with what the document promises (testing.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operationsOf, type ApiDocument, type Operation } from '@cauce/kit/http/testing-openapi'
import { tables, unreadable } from './testing-bad-bodies.ts'
import { openShop, type Ask, type Person, type Shop } from './testing-bad-input.ts'

let shop: Shop
let before: Record<string, string>
let calls: Call[]

beforeAll(async () => {
  shop = await openShop()
  before = await shop.digest()
  calls = callsOf(shop.document)
})
afterAll(() => shop?.close())

/** An operation, with a request for it that lacks nothing. */
interface Call {
  readonly name: string
  readonly operation: Operation
  /** As in the document. */
  readonly template: string
  readonly ask: Required<Pick<Ask, 'method' | 'path' | 'who'>> & Pick<Ask, 'body' | 'headers'>
}

const takes = (operation: Operation, name: string): boolean =>
  (operation.parameters ?? []).some((parameter) => parameter.name.toLowerCase() === name.toLowerCase())
const bodyOf = ({ requestBody }: Operation) => requestBody?.content['application/json']
const isSecured = ({ operation }: Call) => (operation.security ?? []).length > 0
const isWebhook = ({ template }: Call) => template.startsWith('/v1/webhooks/')
const demands = (name: string) => (call: Call) => takes(call.operation, name)

/** Whom each operation is for: these customers, what is named here operators, the rest both. */
const customersOnly = new Set(['POST /v1/orders', 'POST /v1/pay', 'POST /v1/transfers'])
const operatorsOnly =
  /^\w+ \/v1\/(ops\/|labs)|^PUT \/v1\/products\/|^POST \/v1\/products\/\{sku\}\/stock$|\/deposits$|\/refund$/

function callsOf(document: ApiDocument): Call[] {
  return operationsOf(document).map(({ name, method, path: template, operation }) => {
    const who: Person = operatorsOnly.test(name) ? 'olga' : 'alice'
    return { name, operation, template, ask: { method, path: existing(template), who, ...example(operation) } }
  })
}

/** The path of something that is there, where there is one. */
const existing = (template: string): string =>
  template
    .replace(/^\/v1\/orders\/\{id\}/, `/v1/orders/${shop.order}`)
    .replace(/^\/v1\/payments\/\{id\}/, `/v1/payments/${shop.payment}`)
    .replace(/^\/v1\/accounts\/\{id\}/, '/v1/accounts/alice')
    .replace('{sku}', 'LAMP')
    .replace('{name}', 'order-list')
    .replace('{group}/{source}/{key}', 'orders/payments/ord_1')
    .replace('{service}/{id}', 'orders/t1')
    .replace('/labs/{id}', '/labs/stock-counter')
    .replace('{runId}', `run_${'0'.repeat(32)}`)

function example(operation: Operation): Pick<Ask, 'body'> {
  const media = bodyOf(operation)
  if (!media) return {}
  return { body: (media.example ?? Object.values(media.examples ?? {})[0]?.value) as object }
}

/** Sends all, and gives those that were answered otherwise. */
async function unlike(asks: readonly Ask[], status: number, code: string): Promise<string[]> {
  expect(asks.length).toBeGreaterThan(0)
  const wrong: string[] = []
  for (const ask of asks) {
    const answer = await shop.ask(ask)
    if (answer.status === status && answer.body.code === code) continue
    const sent = ask.body === undefined ? '' : ` ${JSON.stringify(ask.body).slice(0, 200)}`
    wrong.push(
      `${ask.method ?? 'GET'} ${ask.path}${sent}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`,
    )
  }
  return wrong
}

/** A request for each of the operations that fit, changed. */
const forEach = (
  fits: (call: Call) => boolean,
  changed: (call: Call) => Partial<Ask> | readonly Partial<Ask>[],
): Ask[] => calls.filter(fits).flatMap((call) => [changed(call)].flat().map((change) => ({ ...call.ask, ...change })))
const any = () => true
const headers = (given: Record<string, string | undefined>): Partial<Ask> => ({ headers: given })

describe('on every route', () => {
  test('401 without a token, with an empty or a foreign one', async () => {
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
    const claims = Buffer.from('{"sub":"olga","roles":["operator"],"exp":9999999999}').toString('base64url')
    for (const authorization of [
      undefined,
      '',
      'Bearer ',
      'Basic b2xnYTp4',
      'Bearer x.y.z',
      `Bearer ${none}.${claims}.`,
    ])
      expect(
        await unlike(
          forEach(isSecured, () => headers({ authorization })),
          401,
          'unauthenticated',
        ),
      ).toEqual([])
  })

  test('403 with the wrong role', async () => {
    const strangers = forEach(
      ({ name }) => customersOnly.has(name) || operatorsOnly.test(name),
      ({ name }) => ({ who: customersOnly.has(name) ? 'olga' : 'alice' }),
    )
    expect(await unlike(strangers, 403, 'forbidden')).toEqual([])
    const roles = calls.filter(({ operation }) => '403' in operation.responses).map(({ name }) => name)
    expect(roles.filter((name) => !customersOnly.has(name) && !operatorsOnly.test(name))).toEqual(['POST /v1/accounts'])
  })

  test('404 for a path that there is not', async () => {
    const paths = ['/v1', '/v2/orders', '/V1/orders', '/v1//orders', '/v1/orders/x/y', '/__proto__', '/%2e%2e/v1']
    const asks = paths.flatMap((path) => ['GET', 'POST', 'DELETE'].map((method) => ({ method, path })))
    expect(await unlike(asks, 404, 'not-found')).toEqual([])
  })

  test('405 with Allow for a method that there is not', async () => {
    const asks = [...new Set(calls.map(({ template }) => template))].flatMap((template) => {
      const there = calls.filter((call) => call.template === template).map(({ ask }) => ask.method)
      return ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
        .filter((method) => !there.includes(method))
        .map((method) => ({ method, path: existing(template), there }))
    })
    expect(await unlike(asks, 405, 'method-not-allowed')).toEqual([])
    for (const { there, ...ask } of asks) {
      const allow = (await shop.ask(ask)).headers.get('allow')?.split(', ') ?? []
      expect(allow, `${ask.method} ${ask.path}`).toEqual(expect.arrayContaining([...there, 'OPTIONS']))
    }
  })

  test('406 when no form of the answer is taken', async () => {
    for (const accept of ['image/png', 'application/xml, */*;q=0'])
      expect(
        await unlike(
          forEach(any, () => headers({ accept })),
          406,
          'not-acceptable',
        ),
      ).toEqual([])
  })

  test('400 for an id that is none', async () => {
    const ids = ['', '%00', 'a%00b', '%ff', '%ed%a0%80', '%zz', '%', 'a%20b', '%27%20OR%201=1', 'x'.repeat(600)]
    const asks = forEach(
      ({ template }) => template.includes('{'),
      ({ template }) => ids.map((id) => ({ path: template.replace(/\{\w+\}(?!.*\{)/, id) })),
    )
    // A parked key and a task's id may be any text that can be stored.
    const isFree = ({ path }: Ask) => path.startsWith('/v1/ops/') && /%20/.test(path)
    expect(await unlike(asks.filter((ask) => !isFree(ask)).map(completed), 400, 'malformed')).toEqual([])
    const others = ['ord_', 'ord_1', 'ORD_00000000000000000000000000000000', shop.payment, `${shop.order}0`, '..%2f..']
    const orders = forEach(
      ({ template }) => template.startsWith('/v1/orders/{id}'),
      ({ template }) => others.map((id) => ({ path: template.replace('{id}', id) })),
    )
    expect(await unlike(orders, 400, 'malformed')).toEqual([])
  })

  test('400 for a query it does not know', async () => {
    const names = ['colour=red', 'sort=price', '__proto__=1', 'constructor=1', 'a[]=1', '=']
    const asks = forEach(isSecured, ({ ask }) => names.map((name) => ({ path: `${ask.path}?${name}` })))
    expect(await unlike(asks, 400, 'malformed')).toEqual([])
  })

  test('400 for a limit or cursor that is none', async () => {
    const text = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const limits = ['0', '-1', '101', '1.5', '1e1', 'ten', '', '%201', '9'.repeat(30), '1&limit=2']
    const cursors = ['', '!', '%00', 'x'.repeat(1025), text(null), text({}), text([]), text('\u0000'), text('\ud800')]
    const ofOthers = [text(['x']), text([1e99, 'x', null]), text(true), 'bm8', 'x&cursor=x']
    const queries = [
      ...limits.map((limit) => `limit=${limit}`),
      ...[...cursors, ...ofOthers].map((cursor) => `cursor=${cursor}`),
    ]
    const asks = forEach(demands('cursor'), ({ ask }) => queries.map((query) => ({ path: `${ask.path}?${query}` })))
    expect(await unlike(asks, 400, 'malformed')).toEqual([])
    const status = ['open', '', 'COMPLETED', 'completed&status=placed', '%00'].map((given) => ({
      path: `/v1/orders?status=${given}`,
    }))
    expect(await unlike(status, 400, 'malformed')).toEqual([])
  })

  test('400 for a Cauce-Token that is none, or of what there is not', async () => {
    const tokens = ['x', 'ghosts:0=1', 'orders:99=1', 'orders:0=999999999', 'orders:0=1e3', 'a'.repeat(8193), ';']
    const asks = forEach(demands('cauce-token'), () => tokens.map((token) => headers({ 'cauce-token': token })))
    expect(await unlike(asks, 400, 'malformed')).toEqual([])
    const events = forEach(demands('last-event-id'), () =>
      ['x', '-1', '1e3', '1.5', '9'.repeat(16)].map((id) => headers({ 'last-event-id': id })),
    )
    expect(await unlike(events, 400, 'malformed')).toEqual([])
  })

  test('400 without an Idempotency-Key, or with one that is none', async () => {
    const keyed = demands('Idempotency-Key')
    expect(
      await unlike(
        forEach(keyed, () => headers({ 'idempotency-key': undefined })),
        400,
        'key-missing',
      ),
    ).toEqual([])
    const keys = ['', ' ', 'a b', 'x'.repeat(256), 'ñ', 'one, two']
    const bad = forEach(keyed, () => keys.map((key) => headers({ 'idempotency-key': key })))
    expect(await unlike(bad, 400, 'key-invalid')).toEqual([])
  })

  test('412 for an If-Match that is stale, weak or no version', async () => {
    const stale = ['"99999"', '"0"', 'W/"1"', '"x"', '', '"-1"'].map((tag) => headers({ 'if-match': tag }))
    const asks = forEach(demands('If-Match'), () => stale).map(sensible)
    expect(await unlike(asks, 412, 'precondition-failed')).toEqual([])
  })

  test('415 for a body that is not JSON', async () => {
    const types = [
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/json; charset=latin1',
      'x',
    ]
    const posts = (call: Call) => call.ask.method !== 'GET' && !isWebhook(call)
    const typed = forEach(posts, ({ ask }) =>
      types.map((type) => ({ body: ask.body ?? '{}', ...headers({ 'content-type': type }) })),
    )
    expect(await unlike(typed, 415, 'unsupported-media-type')).toEqual([])
    const zipped = forEach(posts, ({ ask }) => ({ body: ask.body ?? '{}', ...headers({ 'content-encoding': 'gzip' }) }))
    expect(await unlike(zipped, 415, 'unsupported-media-type')).toEqual([])
  })

  test('422 for a field it does not know', async () => {
    const bodies = (call: Call) => bodyOf(call.operation) !== undefined && !isWebhook(call)
    const asks = forEach(bodies, ({ ask }) =>
      ['colour', 'id_', 'constructor', ''].map((name) => ({ body: { ...(ask.body as object), [name]: 1 } })),
    )
    expect(await unlike(asks, 422, 'invalid')).toEqual([])
    const none = (call: Call) => call.ask.method === 'POST' && bodyOf(call.operation) === undefined
    expect(
      await unlike(
        forEach(none, () => ({ body: { reason: 'x' } })),
        422,
        'invalid',
      ),
    ).toEqual([])
  })

  test('400, 413 and 422 for bytes that are no document it can read', async () => {
    const bodies = (call: Call) => bodyOf(call.operation) !== undefined && !isWebhook(call)
    for (const [body, status, code] of unreadable)
      expect(
        await unlike(
          forEach(bodies, () => ({ body })),
          status,
          code,
        ),
      ).toEqual([])
    expect(calls.filter(bodies).length).toBeGreaterThan(10)
  })
})

/** What a path with other parameters than its last one needs in their places. */
const completed = (ask: Ask): Ask => ({
  ...ask,
  path: ask.path.replace('{group}/{source}', 'orders/payments').replace('{service}', 'orders'),
})

/** With amounts that would be taken. */
const sensible = (ask: Ask): Ask =>
  ask.path.endsWith('/refund') ? { ...ask, body: { amount: 1, currency: 'EUR', reason: 'x' } } : ask

describe('404 for what is someone else’s, the same as for what there is not', () => {
  const own = (call: Call) =>
    isSecured(call) && /^\/v1\/(orders|payments|accounts)\/\{id\}/.test(call.template) && call.ask.who === 'alice'

  test('on every route and verb', async () => {
    const asks = forEach(own, () => ({ who: 'mallory' }))
    expect(asks.map(({ method, path }) => `${method} ${path.split('/').slice(2, 3).join()}`).toSorted()).toEqual([
      'GET accounts',
      'GET orders',
      'GET orders',
      'GET orders',
      'GET payments',
      'POST orders',
    ])
    expect(await unlike(asks, 404, 'not-found')).toEqual([])
    for (const ask of asks.filter(({ method }) => method === 'GET'))
      if (!ask.path.endsWith('/stream')) expect((await shop.ask({ ...ask, method: 'HEAD' })).status).toBe(404)
    const conditional = asks.map((ask) => ({ ...ask, headers: { 'if-match': '"1"', 'if-none-match': '*' } }))
    expect(await unlike(conditional, 404, 'not-found')).toEqual([])
  })

  test('in the same words', async () => {
    const strange = (path: string) => path.replace(/[0-9a-f]{32}/, 'f'.repeat(32)).replace('alice', 'nobody')
    for (const ask of forEach(own, () => ({ who: 'mallory' }))) {
      const [theirs, none] = await Promise.all([shop.ask(ask), shop.ask({ ...ask, path: strange(ask.path) })])
      const words = (body: { detail: string }) => strange(body.detail)
      expect([ask.path, none.status, words(none.body)]).toEqual([ask.path, 404, words(theirs.body)])
    }
  })

  test('nor is it in a list', async () => {
    const { body } = await shop.ask({ path: '/v1/orders', who: 'mallory' })
    expect(body).toEqual({ items: [], nextCursor: null })
  })
})

describe.each(tables)('$call', ({ call, who, cases }) => {
  const [method = '', path = ''] = call.split(' ')
  test.each(cases.map(([body, status, code]) => [JSON.stringify(body).slice(0, 120), status, code, body] as const))(
    '%s is %i %s',
    async (_text, status, code, body) => {
      const ask = { method, path: path.replace(':payment', shop.payment), who, body: body as object }
      expect(await unlike([ask], status, code)).toEqual([])
    },
  )
})

describe('what is not there, or in no state for it', () => {
  const none = (prefix: string) => `${prefix}_${'0'.repeat(32)}`
  const refund = { amount: 1, currency: 'EUR', reason: 'x' }
  test.each<[Ask, number, string]>([
    [
      {
        method: 'POST',
        path: '/v1/accounts/nobody/deposits',
        who: 'olga',
        body: { amount: 1, currency: 'EUR', reference: 'x' },
      },
      404,
      'not-found',
    ],
    [{ method: 'POST', path: `/v1/payments/${none('pay')}/refund`, who: 'olga', body: refund }, 404, 'not-found'],
    [
      { method: 'POST', path: '/v1/products/GHOST/stock', who: 'olga', body: { delta: 1, reason: 'x' } },
      404,
      'not-found',
    ],
    [{ method: 'POST', path: `/v1/orders/${none('ord')}/cancel` }, 404, 'not-found'],
    [{ path: '/v1/products/GHOST' }, 404, 'not-found'],
    [{ path: `/v1/orders/${none('ord')}/timeline`, who: 'olga' }, 404, 'not-found'],
    [{ path: `/v1/orders/${none('ord')}/stream`, who: 'olga' }, 404, 'not-found'],
    [{ method: 'POST', path: '/v1/ops/views/nothing/rebuild', who: 'olga' }, 404, 'not-found'],
    [
      {
        method: 'PUT',
        path: '/v1/products/NEW',
        who: 'olga',
        body: { name: 'N', price: { amount: 1, currency: 'EUR' } },
        headers: { 'if-match': '*' },
      },
      412,
      'precondition-failed',
    ],
  ])('%j is %i %s', async (ask, status, code) => expect(await unlike([ask], status, code)).toEqual([]))

  test('an order past its point of no return is 409', async () => {
    expect(await unlike([{ method: 'POST', path: `/v1/orders/${shop.order}/cancel` }], 409, 'not-cancellable')).toEqual(
      [],
    )
  })
})

test('what is right is answered as documented: every GET, its HEAD, and 304 for what is known', async () => {
  const gets = calls.filter(({ ask }) => ask.method === 'GET')
  for (const { ask, name, operation } of gets) {
    const { status, headers: got, body } = await shop.ask(ask)
    expect([name, status]).toEqual([name, /\/\{(group|service|runId)\}/.test(name) ? 404 : 200])
    if (name.endsWith('/stream')) {
      if (status === 200) expect(body).toContain('"status":"completed"')
      continue
    }
    expect((await shop.ask({ ...ask, method: 'HEAD' })).status).toBe(status)
    if (!takes(operation, 'If-None-Match')) continue
    expect((await shop.ask({ ...ask, headers: { 'if-none-match': got.get('etag')! } })).status).toBe(304)
  }
  expect(gets.length).toBeGreaterThan(20)
})

test('a preference that makes no sense is ignored', async () => {
  for (const prefer of ['wait=', 'wait=-1', 'wait=x', 'wait=99999999999', ', ;', 'respond-async'])
    expect((await shop.ask({ path: '/v1/products/LAMP', headers: { prefer } })).status).toBe(200)
})

test('after all of this nothing has changed', async () => {
  expect(await shop.digest()).toEqual(before)
  const { body } = await shop.ask({ path: '/v1/ops/audit', who: 'olga' })
  expect(body).toMatchObject({ ok: true, log: { parked: 0 }, tasks: { dead: 0 } })
})
