import { expect, test } from 'vitest'
import { createAuthenticator } from '@cauce/kit/http/auth'
import { loadDevKey } from '@cauce/kit/http/dev-key'
import { join } from 'node:path'
import { json, problem, testWorld, typed } from './testing.ts'

const audit = {
  ok: true,
  orders: { total: 2, terminal: 2, stuck: 0, contradictory: 0 },
  money: { balanced: true, negativeAccounts: 0, duplicateCharges: 0 },
  stock: { balanced: true, negative: 0 },
  log: { gaps: 0, unapplied: 0, parked: 0 },
  tasks: { dead: 0 },
}

test.each([
  ['adit', 'There is no command adit. Did you mean audit?', 'No existe la orden adit. ¿Querías decir audit?'],
  [
    'audit --jsno',
    'There is no option --jsno. Did you mean --json?',
    'No existe la opción --jsno. ¿Querías decir --json?',
  ],
  ['order show', 'The argument id is missing.', 'Falta el argumento id.'],
  [
    'order show a b',
    'There are too many arguments: 1 expected, 2 given.',
    'Hay demasiados argumentos: se esperaban 1 y hay 2.',
  ],
  ['order list --limit', 'The option --limit <n> needs a value.', 'La opción --limit <n> necesita un valor.'],
  ['token', 'The option --subject <id> is required.', 'La opción --subject <id> es obligatoria.'],
  [
    'token --role king --subject x',
    '--role <role> cannot be “king”. Choose from: customer, operator.',
    '--role <role> no puede ser «king». Elige entre: customer, operator.',
  ],
  [
    'demo --orders 0',
    '--orders <n> cannot be “0”. It must be a whole number from 1 to 1000000.',
    '--orders <n> no puede ser «0». Tiene que ser un número entero de 1 a 1000000.',
  ],
  [
    'account show a/b',
    'customer cannot be “a/b”. It must be 1 to 64 of A-Z a-z 0-9 . _ @ -',
    'customer no puede ser «a/b». Tienen que ser de 1 a 64 de A-Z a-z 0-9 . _ @ -',
  ],
])('“%s” is a mistake of usage, in both languages', async (line, en, es) => {
  const english = await typed(line)
  expect(english).toMatchObject({ code: 2, out: '' })
  expect(english.err.split('\n')[0]).toBe(en)
  const spanish = await typed(`--lang es ${line}`)
  expect(spanish.code).toBe(2)
  expect(spanish.err.split('\n')[0]).toBe(es)
})

test('a mistake points at the help of the command that was meant', async () => {
  expect((await typed('order place')).err).toContain('npx cauce order place --help')
  expect((await typed('ordr place')).err).toContain('More: npx cauce --help')
})

test.each(['', 'order', '--json'])('“%s” is no command: its help is printed to stderr', async (line) => {
  const { code, out, err } = await typed(line)
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain('Commands:')
})

const commands = [
  'up',
  'demo',
  'lab',
  'order place',
  'order show',
  'order list',
  'order cancel',
  'order watch',
  'order timeline',
  'views list',
  'views rebuild',
  'product put',
  'product stock',
]
const more = [
  'product list',
  'account open',
  'account show',
  'account deposit',
  'account transfer',
  'payment pay',
  'payment show',
  'payment refund',
  'audit',
  'groups',
  'token',
  'doctor',
]

test.each([...commands, ...more])('“%s --help” has examples, in both languages', async (line) => {
  const english = await typed(`${line} --help`)
  expect(english).toMatchObject({ code: 0, err: '' })
  expect(english.out).toContain(`Examples:\n  $ npx cauce ${line}`)
  const spanish = await typed(`${line} --help --lang es`)
  expect(spanish.out).toContain('Ejemplos:')
  expect(spanish.out).not.toMatch(/Options|Arguments|Usage|choices|default:/)
})

test('a server that is not there is exit 3, told on stderr', async () => {
  const { code, out, err } = await typed('audit --lang es')
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err).toContain('No hay respuesta de http://127.0.0.1:8080 (ECONNREFUSED)')
})

