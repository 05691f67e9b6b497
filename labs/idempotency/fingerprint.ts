/**
 * Is this the same payment again, or another one that looks the same? Retries and real twins are sent, and requests under a key
 * that was used for something else; whoever guesses by the looks gets one of them wrong.
 *
 * Nothing races here, and time is a number in the request: what is judged is the decision itself. (The labs `pay-twice` and
 * `duplicate-messages` have the races and the crashes.)
 */
import { hash } from 'node:crypto'
import { canonicalJson } from '@cauce/kit/core/codec'
import { hours, minutes, seconds } from '@cauce/kit/core/clock'
import type { Chart } from '../contract.ts'
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import naive, { type Answer, type Open, type Pay, type Payment, type Shop } from './fingerprint.naive.ts'

/** What the variants of this repository get besides. */
interface InsideShop extends Shop {
  readonly stage: Stage
  readonly database: LabDatabase
}

const keyOnly: Open = async ({ sql }) => {
  await sql(
    'CREATE TABLE payments (id text PRIMARY KEY, customer text, key text, amount integer, UNIQUE (customer, key))',
  )
  return async ({ customer, key, body }) => {
    const id = `pay_${hash('sha256', canonicalJson([customer, key]))}`
    await sql('INSERT INTO payments VALUES ($1, $2, $3, $4) ON CONFLICT (customer, key) DO NOTHING', [
      id,
      customer,
      key,
      body.amount,
    ])
    return { status: 201, id }
  }
}

const keyAndFingerprint: Open = async ({ sql }) => {
  await sql('CREATE TABLE payments (id text PRIMARY KEY, customer text, amount integer)')
  await sql('CREATE TABLE keys (customer text, key text, fingerprint text, id text, PRIMARY KEY (customer, key))')
  return async ({ customer, key, body }) => {
    const fingerprint = hash('sha256', canonicalJson(body))
    const id = `pay_${hash('sha256', canonicalJson([customer, key]))}`
    await sql('BEGIN')
    const first = await sql('INSERT INTO keys VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id', [
      customer,
      key,
      fingerprint,
      id,
    ])
    if (first.length > 0) await sql('INSERT INTO payments VALUES ($1, $2, $3)', [id, customer, body.amount])
    await sql('COMMIT')
    const [stored] = await sql<{ fingerprint: string; id: string }>(
      'SELECT fingerprint, id FROM keys WHERE customer = $1 AND key = $2',
      [customer, key],
    )
    return stored!.fingerprint === fingerprint ? { status: 201, id: stored!.id } : { status: 422 }
  }
}

/** POST /v1/pay of the product. Its key is kept for seven days, by its own clock: `at` is not told. */
async function product({ stage, database }: InsideShop): Promise<Pay> {
  const { startPayments } = await import('./payments.ts')
  const { port, authorization } = await startPayments(stage, { url: database.url, directory: stage.directory() })
  await database.query('CREATE VIEW payments AS SELECT id, customer, amount FROM payments.payments')
  const post = async (path: string, authorization: string, key: string, body: object) => {
    const headers = { authorization, 'idempotency-key': key, 'content-type': 'application/json' }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as { id?: string } }
  }
  const operator = await authorization('teller', 'operator')
  const known = new Map<string, string>()
  const enter = async (customer: string): Promise<string> => {
    const token = known.get(customer) ?? (await authorization(customer))
    if (known.has(customer)) return token
    known.set(customer, token)
    await post('/v1/accounts', token, 'open', { currency: 'EUR' })
    const deposit = { amount: 1_000_000, currency: 'EUR', reference: 'opening' }
    await post(`/v1/accounts/${customer}/deposits`, operator, customer, deposit)
    return token
  }
  return async ({ customer, key, body }) => {
    const answer = await post('/v1/pay', await enter(customer), key, { ...body, method: 'wallet' })
    return answer.status < 300 ? { status: answer.status, id: answer.body.id! } : { status: answer.status }
  }
}

