/**
 * A search for a delivery guarantee: a deposit is to be credited once and its receipt mailed once, wherever the worker dies.
 *
 * Every order of the steps is tried, and each is cut at every point: a message of its own is handled as far as that point, then
 * the process is killed (kill -9). Another worker takes over, and is given whatever is not acknowledged. Then it is counted, in
 * the accounts and at the post office, which is another system.
 */
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import type { LabProcess } from '../harness/process.ts'
import type { Stage } from '../harness/stage.ts'
import { isGone, namedUrl } from '../messaging/members.ts'
import { asTask, type InsideWorker } from './exactly-once.kit.ts'
import naive, { type Handle, type Message, type Worker } from './exactly-once.naive.ts'
import { noteAttempts, chartOf, type Counted } from './exactly-once.report.ts'
import { workerOn, type Attempt, type AttemptTold, type ExactlyOnceInput } from './exactly-once.world.ts'

/** How many messages are handled at the same time, at most, and how many of one order: more than it has points. */
const WAVE = { messages: 36, ofAnOrder: 9 }
const MOST_POINTS = 40
/** Whoever says nothing for so long waits for somebody who has stopped. */
const SILENCE_MS = 1_000
/** But a process has to begin first. */
const BEGINNING_MS = 15_000
/** A message that is not acknowledged by then never will be. */
const MOST_DELIVERIES = 3

type OwnHandle = ((message: Message, worker: InsideWorker) => Promise<void>) & {
  readonly start?: (worker: InsideWorker) => Promise<void>
}

/** A handler, or several by name. */
type Code = OwnHandle | Readonly<Record<string, OwnHandle>>

export const ordersOf = (code: Code): Readonly<Record<string, OwnHandle>> =>
  typeof code === 'function' ? { '': code } : code

type StepOf = (message: Message, worker: Worker) => Promise<unknown>

const credit: StepOf = ({ account, amount }, { sql }) =>
  sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, account])
const mail: StepOf = ({ account, amount }, { send }) => send(`${amount} cents have arrived in ${account}`)
const ack: StepOf = ({ id }, { sql }) => sql('DELETE FROM inbox WHERE id = $1', [id])

const inOrder =
  (...steps: readonly StepOf[]): Handle =>
  async (message, worker) => {
    for (const step of steps) await step(message, worker)
  }

const everyOrder = {
  'ack, credit, mail': inOrder(ack, credit, mail),
  'ack, mail, credit': inOrder(ack, mail, credit),
  'credit, ack, mail': inOrder(credit, ack, mail),
  'mail, ack, credit': inOrder(mail, ack, credit),
  'credit, mail, ack': naive,
  'mail, credit, ack': inOrder(mail, credit, ack),
}

const begin: StepOf = (_, { sql }) => sql('BEGIN')
const commit: StepOf = (_, { sql }) => sql('COMMIT')

const oneTransaction = {
  'BEGIN, credit, ack, COMMIT, mail': inOrder(begin, credit, ack, commit, mail),
  'BEGIN, credit, mail, ack, COMMIT': inOrder(begin, credit, mail, ack, commit),
}

const idempotent: Handle = async (message, worker) => {
  const { sql, send } = worker
  const { id, account, amount } = message
  await sql('BEGIN')
  const first = await sql('INSERT INTO processed VALUES ($1) ON CONFLICT DO NOTHING RETURNING id', [id])
  if (first.length > 0) await credit(message, worker)
  await sql('COMMIT')
  await send(`${amount} cents have arrived in ${account}`, id)
  await ack(message, worker)
}

