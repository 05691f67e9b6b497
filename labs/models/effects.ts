/**
 * What a decision may look at, and what it must leave to others: the same inputs are decided again, and what has happened outside is
 * counted there.
 */
import type { Chart } from '../contract.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import type { Step } from './effects-found.ts'
import naive, { type Decide } from './effects.naive.ts'
import { playServices } from './effects-services.ts'
import { playShop } from './effects-shop.ts'

const pure: Decide = ({ customer, quantity, card }, { price, left }, { now }) => {
  if (left < quantity) return { status: 'refused', left, notes: { at: now }, effects: [] }
  return {
    status: 'placed',
    left: left - quantity,
    notes: { at: now },
    effects: [
      { kind: 'charge', card, amount: quantity * price },
      { kind: 'mail', to: customer, text: `Thank you for ${quantity} lamps` },
    ],
  }
}

/** How orders are decided: by a function, or by the product's own services. */
type Process = Decide | 'services'

export const effects = lab<Process>()({
  id: 'effects',
  phase: 0,
  title: { en: 'A decision, made twice', es: 'Una decisión, tomada dos veces' },
  concept: {
    en:
      'Every system is input → process → state → output. The process is deterministic when the same input and state give the ' +
      'same output. A clock, a random number, a call to a card processor inside it end that: asked again, it says something ' +
      'else, and the card is charged again. And it will be asked again, because a transaction can be lost before its COMMIT. ' +
      'The fix keeps the decision pure: what shall happen outside, money, mail, stock, is data in its output, and is done ' +
      'once the decision is saved.',
    es:
      'Todo sistema es entrada → proceso → estado → salida. El proceso es determinista si la misma entrada y el mismo estado ' +
      'dan la misma salida. Un reloj, un número al azar o una llamada al procesador de tarjetas dentro de él lo estropean: si ' +
      'se le pregunta otra vez dice otra cosa, y la tarjeta se cobra otra vez. Y se le va a preguntar, porque una transacción ' +
      'puede perderse antes de su COMMIT. El arreglo mantiene pura la decisión: lo que debe pasar fuera (dinero, correo, ' +
      'inventario) son datos de su salida, y se hace cuando la decisión está guardada.',
  },
  watch: {
    en: 'The trail: in which row does money move? Then “different”, and the charges that belong to no order.',
    es: 'El rastro: ¿en qué fila se mueve el dinero? Después «distintas», y los cobros que no son de ningún pedido.',
  },
  parameters: {
    orders: {
      about: { en: 'Orders', es: 'Pedidos' },
      default: 10,
      small: 3,
      min: 2,
      max: 50,
    },
  },
  variants: [
    {
      name: 'impure',
      expected: 'fails',
      about: {
        en: 'The decision reads the clock, draws an id, and charges and mails by itself.',
        es: 'La decisión lee el reloj, saca un id al azar, y cobra y manda el correo ella misma.',
      },
      code: naive,
    },
    {
      name: 'pure',
      expected: 'holds',
      about: {
        en: 'It sees only input, state and the time that came with the input. Effects are data, performed after COMMIT.',
        es: 'Solo ve la entrada, el estado y la hora que vino con la entrada. Los efectos son datos y se hacen tras el COMMIT.',
      },
      code: pure,
    },
    {
      name: 'services',
      expected: 'holds',
      about: {
        en: 'The orders, payments, inventory and shipping of Cauce: every decision of theirs is kept, and made again at the end.',
        es: 'Orders, payments, inventory y shipping de Cauce: cada una de sus decisiones se guarda y al final se toma otra vez.',
      },
      code: 'services',
    },
  ],
  measures: {
    orders: { title: { en: 'orders placed', es: 'pedidos hechos' } },
    decisions: { title: { en: 'decisions', es: 'decisiones' } },
    different: { title: { en: 'different the second time', es: 'distintas la segunda vez' } },
    charges: { title: { en: 'charges', es: 'cobros' } },
    mails: { title: { en: 'mails', es: 'correos' } },
    astray: { title: { en: 'for no order, or again', es: 'sin pedido, o repetidos' } },
  },
  production: [
    {
      file: 'kit/pipeline/decision.ts',
      about: {
        en: 'what a decision gets and gives: changes, messages and tasks as data',
        es: 'qué recibe y qué da una decisión: cambios, mensajes y tareas como datos',
      },
    },
    {
      file: 'kit/pipeline/pipeline.ts',
      about: {
        en: 'one transaction for all of it; a lost one is decided again',
        es: 'una transacción para todo; si se pierde, se decide otra vez',
      },
    },
    {
      file: 'kit/pipeline/given.ts',
      about: {
        en: 'every test of a decision makes it twice and compares the bytes',
        es: 'cada prueba de una decisión la toma dos veces y compara los bytes',
      },
    },
  ],
  scaffold: 'labs/models/effects.naive.ts',

  async run(stage, process) {
    const { trail, ...found } = await (process === 'services' ? playServices(stage) : playShop(stage, process))
    stage.chart(trailOf(stage, trail))
    return found
  },

  // An order that gets nothing is no fix either.
  fails: ({ orders, due, different, astray, missing, state }) =>
    orders !== due || different !== 0 || astray !== 0 || missing !== 0 || state !== 'right',
})

function trailOf({ variant }: Stage, trail: readonly Step[]): Chart {
  return {
    kind: 'table',
    title: {
      en: `The trail of an order, ${variant.name} (€ money, ✉ mail, ▣ stock, ⌂ parcel)`,
      es: `El rastro de un pedido, ${variant.name} (€ dinero, ✉ correo, ▣ inventario, ⌂ paquete)`,
    },
    columns: [
      { en: 'input', es: 'entrada' },
      { en: 'process', es: 'proceso' },
      { en: 'state', es: 'estado' },
      { en: 'output', es: 'salida' },
    ],
    rows: trail.map(({ input, process, state, output }) => [input, process, state, output]),
  }
}
