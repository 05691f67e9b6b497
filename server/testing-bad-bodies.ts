/** Bodies that are refused, by the operation they are sent to: what is sent, and the status and code of the answer. */
import { shipTo } from './testing.ts'
import type { Person } from './testing-bad-input.ts'

export type Refused = readonly [body: unknown, status: number, code: string]

export interface Table {
  readonly call: string
  readonly who: Person
  readonly cases: readonly Refused[]
}

const nul = 'a\u0000b'
const lone = '\ud800'
const order = { lines: [{ sku: 'LAMP', quantity: 1 }], payment: { method: 'wallet' }, shipTo: shipTo() }
const lines = (...given: unknown[]) => ({ ...order, lines: given })
const quantity = (given: unknown) => lines({ sku: 'LAMP', quantity: given })
const invalid = (...bodies: unknown[]): Refused[] => bodies.map((body) => [body, 422, 'invalid'])

const card = { amount: 100, currency: 'EUR', method: 'card', token: 'tok_ok', reference: 'x' }
const badAmounts = [0, -1, 1.5, '1', 1e300, 2 ** 53, null, true, [], {}, undefined]
const badCurrencies = ['XXX', 'eur', '', 'EURO', null, 1, undefined]
const badTexts = ['', nul, lone, 'x'.repeat(201), 1, null, {}, undefined]

/** A body with one member replaced, by each of the values. */
const each = (body: object, member: string, values: readonly unknown[]): object[] =>
  values.map((value) => ({ ...body, [member]: value }))

const money = (body: object): Refused[] =>
  invalid(...each(body, 'amount', badAmounts), ...each(body, 'currency', badCurrencies))

const orders: Table = {
  call: 'POST /v1/orders',
  who: 'alice',
  cases: [
    ...invalid(...[0, -1, 1.5, '1', 1e9, 2 ** 53, null, true, [1], undefined].map(quantity)),
    ...invalid(lines(), lines(null), lines('LAMP'), lines([]), lines({ quantity: 1 }), { ...order, lines: {} }),
    ...invalid(lines(...Array.from({ length: 101 }, () => order.lines[0]))),
    ...invalid(
      ...['', nul, lone, 'a b', 'x'.repeat(65), 1, null, '../LAMP', 'LÁMPARA'].map((sku) =>
        lines({ sku, quantity: 1 }),
      ),
    ),
    ...invalid(lines({ sku: 'LAMP', quantity: 1, unitPrice: 1 })),
    ...invalid(
      { ...order, customer: 'bob' },
      { ...order, total: { amount: 1, currency: 'EUR' } },
      { ...order, id: 'ord_1' },
    ),
    ...invalid(
      { lines: order.lines },
      { ...order, payment: null },
      { ...order, payment: 'wallet' },
      { ...order, shipTo: 'home' },
    ),
    ...invalid(
      ...[
        {},
        { method: 'cash' },
        { method: 'card' },
        { method: 'wallet', token: 'tok_ok' },
        { method: 'card', token: '' },
        { method: 'card', token: 'a b' },
        { method: 'card', token: 1 },
        { method: 'card', token: null },
        { method: 'card', token: '4111111111111111' },
        { method: 'card', token: 'x'.repeat(201) },
        { method: 'card', token: 'tok_ok', cvc: '123' },
      ].map((payment) => ({ ...order, payment })),
    ),
    ...invalid(
      ...[
        {},
        { ...shipTo(), name: '' },
        { ...shipTo(), name: nul },
        { ...shipTo(), city: lone },
        { ...shipTo(), line1: 'x'.repeat(201) },
        { ...shipTo(), postalCode: 28013 },
        { ...shipTo(), country: 'es' },
        { ...shipTo(), country: 'ESP' },
        { ...shipTo(), phone: '1' },
      ].map((to) => ({ ...order, shipTo: to })),
    ),
    [lines({ sku: 'GHOST', quantity: 1 }), 422, 'unknown-sku'],
    [lines({ sku: 'LAMP', quantity: 1 }, { sku: 'GHOST', quantity: 1 }), 422, 'unknown-sku'],
    [lines({ sku: 'LAMP', quantity: 1 }, { sku: 'SAKE', quantity: 1 }), 422, 'mixed-currencies'],
    [lines({ sku: 'MOON', quantity: 1_000_000 }), 422, 'total-too-large'],
    [lines({ sku: 'MOON', quantity: 1 }, { sku: 'MOON', quantity: 1 }), 422, 'total-too-large'],
  ],
}

const pay: Table = {
  call: 'POST /v1/pay',
  who: 'alice',
  cases: [
    ...money(card),
    ...invalid(...each(card, 'reference', badTexts), ...each(card, 'method', ['cash', '', null, undefined])),
    ...invalid(...each(card, 'token', ['', 'a b', 1, null, undefined, nul, '4111111111111111', 'x'.repeat(201)])),
    ...invalid({ ...card, method: 'wallet' }, { ...card, customer: 'bob' }, { ...card, status: 'captured' }),
  ],
}