export const exactlyOnce = lab<Code>()({
  id: 'exactly-once',
  phase: 4,
  title: { en: 'A search for “exactly once”', es: 'En busca del «exactly once»' },
  concept: {
    en:
      'A worker credits an account, has a receipt mailed, and acknowledges the message. Three steps have six orders, and a ' +
      'process can die between any two of them. Whoever acknowledges early loses something at one of these points; whoever ' +
      'acknowledges late does something twice at another. No order is left over: a delivery that happens exactly once does not ' +
      'exist. What exists is delivery at least once, and effects that do nothing the second time: together the effect is once.',
    es:
      'Un worker abona una cuenta, hace enviar un recibo y confirma el mensaje. Tres pasos tienen seis órdenes, y un proceso ' +
      'puede morir entre dos cualesquiera. Quien confirma pronto pierde algo en uno de esos puntos; quien confirma tarde hace ' +
      'algo dos veces en otro. No queda ningún orden: una entrega que ocurra exactamente una vez no existe. Lo que existe es la ' +
      'entrega al menos una vez, y efectos que la segunda vez no hacen nada: juntos, el efecto es uno.',
  },
  watch: {
    en: 'The tables show each order with each point at which the worker died: how often was credited, how often mailed?',
    es: 'Las tablas muestran cada orden con cada punto en el que murió el worker: ¿cuántas veces se abonó y cuántas se envió?',
  },
  parameters: {
    amount: {
      about: { en: 'What is deposited, in cents', es: 'Lo que se ingresa, en céntimos' },
      default: 3_000,
      small: 3_000,
      min: 1,
      max: 100_000,
    },
  },
  variants: [
    {
      name: 'every-order',
      expected: 'fails',
      about: {
        en: 'Credit, mail and acknowledgement in each of their six orders, each step by itself.',
        es: 'Abono, correo y confirmación en cada uno de sus seis órdenes, cada paso por su cuenta.',
      },
      code: everyOrder,
    },
    {
      name: 'one-transaction',
      expected: 'fails',
      about: {
        en: 'Credit and acknowledgement in one transaction: right for both. But the mail is in no transaction, before COMMIT or after it.',
        es: 'Abono y confirmación en una transacción: bien los dos. Pero el correo no está en ninguna, ni antes del COMMIT ni después.',
      },
      code: oneTransaction,
    },
    {
      name: 'idempotent',
      expected: 'holds',
      about: {
        en: 'Acknowledge last, and make each effect harmless the second time: a processed table here, a key at the post office.',
        es: 'Confirmar al final, y que cada efecto sea inofensivo la segunda vez: aquí una tabla processed, en correos una clave.',
      },
      code: idempotent,
    },
    {
      name: 'cauce',
      expected: 'holds',
      about: {
        en: 'The kit’s pipeline: credit, note and a task for the mail in one transaction; the task is retried under its own id.',
        es: 'La tubería del kit: abono, nota y una tarea para el correo en una transacción; la tarea se reintenta con su propio id.',
      },
      code: asTask,
    },
  ],
  measures: {
    deaths: { title: { en: 'deaths', es: 'muertes' } },
    moneyLost: { title: { en: 'credits lost', es: 'abonos perdidos' } },
    moneyDoubled: { title: { en: 'credits doubled', es: 'abonos dobles' } },
    mailsLost: { title: { en: 'mails lost', es: 'correos perdidos' } },
    mailsDoubled: { title: { en: 'mails doubled', es: 'correos dobles' } },
  },
  production: [
    {
      file: 'kit/pipeline/pipeline.ts',
      about: {
        en: 'effect, note and tasks in the one transaction; the source is settled in it too',
        es: 'efecto, nota y tareas en la única transacción; en ella se salda también el origen',
      },
    },
    {
      file: 'kit/task/port.ts',
      about: {
        en: 'K3: a task’s id is derived, and is the provider’s idempotency key',
        es: 'K3: el id de una tarea se deriva, y es la clave de idempotencia ante el proveedor',
      },
    },
  ],
  scaffold: 'labs/idempotency/exactly-once.naive.ts',

  async run(stage, code) {
    const database = await stage.database()
    await createTables(database)
    const counted: Counted[] = []
    const orders = Object.keys(ordersOf(code))
    const wave = Math.min(WAVE.ofAnOrder, Math.floor(WAVE.messages / orders.length))
    for (let first = 0; first < MOST_POINTS; first += wave) {
      const points = Array.from({ length: wave }, (_, n) => first + n)
      const attempts = attemptsOf(orders, points, stage.parameters.amount)
      const schemas = await openAccounts(database, attempts, code === asTask)
      const stops = await die(stage, database, { attempts, schemas })
      await takeOver(database, { code, attempts, schemas })
      for (const attempt of attempts) {
        const at = stops.get(attempt.message.id)
        counted.push({ ...attempt, at, ...(await count(database, attempt, code === asTask)) })
      }
      if (attempts.every(({ order }) => counted.some((each) => each.order === order && each.at === undefined))) break
    }
    const seen = untilUndisturbed(counted)
    stage.chart(chartOf(seen, orders))
    noteAttempts(stage, seen)
    const number = (of: (each: Counted) => boolean) => seen.filter(of).length
    return {
      deaths: number(({ at }) => at !== undefined),
      moneyLost: number(({ credits }) => credits < 1),
      moneyDoubled: number(({ credits }) => credits > 1),
      mailsLost: number(({ mails }) => mails < 1),
      mailsDoubled: number(({ mails }) => mails > 1),
      unacknowledged: number(({ acknowledged }) => !acknowledged),
    }
  },

  fails: ({ deaths, moneyLost, moneyDoubled, mailsLost, mailsDoubled, unacknowledged }) =>
    [moneyLost, moneyDoubled, mailsLost, mailsDoubled, unacknowledged].some((count) => count !== 0) || deaths === 0,
})

async function createTables({ query }: LabDatabase): Promise<void> {
  await query(`CREATE TABLE inbox (id text PRIMARY KEY, account text NOT NULL, amount integer NOT NULL)`)
  await query('CREATE TABLE accounts (id text PRIMARY KEY, balance bigint NOT NULL)')
  await query('CREATE TABLE processed (id text PRIMARY KEY)')
  await query('CREATE TABLE outbox (id text PRIMARY KEY, text text NOT NULL)')
  // The post office's. It has connections of its own: what it was told stays, whatever becomes of the worker's transaction.
  await query('CREATE SCHEMA post_office')
  await query('CREATE TABLE post_office.mails (text text NOT NULL, key text UNIQUE)')
}