export const fingerprint = lab<(shop: InsideShop) => Promise<Pay>>()({
  id: 'fingerprint',
  phase: 4,
  title: { en: 'A key, a fingerprint, or both', es: 'Una clave, una huella, o las dos' },
  concept: {
    en:
      'A retry has to be told from a new wish. A fingerprint, a hash of what was asked, needs nothing from the client: the same ' +
      'request within five minutes must be a retry. But two coffees are two equal requests, and a retry may come after an hour. ' +
      'Only the client knows what it means, so it says so: a key for each intent, the same for its retries. The fingerprint then ' +
      'has another task: it notices that a key is used for something else, by mistake, instead of answering what was never done.',
    es:
      'Hay que distinguir un reintento de un deseo nuevo. Una huella (fingerprint), un hash de lo pedido, no necesita nada del ' +
      'cliente: la misma petición en cinco minutos será un reintento. Pero dos cafés son dos peticiones iguales, y un reintento ' +
      'puede llegar una hora después. Solo el cliente sabe lo que quiere, así que lo dice: una clave por intención, la misma en ' +
      'sus reintentos. La huella tiene entonces otra tarea: notar que una clave se usa por error para otra cosa, en vez de ' +
      'responder algo que nunca se hizo.',
  },
  watch: {
    en: 'Three ways to be wrong: a retry paid again, a real payment merged with another, a changed one answered as if it were done.',
    es: 'Tres maneras de fallar: un reintento que se cobra, un pago real fundido con otro, y uno cambiado que se responde como hecho.',
  },
  parameters: {
    retries: {
      about: { en: 'Retries of each kind', es: 'Reintentos de cada tipo' },
      default: 3,
      small: 2,
      min: 1,
      max: 20,
    },
  },
  variants: [
    {
      name: 'fingerprint',
      expected: 'fails',
      about: {
        en: 'A hash of customer and request, remembered for five minutes. No key needed.',
        es: 'Un hash del cliente y la petición, recordado cinco minutos. No hace falta clave.',
      },
      code: naive,
    },
    {
      name: 'key-only',
      expected: 'fails',
      about: {
        en: 'One payment per customer and key, and nobody looks at what is asked under it.',
        es: 'Un pago por cliente y clave, y nadie mira qué se pide con ella.',
      },
      code: keyOnly,
    },
    {
      name: 'key-and-fingerprint',
      expected: 'holds',
      about: {
        en: 'The key says which intent it is; the fingerprint, stored with it, that it is still the same one. Else 422.',
        es: 'La clave dice qué intención es; la huella, guardada con ella, que sigue siendo la misma. Si no, 422.',
      },
      code: keyAndFingerprint,
    },
    {
      name: 'cauce',
      expected: 'holds',
      about: {
        en: 'POST /v1/pay of the product: scope (who, route, key) and fingerprint, both hashes.',
        es: 'POST /v1/pay del producto: ámbito (quién, ruta, clave) y huella, ambos hashes.',
      },
      code: product,
    },
  ],
  measures: {
    doubled: { title: { en: 'paid too often', es: 'cobros de más' } },
    merged: { title: { en: 'payments merged', es: 'pagos fundidos' } },
    swallowed: { title: { en: 'changes swallowed', es: 'cambios tragados' } },
    refused: { title: { en: 'refused wrongly', es: 'rechazados sin razón' } },
  },
  production: [
    {
      file: 'kit/http/keys.ts',
      about: {
        en: 'scope and fingerprint: of the value, not of the bytes',
        es: 'ámbito y huella: del valor, no de los bytes',
      },
    },
    {
      file: 'kit/idempotency/port.ts',
      about: {
        en: 'verdict: fresh, replayed or reused, before any other rule',
        es: 'verdict: fresh, replayed o reused, antes que cualquier otra regla',
      },
    },
  ],
  scaffold: 'labs/idempotency/fingerprint.naive.ts',

  async run(stage, open) {
    const database = await stage.database()
    const client = await database.connect()
    const sql: Shop['sql'] = async (text, values = []) => (await client.query(text, [...values])).rows as never[]
    const pay = await open({ sql, stage, database })
    const found = { doubled: 0, merged: 0, swallowed: 0, refused: 0, untrue: 0 }
    const cases = casesOf(stage.parameters.retries)
    const rows: Case[] = []
    for (const each of cases) {
      const answers: Answer[] = []
      for (const payment of each.payments) answers.push(await pay(payment))
      const customers = [...new Set(each.payments.map(({ customer }) => customer))]
      const paid = await database.query('SELECT id FROM payments WHERE customer = ANY($1)', [customers])
      const row: Case = { ...each, paid: paid.length }
      rows.push(row)
      const judged = judge(answers, row)
      for (const name of Object.keys(found) as (keyof typeof found)[]) found[name] += judged[name]
      stage.progress(rows.length, cases.length)
    }
    stage.chart(chartOf(rows))
    return found
  },

  fails: ({ doubled, merged, swallowed, refused, untrue }) =>
    [doubled, merged, swallowed, refused, untrue].some((count) => count !== 0),
})

