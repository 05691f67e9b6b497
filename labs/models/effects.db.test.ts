import { testGrades } from '../harness/testing.ts'
import { effects } from './effects.ts'

const decide = (body: string) => `export default async (order, state, context, outside) => {
  if (state.left < order.quantity) return { status: 'refused', left: state.left, notes: {}, effects: [] }
  const left = state.left - order.quantity
  const charge = { kind: 'charge', card: order.card, amount: order.quantity * state.price }
  const mail = { kind: 'mail', to: order.customer, text: 'Thank you' }
  ${body}
}`

testGrades(effects, {
  'effects as data, the mail first, an id made of the order’s': [
    'holds',
    decide(`return { status: 'placed', left, notes: { id: 'charge of ' + order.id }, effects: [mail, charge] }`),
  ],
  'a time of its own in the notes': [
    'fails',
    decide(`return { status: 'placed', left, notes: { at: Date.now() }, effects: [mail, charge] }`),
  ],
  'charging at once, under a key that is always the same: an order that is refused in the end was charged': [
    'fails',
    decide(`await outside.charge(order.id, order.card, charge.amount)
            return { status: 'placed', left, notes: {}, effects: [mail] }`),
  ],
  'counting in a variable of its own': [
    'fails',
    `let count = 0\n${decide(`return { status: 'placed', left, notes: { number: ++count }, effects: [mail, charge] }`)}`,
  ],
  'no mail': ['fails', decide(`return { status: 'placed', left, notes: {}, effects: [charge] }`)],
  'charged twice in one decision': [
    'fails',
    decide(`return { status: 'placed', left, notes: {}, effects: [charge, mail, charge] }`),
  ],
  'the shelf stays as it is': [
    'fails',
    decide(`return { status: 'placed', left: state.left, notes: {}, effects: [charge, mail] }`),
  ],
  'refusing everybody': [
    'fails',
    `export default (order, { left }) => ({ status: 'refused', left, notes: {}, effects: [] })`,
  ],
  'changing its input': ['fails', decide(`order.quantity = 0`)],
})