/** One for each order and each point. */
function attemptsOf(orders: readonly string[], points: readonly number[], amount: number): Attempt[] {
  return orders.flatMap((order, n) =>
    points.map((stopAt) => {
      const name = `${100 * n + stopAt}`.padStart(3, '0')
      const message = { id: `message-${name}`, account: `account-${name}`, amount }
      return { message, order, stopAt, schema: `bank_${name}` }
    }),
  )
}

/** Puts the messages into the inbox. Gives the schemas that the kit needs, each with an account of its own. */
async function openAccounts(
  { url, query }: LabDatabase,
  attempts: readonly Attempt[],
  kit: boolean,
): Promise<string[]> {
  const schemas = kit ? attempts.map(({ schema }) => schema) : []
  if (kit) await asTask.prepare(url, query, schemas)
  for (const { message, schema } of attempts) {
    const { id, account, amount } = message
    const accounts = kit ? `${schema}.accounts` : 'accounts'
    await query(`INSERT INTO ${accounts} VALUES ($1, 0)`, [account])
    await query('INSERT INTO inbox VALUES ($1, $2, $3)', [id, account, amount])
  }
  return schemas
}

/** A worker takes all messages, each as far as its point, and is killed. Gives the point of each; none for one that came through. */
async function die(
  { start, variant, timers, progress }: Stage,
  { url, query }: LabDatabase,
  { attempts, ...rest }: Pick<ExactlyOnceInput, 'attempts' | 'schemas'>,
): Promise<Map<string, string | undefined>> {
  const stops = new Map<string, string | undefined>()
  let waiting = attempts
  while (waiting.length > 0) {
    const input: ExactlyOnceInput = { url: namedUrl(url, 'dies'), variant, attempts: waiting, ...rest }
    const process = await start('labs/idempotency/exactly-once.child.ts', input)
    const before = stops.size
    while (stops.size < attempts.length) {
      const told = await nextOf(process, timers, stops.size === before ? BEGINNING_MS : SILENCE_MS)
      if (told === undefined) break
      stops.set(told.id, told.at)
      progress(stops.size, attempts.length)
    }
    await process.kill()
    await isGone(query, 'dies', timers)
    waiting = attempts.filter(({ message }) => !stops.has(message.id))
    if (stops.size === before) throw new Error(`The handling of ${waiting.length} messages neither ends nor goes on`)
  }
  return stops
}

/** What an attempt tells next; undefined when nothing comes, because it waits for one that has stopped. */
async function nextOf(process: LabProcess, timers: Stage['timers'], ms: number): Promise<AttemptTold | undefined> {
  const heard = new AbortController()
  const told = await Promise.race([process.next(), timers.sleep(ms, heard.signal)])
  heard.abort()
  if (told?.kind === 'ended') throw new Error(`The worker ended with ${told.code}\n${told.error}`)
  return told?.kind === 'said' ? (told.value as AttemptTold) : undefined
}

/** Another worker, which nobody kills, is given what is not acknowledged. */
async function takeOver(
  { url, query, connect, pool: postOffice }: LabDatabase,
  { code, attempts, schemas }: { code: Code; attempts: readonly Attempt[]; schemas: readonly string[] },
): Promise<void> {
  const step = <T>(_: string, take: () => Promise<T>) => take()
  const workerFor = async (schema: string) =>
    workerOn({ client: await connect(), postOffice, step, url, schema, schemas })
  const orders = ordersOf(code)
  for (const { start } of Object.values(orders)) await start?.(await workerFor(''))
  for (let delivery = 0; delivery < MOST_DELIVERIES; delivery++) {
    const left = await query<{ id: string }>('SELECT id FROM inbox')
    const ids = new Set(left.map(({ id }) => id))
    for (const { message, order, schema } of attempts) {
      if (ids.has(message.id)) await orders[order]!(message, await workerFor(schema))
    }
    if (ids.size === 0) return
  }
}

async function count(database: LabDatabase, { message, schema }: Attempt, kit: boolean) {
  const { id, account, amount } = message
  const accounts = kit ? `${schema}.accounts` : 'accounts'
  const [owned] = await database.query<{ balance: number }>(
    `SELECT balance::float8 AS balance FROM ${accounts} WHERE id = $1`,
    [account],
  )
  const mails = await database.query('SELECT FROM post_office.mails WHERE position($1 in text) > 0', [account])
  const left = await database.query('SELECT FROM inbox WHERE id = $1', [id])
  return { credits: (owned?.balance ?? 0) / amount, mails: mails.length, acknowledged: left.length === 0 }
}

/** Of those whose point lies behind the end of their handling one is enough. */
function untilUndisturbed(counted: readonly Counted[]): Counted[] {
  const whole = new Set<string>()
  return counted.filter(({ order, at }) => {
    if (at !== undefined) return true
    if (whole.has(order)) return false
    whole.add(order)
    return true
  })
}
