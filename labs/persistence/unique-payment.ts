/**
 * 50 writers with the same payment: a look before the write does not keep the second one out, UNIQUE does.
 *
 * A gate in the database (gate.ts) stops every INSERT until as many as can come stand before it: code that looks first has looked
 * by then. Afterwards everything is asked for once more, one after the other, and then the table is filled to see what the index
 * is good for and what it costs: plans, pages and bytes, which are the same on every machine, not milliseconds.
 */
import { hash } from 'node:crypto'
import type { Random } from '@cauce/kit/core/prng'
import { gateBefore } from '../harness/gate.ts'
import { lab } from '../harness/lab.ts'
import { statementsOn } from '../harness/statements.ts'
import { costOfIndex } from './unique-payment.index.ts'
import naive, { type Open, type Payment } from './unique-payment.naive.ts'

/** How long nobody may come to the gate before it opens. */
const PATIENCE_MS = 60

/** Payments that nobody else asks for at the same time. */
const OTHERS = 5

const table = 'payment_id text NOT NULL UNIQUE, customer text NOT NULL, amount integer NOT NULL'

const unique: Open = async (sql) => {
  await sql(`CREATE TABLE payments (${table})`)
  return async ({ paymentId, customer, amount }, database) => {
    try {
      await database.sql('INSERT INTO payments VALUES ($1, $2, $3)', [paymentId, customer, amount])
      return 'recorded'
    } catch (error) {
      if ((error as { code?: string }).code === '23505') return 'duplicate'
      throw error
    }
  }
}

const onConflict: Open = async (sql) => {
  await sql(`CREATE TABLE payments (${table})`)
  return async ({ paymentId, customer, amount }, database) => {
    const inserted = await database.sql(
      'INSERT INTO payments VALUES ($1, $2, $3) ON CONFLICT (payment_id) DO NOTHING RETURNING 1',
      [paymentId, customer, amount],
    )
    return inserted.length > 0 ? 'recorded' : 'duplicate'
  }
}