test('a problem document is shown with its title, detail, code and request', async () => {
  const refusing = () => problem(422, 'unknown-sku')
  const { code, out, err } = await typed('order place --customer alice --sku X', testWorld(refusing))
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toContain('Title of unknown-sku\nDetail of unknown-sku\ncode unknown-sku, request req-1\n')
  expect(err).toContain('npx cauce product list')
})

test('with --json an error is a document too, on stderr', async () => {
  const { code, out, err } = await typed(
    'order show ord_1 --json',
    testWorld(() => problem(404, 'not-found')),
  )
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(JSON.parse(err)).toMatchObject({ error: { code: 'not-found', status: 404, requestId: 'req-1' } })
})

test('the audit is the exit code: 0 when the books are right, 1 when they are not', async () => {
  expect(
    await typed(
      'audit',
      testWorld(() => json(200, audit)),
    ),
  ).toMatchObject({ code: 0 })
  const wrong = await typed(
    'audit',
    testWorld(() => json(200, { ...audit, ok: false, money: { ...audit.money, balanced: false } })),
  )
  expect(wrong.code).toBe(1)
  expect(wrong.out).toMatch(/debits equal credits +no +WRONG/)
  const { out, code } = await typed(
    'audit --json',
    testWorld(() => json(200, { ...audit, ok: false })),
  )
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ ok: false })
})

test('token prints a bare token that the server accepts', async () => {
  const world = testWorld()
  const { code, out, err } = await typed('token --role operator --subject alice --expires-in 2h', world)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const key = await loadDevKey(join(world.directory, '.cauce'))
  const authenticator = createAuthenticator({ keys: [key.publicJwk] })
  expect(await authenticator.authenticate(`Bearer ${out.trim()}`)).toMatchObject({ subject: 'alice', isOperator: true })
})

test('colours are for terminals, and not with NO_COLOR', async () => {
  const handler = () => json(200, audit)
  const printed: string[] = []
  const terminal = { isTTY: true, write: (text: string) => printed.push(text) }
  await typed('audit', testWorld(handler, { stdout: terminal }))
  await typed('audit', testWorld(handler, { stdout: terminal, env: { NO_COLOR: '1' } }))
  expect(printed[0]).toContain('\u001B[')
  expect(printed[1]).not.toContain('\u001B[')
  expect((await typed('audit', testWorld(handler))).out).not.toContain('\u001B[')
})

test('an order by hand is placed for the customer with the given key, and waited for', async () => {
  const order = {
    id: 'ord_1',
    customer: 'alice',
    status: 'placed',
    lines: [{ sku: 'LAMP', quantity: 2, unitPrice: { amount: 1999, currency: 'EUR' } }],
    total: { amount: 3998, currency: 'EUR' },
    payment: { id: 'pay_1', method: 'wallet', status: 'pending' },
    shipment: null,
    failure: null,
    version: 1,
    placedAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  }
  const asked: string[] = []
  const world = testWorld((url, { method = 'GET', body, headers }) => {
    asked.push(`${method} ${url.pathname}`)
    if (method === 'GET') return json(200, { ...order, status: asked.length < 4 ? 'shipping' : 'completed' })
    expect(JSON.parse(body as string)).toMatchObject({
      lines: [{ sku: 'LAMP', quantity: 2 }],
      shipTo: { postalCode: '00000' },
    })
    expect(headers).toMatchObject({ 'idempotency-key': 'mine' })
    return json(202, order)
  })
  const { code, out } = await typed(
    'order place --customer alice --sku LAMP --quantity 2 --postal-code 00000 --key mine --wait',
    world,
  )
  expect(code).toBe(0)
  expect(asked).toEqual(['POST /v1/orders', ...Array.from({ length: 3 }, () => 'GET /v1/orders/ord_1')])
  expect(out).toMatch(/Status +completed/)
  expect(out).toMatch(/Total +€39\.98/)
})