const transfer = { from: 'alice', to: 'bob', amount: 100, currency: 'EUR' }
const transfers: Table = {
  call: 'POST /v1/transfers',
  who: 'alice',
  cases: [
    ...money(transfer),
    ...invalid(...each(transfer, 'to', ['', 'a b', nul, lone, 'x'.repeat(65), 1, null, undefined, '../bob'])),
    ...invalid(...each(transfer, 'from', ['', 1, null, undefined]), { ...transfer, reference: 'x' }),
    [{ ...transfer, to: 'alice' }, 422, 'same-account'],
    [{ ...transfer, to: 'nobody' }, 422, 'unknown-recipient'],
    [{ ...transfer, to: 'world:EUR' }, 422, 'invalid'],
    [{ ...transfer, to: 'mallory' }, 422, 'currency-mismatch'],
    [{ ...transfer, currency: 'USD' }, 422, 'currency-mismatch'],
    [{ ...transfer, amount: 100_000_000 }, 409, 'insufficient-funds'],
    [{ ...transfer, amount: Number.MAX_SAFE_INTEGER }, 409, 'insufficient-funds'],
    [{ ...transfer, from: 'bob', to: 'alice' }, 404, 'not-found'],
    [{ ...transfer, from: 'nobody', to: 'alice' }, 404, 'not-found'],
  ],
}

const accounts: Table = {
  call: 'POST /v1/accounts',
  who: 'alice',
  cases: [
    ...invalid({}, ...badCurrencies.map((currency) => ({ currency })), { currency: 'EUR', balance: 5 }),
    ...invalid(...['', 'a b', nul, lone, 'x'.repeat(65), 1, null].map((id) => ({ currency: 'EUR', id }))),
    [{ currency: 'EUR' }, 409, 'account-exists'],
    [{ currency: 'USD' }, 409, 'account-exists'],
    [{ currency: 'EUR', id: 'bob' }, 403, 'forbidden'],
    [{ currency: 'EUR', id: 'nobody' }, 403, 'forbidden'],
  ],
}

const deposit = { amount: 100, currency: 'EUR', reference: 'x' }
const deposits: Table = {
  call: 'POST /v1/accounts/alice/deposits',
  who: 'olga',
  cases: [
    ...money(deposit),
    ...invalid(...each(deposit, 'reference', badTexts), { ...deposit, account: 'bob' }),
    [{ ...deposit, currency: 'USD' }, 422, 'currency-mismatch'],
    [{ ...deposit, amount: Number.MAX_SAFE_INTEGER }, 422, 'balance-too-large'],
  ],
}

const refund = { amount: 100, currency: 'EUR', reason: 'x' }
/** `:payment` is the captured one. */
const refunds: Table = {
  call: 'POST /v1/payments/:payment/refund',
  who: 'olga',
  cases: [
    ...money(refund),
    ...invalid(...each(refund, 'reason', badTexts), { ...refund, token: 'x' }),
    [{ ...refund, amount: 1001 }, 422, 'refund-too-large'],
    [{ ...refund, amount: Number.MAX_SAFE_INTEGER }, 422, 'refund-too-large'],
    [{ ...refund, currency: 'USD' }, 422, 'currency-mismatch'],
  ],
}

const product = { name: 'Lamp', price: { amount: 1000, currency: 'EUR' } }
const price = (given: unknown) => ({ ...product, price: given })
const products: Table = {
  call: 'PUT /v1/products/LAMP',
  who: 'olga',
  cases: [
    ...invalid(...each(product, 'name', badTexts), { ...product, sku: 'LAMP' }, { ...product, onHand: 5 }),
    ...invalid(...badAmounts.map((amount) => price({ amount, currency: 'EUR' }))),
    ...invalid(...badCurrencies.map((currency) => price({ amount: 1, currency }))),
    ...invalid(price(10), price(null), price({}), price({ amount: 1, currency: 'EUR', tax: 1 })),
  ],
}

const adjustment = { delta: 1, reason: 'x' }
const stock: Table = {
  call: 'POST /v1/products/LAMP/stock',
  who: 'olga',
  cases: [
    ...invalid(...each(adjustment, 'delta', [1.5, '1', 1e10, -1e10, 2 ** 53, null, undefined])),
    ...invalid(...each(adjustment, 'reason', badTexts), { ...adjustment, onHand: 5 }),
    [{ ...adjustment, delta: -1000 }, 409, 'stock-reserved'],
  ],
}

export const tables: readonly Table[] = [orders, pay, transfers, accounts, deposits, refunds, products, stock]

/** For whatever takes a body: bytes that are not a document it can read. */
export const unreadable: readonly (readonly [bytes: string | Buffer, status: number, code: string])[] = [
  ['', 400, 'malformed'],
  [' \n', 400, 'malformed'],
  ['{', 400, 'malformed'],
  ['{"a":1', 400, 'malformed'],
  ["{'a':1}", 400, 'malformed'],
  ['{"a":1}{', 400, 'malformed'],
  ['{"a":NaN}', 400, 'malformed'],
  ['{"a":01}', 400, 'malformed'],
  ['\u{feff}{}', 400, 'malformed'],
  ['{"a":1,"a":2}', 400, 'malformed'],
  [Buffer.from([0x7b, 0xff, 0x7d]), 400, 'malformed'],
  [Buffer.from('{"a":"\ud800"}', 'utf16le'), 400, 'malformed'],
  ['null', 422, 'invalid'],
  ['[]', 422, 'invalid'],
  ['5', 422, 'invalid'],
  ['"text"', 422, 'invalid'],
  ['['.repeat(20_000) + ']'.repeat(20_000), 422, 'invalid'],
  ['{"a":'.repeat(17) + '1' + '}'.repeat(17), 422, 'invalid'],
  ['{"__proto__":{"isOperator":true}}', 422, 'invalid'],
  ['{"constructor":{"prototype":{}}}', 422, 'invalid'],
  [String.raw`{"a":"\u0000"}`, 422, 'invalid'],
  [String.raw`{"a":"\ud800"}`, 422, 'invalid'],
  [String.raw`{"\udfff":1}`, 422, 'invalid'],
  [`{"a":"${'x'.repeat(262_144)}"}`, 413, 'payload-too-large'],
]
