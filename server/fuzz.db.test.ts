/**
 * The OpenAPI document, fuzzed: requests made from its examples with something wrong, or strange but right, anywhere in them. No
 * answer is a 5xx, every answer is as documented (testing.ts), and the books are right in the end. CAUCE_FUZZ says how many
 * requests, CAUCE_FUZZ_SEED which; a failure names the request.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { integerBetween, pick, seeded, type Random } from '@cauce/kit/core/prng'
import { systemClock } from '@cauce/kit/core/clock'
import { exampleOf } from '@cauce/kit/http/openapi-examples'
import { operationsOf, type Operation, type Parameter } from '@cauce/kit/http/testing-openapi'
import { signature } from '@cauce/kit/http/webhooks'
import { eventually } from './testing.ts'
import { openShop, type Ask, type Shop } from './testing-bad-input.ts'

const REQUESTS = Number(process.env['CAUCE_FUZZ'] ?? 1500)
const SEED = Number(process.env['CAUCE_FUZZ_SEED'] ?? 1)
const AT_ONCE = 8

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
})
afterAll(() => shop?.close())

const numbers = [0, -1, 1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 53), 1e300, 5e-324]
const texts = [
  '',
  ' ',
  '0',
  'null',
  '\u0000',
  '\ud800',
  '\u{1f600}',
  'é',
  'e\u0301',
  '\u202e',
  "'; DROP TABLE x--",
  '%s%n',
]
const names = ['__proto__', 'constructor', '2016-12-31T23:59:60Z', '-0', 'NaN', 'x'.repeat(200), 'x'.repeat(1000)]
const strange: readonly unknown[] = [...numbers, ...texts, ...names, null, true, [], {}, [[]], [null], { a: 1 }]

type Node = Record<string, unknown>

/** The value with one of its parts replaced, left out, doubled or added to. */
function bent(value: unknown, random: Random): unknown {
  if (value === null || typeof value !== 'object' || random.next() < 0.15) return pick(random, strange)
  const names = Object.keys(value)
  if (names.length === 0) return pick(random, strange)
  const name = pick(random, names)
  if (Array.isArray(value)) {
    const copy = [...(value as unknown[])]
    const at = Number(name)
    if (random.next() < 0.3) return [...copy, ...Array.from({ length: integerBetween(random, 1, 120) }, () => copy[at])]
    copy[at] = bent(copy[at], random)
    return copy
  }
  const { [name]: member, ...rest } = value as Node
  const chance = random.next()
  if (chance < 0.15) return rest
  if (chance < 0.25) return { ...(value as Node), [String(pick(random, strange))]: pick(random, strange) }
  return { ...(value as Node), [name]: bent(member, random) }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
const wellFormed = (value: string): string => value.replaceAll(/\p{Surrogate}/gu, '?')
/** What fetch would refuse to send says nothing about the server. */
const sendable = (value: string): string => value.replaceAll(/[^\t\u0020-\u007e\u00a0-\u00ff]/g, '?').trim()

function valueOf(parameter: Parameter, random: Random): string {
  const good = text(parameter.example ?? exampleOf(parameter.schema))
  const chance = random.next()
  return chance < 0.6 ? good : chance < 0.8 ? good + text(pick(random, strange)) : text(pick(random, strange))
}

function made(template: string, method: string, operation: Operation, random: Random): Ask {
  const { parameters = [], requestBody } = operation
  let path = template
  const query: string[] = []
  const headers: Record<string, string | undefined> = {}
  for (const parameter of parameters) {
    const { name } = parameter
    if (parameter.in === 'path') {
      const own = template.includes('/orders/')
        ? shop.order
        : template.includes('/payments/')
          ? shop.payment
          : undefined
      const value = random.next() < 0.6 && own !== undefined ? own : valueOf(parameter, random)
      path = path.replace(`{${name}}`, encodeURIComponent(wellFormed(value)))
    } else if (parameter.in === 'query') {
      if (random.next() < 0.4) query.push(`${name}=${encodeURIComponent(wellFormed(valueOf(parameter, random)))}`)
    } else if (random.next() < (parameter.required ? 0.1 : 0.2))
      headers[name.toLowerCase()] = sendable(valueOf(parameter, random))
  }
  const example = Object.values(requestBody?.content ?? {})[0]
  let body = example?.example ?? Object.values(example?.examples ?? {})[0]?.value
  for (let bends = integerBetween(random, 0, 2); bends > 0 && body !== undefined; bends--) body = bent(body, random)
  const isOperators = '403' in operation.responses && !/^\/v1\/(orders|pay|transfers|accounts)$/.test(template)
  const own = isOperators ? 'olga' : 'alice'
  const who = random.next() < 0.85 ? own : pick(random, ['alice', 'bob', 'mallory', 'olga', null] as const)
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  if (template.startsWith('/v1/webhooks/') && random.next() < 0.9) {
    const secret = shop.key.secretFor('card webhooks')
    headers['cauce-signature'] = signature(secret, Math.floor(systemClock.now() / 1000), sent.body ?? '')
  }
  return { method, path: path + (query.length > 0 ? `?${query.join('&')}` : ''), who, headers, ...sent }
}

test(`${REQUESTS} requests: no 5xx, every answer as documented`, { timeout: 600_000 }, async () => {
  const operations = operationsOf(shop.document).filter(({ name }) => !/GET \/(docs|openapi)/.test(name))
  const statuses = new Map<number, number>()
  const seen = new Map<string, Set<number>>()
  const random = seeded(SEED)
  const asks = Array.from({ length: REQUESTS }, (_, n) => {
    const { name, path, method, operation } = operations[n % operations.length]!
    return { name, ask: made(path, method, operation, random) }
  })
  const workers = Array.from({ length: AT_ONCE }, async (_, first) => {
    for (let n = first; n < asks.length; n += AT_ONCE) {
      const { name, ask } = asks[n]!
      const answer = await shop.ask(ask).catch((error: Error) => {
        throw new Error(`Request ${n} of seed ${SEED}: ${JSON.stringify(ask).slice(0, 2000)}`, { cause: error })
      })
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      seen.set(name, (seen.get(name) ?? new Set()).add(answer.status))
      expect(answer.status, `${JSON.stringify(ask).slice(0, 2000)}: ${JSON.stringify(answer.body)}`).toBeLessThan(500)
    }
  })
  await Promise.all(workers)
  // It reached behind the doors: every operation was refused and, where an example can be right, served.
  expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 201, 202, 400, 401, 403, 404, 409, 422]))
  expect(seen.size).toBe(operations.length)
  if (process.env['CAUCE_FUZZ']) process.stderr.write(`${JSON.stringify(Object.fromEntries(statuses))}\n`)
  const audit = await eventually(
    () => shop.ask({ path: '/v1/ops/audit', who: 'olga' }),
    ({ body }) => body.log.unapplied === 0 && body.orders.total === body.orders.terminal,
  )
  expect(audit.body).toMatchObject({ ok: true, log: { parked: 0 }, tasks: { dead: 0 } })
})
