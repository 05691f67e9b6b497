import { describe, expect, test } from 'vitest'
import { runCli } from '../program.ts'
import { json, problem, testWorld, typed, type Handler } from '../testing.ts'

const cause = 'Error: Version # of saga fulfilment is not known here'
const parked = {
  group: 'orders',
  source: 'payments',
  key: 'ord_1',
  lane: 3,
  messages: 2,
  type: 'PaymentAuthorized',
  error: 'Error: Version 2 of saga fulfilment is not known here',
  cause,
  since: '2026-01-02T03:04:05.678Z',
}
const message = { id: 'm1', type: 'PaymentAuthorized', position: 7, at: parked.since, error: parked.error }
const whole = { ...parked, items: [{ ...message, data: { orderId: 'ord_1' } }], nextCursor: null }

/** Answers each call from a table, and keeps what was asked. */
function server(answers: Readonly<Record<string, unknown>>): { world: ReturnType<typeof testWorld>; asked: string[] } {
  const asked: string[] = []
  const handler: Handler = (url, { method = 'GET', body }) => {
    const call = `${method} ${url.pathname}${url.search}`
    asked.push(typeof body === 'string' ? `${call} ${body}` : call)
    const answer = answers[call]
    return answer === undefined ? problem(404, 'not-found') : json(200, answer)
  }
  return { world: testWorld(handler), asked }
}