export const uniquePayment = lab<Open>()({
  id: 'unique-payment',
  phase: 2,
  title: { en: 'UNIQUE(payment_id) and 50 writers', es: 'UNIQUE(payment_id) y 50 escritores' },
  concept: {
    en:
      'A payment is sent twice: a double click, a retry, two workers with the same message. “Is it there already? No: write it” ' +
      'looks like protection, but 50 writers can look before one of them has written. A unique constraint is the same question ' +
      'asked by the database at the moment of writing, with everybody else kept waiting: of 50 one gets in. What makes it fast ' +
      'is an index, which also finds a payment among a million by reading a handful of pages, and costs space and work at each write.',
    es:
      'Un pago se envía dos veces: un doble clic, un reintento, dos workers con el mismo mensaje. «¿Está ya? No: lo escribo» ' +
      'parece una protección, pero 50 escritores pueden mirar antes de que uno haya escrito. Una restricción de unicidad es la ' +
      'misma pregunta hecha por la base en el momento de escribir, con los demás esperando: de 50 entra uno. Lo que la hace ' +
      'rápida es un índice, que además encuentra un pago entre un millón leyendo un puñado de páginas, y que cuesta espacio y ' +
      'trabajo en cada escritura.',
  },
  watch: {
    en: '“Doubled” are rows too many. The notes show EXPLAIN with and without the index; “pages” is what one look-up reads.',
    es: '«Duplicadas» son filas de más. Las notas muestran EXPLAIN con y sin índice; «páginas» es lo que lee una búsqueda.',
  },
  parameters: {
    writers: {
      about: { en: 'Writers with the same payment', es: 'Escritores con el mismo pago' },
      default: 50,
      small: 10,
      min: 2,
      max: 500,
    },
    rows: {
      about: { en: 'Payments in the table when it is searched', es: 'Pagos en la tabla cuando se busca en ella' },
      default: 100_000,
      small: 10_000,
      min: 1_000,
      max: 300_000,
    },
  },
  variants: [
    {
      name: 'check-then-insert',
      expected: 'fails',
      about: {
        en: 'SELECT whether it is there; if not, INSERT.',
        es: 'SELECT para ver si está; si no, INSERT.',
      },
      code: naive,
    },
    {
      name: 'unique',
      expected: 'holds',
      about: {
        en: 'UNIQUE(payment_id): just INSERT. Whoever is late gets error 23505, which means “there already”.',
        es: 'UNIQUE(payment_id): INSERT sin mirar. El que llega tarde recibe el error 23505, que significa «ya está».',
      },
      code: unique,
    },
    {
      name: 'on-conflict',
      expected: 'holds',
      about: {
        en: 'The same constraint with INSERT … ON CONFLICT DO NOTHING: no row, no error.',
        es: 'La misma restricción con INSERT … ON CONFLICT DO NOTHING: ni fila ni error.',
      },
      code: onConflict,
    },
  ],
  measures: {
    doubled: { title: { en: 'doubled', es: 'duplicadas' } },
    wrong: { title: { en: 'wrong answers', es: 'respuestas falsas' } },
    pages: { title: { en: 'pages per look-up', es: 'páginas por búsqueda' } },
    indexKb: { title: { en: 'index (kB)', es: 'índice (kB)' } },
    walPerRow: { title: { en: 'WAL per row (bytes)', es: 'WAL por fila (bytes)' } },
  },
  production: [
    {
      file: 'kit/database/migrations/0001_kit.sql',
      about: {
        en: 'idempotency_keys: the key is the primary key, and racers meet there',
        es: 'idempotency_keys: la clave es la clave primaria, y ahí se encuentran los que compiten',
      },
    },
    {
      file: 'services/payments/tables.ts',
      about: {
        en: 'a posting’s key is <what moves>.<kind>: a second capture of a payment cannot be inserted',
        es: 'la clave de un asiento es <qué se mueve>.<tipo>: una segunda captura de un pago no se puede insertar',
      },
    },
  ],
  scaffold: 'labs/persistence/unique-payment.naive.ts',

  async run(stage, open) {
    const { writers, rows } = stage.parameters
    const database = await stage.database()
    const connections = Math.min(writers, database.pool.options.max)
    await Promise.all(Array.from({ length: connections }, () => database.query('SELECT 1')))
    const record = await open(database.query)
    const tools = statementsOn(database.pool, (_, take) => take())
    const gate = await gateBefore('payments', database, stage.timers)
    const [raced, ...others] = payments(1 + OTHERS, stage.random('payments')) as [Payment, ...Payment[]]
    const answers = new Map<string, string[]>()
    let answered = 0
    const ask = async (payment: Payment) => {
      const answer = await record(payment, tools).catch((error: Error) => `threw: ${error.message}`)
      answers.set(payment.paymentId, [...(answers.get(payment.paymentId) ?? []), answer])
      stage.progress(++answered, writers + 1 + 2 * OTHERS)
    }
    await gate.shut()
    const race = Promise.all(Array.from({ length: writers }, () => ask(raced)))
    const waited = await gate.openFor(connections, PATIENCE_MS)
    await race
    await gate.remove()
    for (const payment of [...others, ...others, raced]) await ask(payment)

    const found = await database.query<{ payment_id: string; count: number }>(
      'SELECT payment_id, count(*)::int AS count FROM payments GROUP BY payment_id',
    )
    const counts = new Map(found.map(({ payment_id, count }) => [payment_id, count]))
    const asked = [raced, ...others].map(({ paymentId }) => counts.get(paymentId) ?? 0)
    const doubled = asked.reduce((sum, count) => sum + Math.max(0, count - 1), 0)
    const missing = asked.filter((count) => count === 0).length
    const wrong = [...answers.values()].reduce((sum, given) => sum + wrongAmong(given), 0)
    stage.note(raceNote(waited, asked[0]!))
    const thrown = [...answers.values()].flat().find((answer) => answer.startsWith('threw: '))
    if (thrown !== undefined) stage.note({ en: `Some were told: ${thrown}`, es: `A algunos se les dijo: ${thrown}` })
    return { doubled, missing, wrong, ...(await costOfIndex(stage, database, rows)) }
  },

  fails: ({ doubled, missing, wrong }) => doubled !== 0 || missing !== 0 || wrong !== 0,
})

const raceNote = (waited: number, rows: number) => ({
  en: `${waited} writers stood before the INSERT of the same payment when the gate opened; the table has ${rows} row${rows === 1 ? '' : 's'} of it`,
  es: `${waited} escritores estaban ante el INSERT del mismo pago cuando se abrió la puerta; la tabla tiene ${rows} ${rows === 1 ? 'fila' : 'filas'} de él`,
})

/** Of the answers about one payment one must be 'recorded', all others 'duplicate'. */
function wrongAmong(answers: readonly string[]): number {
  const recorded = answers.filter((answer) => answer === 'recorded').length
  const strange = answers.filter((answer) => answer !== 'recorded' && answer !== 'duplicate').length
  return Math.abs(recorded - 1) + strange
}

function payments(count: number, random: Random): Payment[] {
  return Array.from({ length: count }, (_, n) => ({
    paymentId: `pay_${hash('md5', `${random.next()}`)}`,
    customer: `customer-${n}`,
    amount: 1_000 + n,
  }))
}
