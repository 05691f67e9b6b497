import { describe, expect, test } from 'vitest'
import { runCli } from '../program.ts'
import { json, problem, testWorld, typed } from '../testing.ts'

const letter = {
  service: 'orders',
  id: 'order-deadline:ord_1',
  type: 'order-deadline',
  key: 'ord_1',
  attempts: 8,
  error: 'The carrier answered 401',
  cause: 'The carrier answered 401',
  since: '2026-01-02T03:04:05.678Z',
  data: { id: 'ord_1' },
  outcome: { kind: 'due' },
  requestId: 'req-1',
}

/** Answers each call from a table, and keeps what was asked. */
function server(answers: Readonly<Record<string, unknown>>): { world: ReturnType<typeof testWorld>; asked: string[] } {
  const asked: string[] = []
  const world = testWorld((url, { method = 'GET', body }) => {
    const call = `${method} ${url.pathname}${url.search}`
    asked.push(typeof body === 'string' ? `${call} ${body}` : call)
    const answer = answers[call]
    return answer === undefined ? problem(404, 'not-found') : json(200, answer)
  })
  return { world, asked }
}

describe('cauce dead-letters list', () => {
  test('shows each task with its error, and asks for what is wanted', async () => {
    const path = '/v1/ops/dead-letters?limit=50&service=orders&type=order-deadline'
    const { world, asked } = server({ [`GET ${path}`]: { items: [letter], nextCursor: null } })
    const { code, out, err } = await typed('dead-letters list --service orders --type order-deadline', world)
    expect({ code, err, asked }).toEqual({ code: 0, err: '', asked: [`GET ${path}`] })
    expect(out).toMatch(/Service +Task +Type +Key +Attempts +Since +What went wrong/)
    expect(out).toMatch(/orders +order-deadline:ord_1 +order-deadline +ord_1 +8 .* The carrier answered 401/)
  })

  test('by cause', async () => {
    const { cause, service, type, since, id } = letter
    const items = [
      { service, type, cause, tasks: 12, oldest: since, example: id },
      { service: 'shipping', type: 'book-shipment', cause, tasks: 1, oldest: since, example: 't' },
    ]
    const answers = { 'GET /v1/ops/dead-letters/causes': { items } }
    const { out } = await typed('dead-letters list --by-cause', server(answers).world)
    expect(out).toMatch(/orders +order-deadline +12 .* The carrier answered 401 +order-deadline:ord_1/)
    const only = await typed('dead-letters list --by-cause --type book-shipment --json', server(answers).world)
    expect(JSON.parse(only.out).items).toMatchObject([{ service: 'shipping' }])
  })
})

test('cauce dead-letters show', async () => {
  const path = 'GET /v1/ops/dead-letters/orders/order-deadline%3Aord_1'
  const { code, out } = await typed('dead-letters show orders order-deadline:ord_1', server({ [path]: letter }).world)
  expect(code).toBe(0)
  expect(out).toMatch(/Task +order-deadline:ord_1/)
  expect(out).toMatch(/Last outcome +\{"kind":"due"\}/)
  const document = await typed('dead-letters show orders order-deadline:ord_1 --json', server({ [path]: letter }).world)
  expect(JSON.parse(document.out)).toEqual(letter)
})

describe('cauce dead-letters redrive', () => {
  test('of one task', async () => {
    const path = 'POST /v1/ops/dead-letters/orders/t1/redrive'
    const { world, asked } = server({ [path]: { redriven: 1 } })
    expect(await typed('dead-letters redrive orders t1', world)).toEqual({ code: 0, out: '1 run again.\n', err: '' })
    expect(asked).toEqual([path])
  })

  test('of a type and a cause goes on until nothing is left, and adds up', async () => {
    const bodies: unknown[] = []
    const world = testWorld((_url, { body }) => {
      bodies.push(JSON.parse(body as string))
      return json(200, { redriven: 500, nextCursor: bodies.length < 2 ? 'c1' : null })
    })
    const { code, out } = await typed('dead-letters redrive shipping --type book-shipment --cause why --json', world)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ redriven: 1000 })
    const filter = { service: 'shipping', type: 'book-shipment', cause: 'why' }
    expect(bodies).toEqual([filter, { ...filter, cursor: 'c1' }])
  })

  test('of all, only when it is said', async () => {
    const { world, asked } = server({ 'POST /v1/ops/dead-letters/redrive': { redriven: 0, nextCursor: null } })
    expect((await typed('dead-letters redrive shipping', world)).code).toBe(2)
    expect(asked).toEqual([])
    expect((await typed('dead-letters redrive shipping --all', world)).code).toBe(0)
    expect(asked).toEqual(['POST /v1/ops/dead-letters/redrive {"service":"shipping"}'])
  })
})

describe('cauce dead-letters discard', () => {
  test('of one task', async () => {
    const path = 'POST /v1/ops/dead-letters/orders/t1/discard'
    const { world, asked } = server({ [path]: { discarded: 1 } })
    expect(await runCli(['dead-letters', 'discard', 'orders', 't1', '--reason', 'by hand'], world)).toBe(0)
    expect(world.printed.out).toBe('1 discarded.\n')
    expect(asked).toEqual([`${path} {"reason":"by hand"}`])
  })

  test('of many', async () => {
    const path = 'POST /v1/ops/dead-letters/discard'
    const { world, asked } = server({ [path]: { discarded: 7, nextCursor: null } })
    const { code, out } = await typed('dead-letters discard orders --type x --reason closed --lang es', world)
    expect({ code, out }).toEqual({ code: 0, out: 'Descartados: 7.\n' })
    expect(asked).toEqual([`${path} {"service":"orders","type":"x","reason":"closed"}`])
  })

  test.each([
    ['dead-letters discard orders t1', 'The option --reason <text> is required.'],
    ['dead-letters discard orders --all', 'The option --reason <text> is required.'],
    ['dead-letters discard orders --reason why', 'Say which: one id, or --type or --cause, or --all.'],
    ['dead-letters discard orders t1 --all --reason why', 'Say which: one id, or --type or --cause, or --all.'],
    ['dead-letters redrive orders t1 --type x', 'Say which: one id, or --type or --cause, or --all.'],
  ])('“%s” is a mistake of usage, and nothing is asked', async (line, why) => {
    const { world, asked } = server({})
    const { code, err } = await typed(line, world)
    expect(code).toBe(2)
    expect(err).toContain(why)
    expect(asked).toEqual([])
  })
})

test.each(['list', 'show', 'redrive', 'discard'])(
  '“dead-letters %s --help” has examples, in both languages',
  async (name) => {
    const english = await typed(`dead-letters ${name} --help`)
    expect(english).toMatchObject({ code: 0, err: '' })
    expect(english.out).toContain(`Examples:\n  $ npx cauce dead-letters ${name}`)
    const spanish = await typed(`dead-letters ${name} --help --lang es`)
    expect(spanish.out).toContain('Ejemplos:')
    expect(spanish.out).not.toMatch(/Options|Arguments|Usage|choices|default/)
  },
)