describe('cauce parked list', () => {
  test('shows each key with its first error', async () => {
    const { world } = server({ 'GET /v1/ops/parked?limit=50': { items: [parked], nextCursor: 'abc' } })
    const { code, out, err } = await typed('parked list', world)
    expect(code).toBe(0)
    expect(out).toMatch(/Group +From +Key +Messages +Type +Since +What went wrong/)
    expect(out).toMatch(/orders +payments +ord_1 +2 +PaymentAuthorized +.* +Error: Version 2/)
    expect(err).toContain('More: --cursor abc')
  })

  test('asks for a group and a cause', async () => {
    const { world, asked } = server({})
    expect((await typed('parked list --group orders --cause why --limit 5 --cursor c', world)).code).toBe(1)
    expect(asked).toEqual(['GET /v1/ops/parked?limit=5&group=orders&cause=why&cursor=c'])
  })

  test('by cause', async () => {
    const items = [
      { group: 'orders', cause, keys: 3, messages: 5, oldest: parked.since, example: parked },
      { group: 'shipping', cause: 'other', keys: 1, messages: 1, oldest: parked.since, example: parked },
    ]
    const answers = { 'GET /v1/ops/parked/causes': { items } }
    const { out } = await typed('parked list --by-cause --lang es', server(answers).world)
    expect(out).toMatch(/Grupo +Claves +Mensajes +Desde +Causa +Una de ellas/)
    expect(out).toMatch(/orders +3 +5 .* Error: Version # .* payments ord_1/)
    const only = await typed('parked list --by-cause --group shipping --json', server(answers).world)
    expect(JSON.parse(only.out).items).toMatchObject([{ group: 'shipping' }])
  })

  test('says that there is nothing', async () => {
    const empty = { items: [], nextCursor: null }
    const { world } = server({ 'GET /v1/ops/parked?limit=50': empty })
    expect(await typed('parked list', world)).toEqual({ code: 0, out: '', err: 'There is nothing here yet.\n' })
    const document = await typed('parked list --json', server({ 'GET /v1/ops/parked?limit=50': empty }).world)
    expect(JSON.parse(document.out)).toEqual(empty)
  })
})

describe('cauce parked show', () => {
  const path = 'GET /v1/ops/parked/orders/payments/a%2Fb?limit=50'

  test('shows the key and its messages', async () => {
    const { world } = server({ [path]: whole })
    const { code, out } = await typed('parked show orders payments a/b', world)
    expect(code).toBe(0)
    expect(out).toMatch(/What went wrong +Error: Version 2/)
    expect(out).toMatch(/m1 +PaymentAuthorized +7 .* \{"orderId":"ord_1"\}/)
  })

  test('as a document', async () => {
    const { out } = await typed('parked show orders payments a/b --json', server({ [path]: whole }).world)
    expect(JSON.parse(out)).toEqual(whole)
  })

  test('of what is not parked is exit 1', async () => {
    const { code, err } = await typed('parked show orders payments ord_2', server({}).world)
    expect(code).toBe(1)
    expect(err).toContain('Title of not-found')
  })
})

describe('cauce parked redrive', () => {
  const one = 'POST /v1/ops/parked/orders/payments/ord_1/redrive'

  test('of one key', async () => {
    const { world, asked } = server({ [one]: { applied: 2, error: null } })
    expect(await typed('parked redrive orders payments ord_1', world)).toEqual({
      code: 0,
      out: '2 applied.\n',
      err: '',
    })
    expect(asked).toEqual([one])
  })

  test('that fails again is exit 1, with the error', async () => {
    const { world } = server({ [one]: { applied: 1, error: 'Error: still' } })
    const { code, out } = await typed('parked redrive orders payments ord_1', world)
    expect({ code, out }).toEqual({ code: 1, out: '1 applied, then again: Error: still\n' })
  })

  test('of a cause goes on until nothing is left, and adds up', async () => {
    const bodies: unknown[] = []
    const world = testWorld((_url, { body }) => {
      bodies.push(JSON.parse(body as string))
      const nextCursor = bodies.length < 3 ? `c${bodies.length}` : null
      return json(200, { keys: 100, applied: 150, failed: bodies.length === 2 ? 1 : 0, nextCursor })
    })
    const { code, out } = await typed('parked redrive orders --cause why --json', world)
    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual({ keys: 300, applied: 450, failed: 1 })
    expect(bodies).toEqual([
      { group: 'orders', cause: 'why' },
      { group: 'orders', cause: 'why', cursor: 'c1' },
      { group: 'orders', cause: 'why', cursor: 'c2' },
    ])
  })

  test('of all', async () => {
    const answer = { keys: 3, applied: 4, failed: 0, nextCursor: null }
    const { world, asked } = server({ 'POST /v1/ops/parked/redrive': answer })
    const { code, out } = await typed('parked redrive orders --all', world)
    expect({ code, out }).toEqual({ code: 0, out: '3 keys tried, 4 messages applied, 0 keys failed again.\n' })
    expect(asked).toEqual(['POST /v1/ops/parked/redrive {"group":"orders"}'])
  })

  test.each([
    'parked redrive orders',
    'parked redrive orders payments',
    'parked redrive orders payments ord_1 --all',
    'parked redrive orders payments ord_1 --cause why',
  ])('“%s” does not say which: exit 2, and nothing is asked', async (line) => {
    const { world, asked } = server({})
    const { code, err } = await typed(line, world)
    expect(code).toBe(2)
    expect(err).toContain('Say which: a source and a key, or --cause, or --all.')
    expect(asked).toEqual([])
  })
})

describe('cauce parked discard', () => {
  const path = 'POST /v1/ops/parked/orders/payments/ord_1/discard'

  test('of a key, and of some of its messages', async () => {
    const { world, asked } = server({ [path]: { discarded: 2 } })
    const line = ['parked', 'discard', 'orders', 'payments', 'ord_1', '--reason', 'sent twice']
    expect(await runCli(line, world)).toBe(0)
    expect(world.printed.out).toBe('2 discarded.\n')
    await runCli([...line, '--id', 'm1', 'm2'], world)
    expect(asked).toEqual([`${path} {"reason":"sent twice"}`, `${path} {"reason":"sent twice","ids":["m1","m2"]}`])
  })

  test('without a reason, or with an empty one, is a mistake of usage', async () => {
    const { world, asked } = server({ [path]: { discarded: 2 } })
    const without = await typed('parked discard orders payments ord_1', world)
    expect(without.code).toBe(2)
    expect(without.err).toContain('The option --reason <text> is required.')
    expect(await runCli(['parked', 'discard', 'orders', 'payments', 'ord_1', '--reason', ' '], world)).toBe(2)
    expect(world.printed.err).toContain('It must say something, in at most 500 characters.')
    expect(asked).toEqual([])
  })
})

test.each(['list', 'show', 'redrive', 'discard'])(
  '“parked %s --help” has examples, in both languages',
  async (name) => {
    const english = await typed(`parked ${name} --help`)
    expect(english).toMatchObject({ code: 0, err: '' })
    expect(english.out).toContain(`Examples:\n  $ npx cauce parked ${name}`)
    const spanish = await typed(`parked ${name} --help --lang es`)
    expect(spanish.out).toContain('Ejemplos:')
    expect(spanish.out).not.toMatch(/Options|Arguments|Usage|choices|default/)
  },
)
