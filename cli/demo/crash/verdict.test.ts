import { expect, test } from 'vitest'
import type { Plan } from '../plan.ts'
import type { OutsideSeen } from './outside.ts'
import type { SeenOrder, SideSeen } from './side.ts'
import { findings, isSound, judge, type Evidence, type Finding } from './verdict.ts'

const order = (payment: Plan['orders'][number]['payment']) => ({
  customer: 0,
  lines: [{ sku: 'LAMP', quantity: 2 }],
  payment,
  postalCode: '28013',
})
const plan: Plan = {
  products: [{ sku: 'LAMP', name: 'Lamp', amount: 100, available: 10 }],
  deposits: [1_000],
  orders: [order({ method: 'wallet' }), order({ method: 'card', token: 'tok_ok' }), order({ method: 'wallet' })],
}
const seen = (index: number, state: SeenOrder['state']): SeenOrder => ({
  id: `ord_${index}`,
  index,
  state,
  paymentId: `pay_${index}`,
  label: `ord_${index}`,
})
const [wallet, card, cancelled] = [seen(0, 'completed'), seen(1, 'completed'), seen(2, 'cancelled')]

/** Two completed, from the wallet and by card, and one cancelled: nothing is wrong. */
const shop: SideSeen = {
  accepted: new Map([0, 1, 2].map((index) => [index, `ord_${index}`])),
  refused: new Map(),
  orders: [wallet, card, cancelled],
  balances: [800],
  stock: new Map([['LAMP', 6]]),
  audit: null,
}
const charge = { paymentId: 'pay_1', amount: 200, status: 'captured' } as const
const parcels = ['ord_0', 'ord_1'].map((orderId) => ({ orderId, status: 'accepted' as const }))
const mails = ['Your order ord_0', 'Your order ord_1']
const outside: OutsideSeen = {
  charges: [charge],
  doubleCharges: 0,
  parcels,
  mails,
  faults: { lostAnswers: 0, refusals: 0 },
}

const found = (changed: { shop?: Partial<SideSeen>; outside?: Partial<OutsideSeen> }) => {
  const evidence: Evidence = { plan, shop: { ...shop, ...changed.shop }, outside: { ...outside, ...changed.outside } }
  const result = judge(evidence)
  return Object.fromEntries(findings.filter((name) => result[name] > 0).map((name) => [name, result[name]]))
}

test('a shop in which nothing is wrong is sound', () => {
  expect(found({})).toEqual({})
  expect(isSound(judge({ plan, shop, outside }))).toBe(true)
})

const voided = { ...charge, paymentId: 'pay_2', status: 'voided' as const }

test.each<[string, Parameters<typeof found>[0], Partial<Record<Finding, number>>]>([
  ['the processor counts a double', { outside: { doubleCharges: 2 } }, { doubleCharges: 2 }],
  [
    'a cancelled order keeps its charge',
    { outside: { charges: [charge, { ...voided, status: 'authorized' }] } },
    { chargedForNothing: 1 },
  ],
  ['the charge was voided: nothing', { outside: { charges: [charge, voided] } }, {}],
  ['goods go without money', { outside: { charges: [] } }, { unpaid: 1 }],
  ['an accepted order is not there', { shop: { orders: [wallet, card] } }, { missing: 1 }],
  ['an order stands in the middle', { shop: { orders: [wallet, card, seen(2, 'open')] } }, { stuck: 1 }],
  [
    'one that stands in the middle may hold stock and money',
    { shop: { orders: [wallet, card, seen(2, 'open')], stock: new Map([['LAMP', 4]]), balances: [600] } },
    { stuck: 1 },
  ],
  [
    'one request became two orders',
    {
      shop: {
        orders: [wallet, card, cancelled, { ...wallet, id: 'again' }],
        stock: new Map([['LAMP', 4]]),
        balances: [600],
      },
    },
    { orderedTwice: 1 },
  ],
  [
    'there is an order that nobody was told of',
    { shop: { orders: [wallet, card, cancelled, { ...seen(9, 'open'), index: undefined }] } },
    { stuck: 1, orderedTwice: 1 },
  ],
  ['stock is off', { shop: { stock: new Map([['LAMP', 7]]) } }, { wrongStock: 1 }],
  ['a wallet is off', { shop: { balances: [900] } }, { wrongWallets: 1 }],
  ['a parcel goes twice', { outside: { parcels: [...parcels, ...parcels] } }, { parcelsTwice: 2 }],
  ['a mail is missing', { outside: { mails: mails.slice(1) } }, { mailsMissing: 1 }],
  ['a mail comes twice', { outside: { mails: [...mails, 'Your order ord_1'] } }, { mailsTwice: 1 }],
])('%s', (_what, changed, expected) => {
  expect(found(changed)).toEqual(expected)
})

test('pieces beyond those there were are counted', () => {
  const little = { ...plan, products: [{ ...plan.products[0]!, available: 3 }] }
  const evidence = { plan: little, shop: { ...shop, stock: new Map([['LAMP', 1]]) }, outside }
  expect(judge(evidence)).toMatchObject({ oversold: 1, wrongStock: 1 })
})