interface PlannedCase {
  /** Keys, amounts and time, as they are sent. */
  readonly name: string
  readonly payments: readonly Payment[]
  /** How many payments that should be. */
  readonly due: number
  /** The last one asks for something else under a used key. */
  readonly changes?: true
}

interface Case extends PlannedCase {
  readonly paid: number
}

const body = { amount: 250, currency: 'EUR', reference: 'a coffee' }

function casesOf(retries: number): PlannedCase[] {
  const again = (customer: string, pauseMs: number, order: object = {}): Payment[] =>
    Array.from({ length: retries + 1 }, (_, n) => ({
      customer,
      key: 'K1',
      body: n === 0 ? body : { ...order, ...body },
      at: n * pauseMs,
    }))
  const reordered = { reference: '', currency: '', amount: 0 }
  const twins = ['K1', 'K2'].map((key, n) => ({ customer: 'dan', key, body, at: n * minutes(1) }))
  const strangers = ['eva', 'finn'].map((customer) => ({ customer, key: 'K1', body, at: 0 }))
  const changed = [250, 990].map((amount, n) => ({
    customer: 'gil',
    key: 'K1',
    body: { ...body, amount },
    at: n * seconds(10),
  }))
  return [
    { name: 'K1 250, again: K1 250 (10 s)', payments: again('ana', seconds(10)), due: 1 },
    { name: 'K1 {a, b}, again: K1 {b, a}', payments: again('ben', seconds(10), reordered), due: 1 },
    { name: 'K1 250, again: K1 250 (2 h)', payments: again('cleo', hours(2)), due: 1 },
    { name: 'K1 250, K2 250', payments: twins, due: 2 },
    { name: 'eva: K1 250, finn: K1 250', payments: strangers, due: 2 },
    { name: 'K1 250, then: K1 990', payments: changed, due: 1, changes: true },
  ]
}

/** What was answered, against what was done. */
function judge(answers: readonly Answer[], { changes, due, paid }: Case) {
  const isPaid = ({ status, id }: Answer) => status >= 200 && status < 300 && id !== undefined
  const wanted = changes ? answers.slice(0, -1) : answers
  const last = answers.at(-1)!
  // Each payment has one id, which all its retries are told.
  const told = new Set(answers.filter(isPaid).map(({ id }) => id))
  return {
    doubled: Math.max(0, paid - due),
    merged: Math.max(0, due - paid),
    swallowed: changes && paid <= due && (last.status < 400 || last.status >= 500) ? 1 : 0,
    refused: wanted.filter((answer) => !isPaid(answer)).length,
    untrue: changes ? 0 : Math.abs(told.size - paid),
  }
}

const chartOf = (rows: readonly Case[]): Chart => ({
  kind: 'table',
  title: { en: 'How many payments became of it', es: 'En cuántos pagos se quedó' },
  columns: [
    { en: 'case', es: 'caso' },
    { en: 'sent', es: 'enviados' },
    { en: 'should be', es: 'deberían ser' },
    { en: 'are', es: 'son' },
  ],
  rows: rows.map(({ name, payments, due, paid }) => [name, payments.length, due, paid]),
})
