/**
 * Every message is delivered three times: to a worker that is killed with some of them in hand, each at another step, and then,
 * since nothing was acknowledged, to two workers at the same time.
 *
 * The two meet in front of the INSERT into `processed`, if there is one (gate.ts): what each has looked up by then was looked up
 * before the other wrote.
 */
import type { VariantReference } from '../harness/stage.ts'
import type { LabDatabase } from '../harness/database.ts'
import { gateBefore } from '../harness/gate.ts'
import { lab } from '../harness/lab.ts'
import type { LabProcess } from '../harness/process.ts'
import type { Stage } from '../harness/stage.ts'
import { isGone, namedUrl } from '../messaging/members.ts'
import { cursor, logOf, type InsideWorker } from './duplicate-messages.kit.ts'
import naive, { type Handle, type Message } from './duplicate-messages.naive.ts'

/** What a worker is given (duplicate-messages.child.ts). */
export interface WorkerInput {
  readonly url: string
  readonly variant: VariantReference
  readonly deliveries: readonly {
    readonly id: string
    /** A message, or what a lane has. */
    readonly delivered: unknown
    /** After how many steps it is cut; never when absent. */
    readonly stopAt?: number
  }[]
}

/** How a delivery has ended: at a point where it stands, with an error, or acknowledged. */
export interface DeliveryTold {
  readonly id: string
  readonly at?: string
  readonly error?: string
}

type Code = ((delivered: never, worker: InsideWorker) => Promise<void>) & { readonly byLane?: true }

/** What is in an account before. */
const OPENING = 5_000
/** How many are in hand when the first worker is killed. */
const CUT = 8
/** How long nobody may come to the gate before it opens. */
const PATIENCE_MS = 40
/** Of one worker. */
export const CONNECTIONS = 8
/** Whoever says nothing for so long waits for one that has stopped. */
const SILENCE_MS = 2_000
const BEGINNING_MS = 15_000

const seen = new Set<string>()

const seenInMemory: Handle = async (message, worker) => {
  if (seen.has(message.id)) return
  seen.add(message.id)
  await naive(message, worker)
}

const processedTable: Handle = async ({ id, account, amount }, { transaction }) => {
  await transaction(async (sql) => {
    const first = await sql('INSERT INTO processed VALUES ($1) ON CONFLICT DO NOTHING RETURNING message_id', [id])
    if (first.length === 0) return
    await sql('UPDATE accounts SET balance = balance + $1 WHERE id = $2', [amount, account])
  })
}

export const duplicateMessages = lab<Code>()({
  id: 'duplicate-messages',
  phase: 4,
  title: { en: 'Every message three times', es: 'Cada mensaje tres veces' },
  concept: {
    en:
      'A broker that loses nothing delivers again whenever it does not know: the worker died before it acknowledged, or its ' +
      'acknowledgement got lost. So a worker sees messages twice, perhaps at the same time as another worker. “Add 10.00” done ' +
      'twice is 20.00. To notice a duplicate, the worker has to remember which messages it has applied, where all workers see ' +
      'it and where it survives them; and to remember and to apply must be one step, or a crash comes between the two.',
    es:
      'Un broker que no pierde nada vuelve a entregar siempre que no sabe: el worker murió antes de confirmar, o su confirmación ' +
      'se perdió. Así que un worker ve mensajes dos veces, quizá a la vez que otro worker. «Suma 10,00» hecho dos veces son ' +
      '20,00. Para notar un duplicado, el worker tiene que recordar qué mensajes ha aplicado, donde lo vean todos los workers y ' +
      'donde les sobreviva; y recordar y aplicar deben ser un solo paso, o una caída se mete entre los dos.',
  },
  watch: {
    en: '“Applied” is how often amounts were added; it should be as many as there are messages, however many deliveries.',
    es: '«Aplicadas» es cuántas veces se sumó un importe; deben ser tantas como mensajes, por muchas entregas que haya.',
  },
  parameters: {
    messages: {
      about: { en: 'Messages, each delivered three times', es: 'Mensajes, cada uno entregado tres veces' },
      default: 60,
      small: 20,
      min: 2,
      max: 500,
    },
  },
  variants: [
    {
      name: 'apply-each',
      expected: 'fails',
      about: { en: 'Adds the amount with each delivery.', es: 'Suma el importe con cada entrega.' },
      code: naive,
    },
    {
      name: 'seen-in-memory',
      expected: 'fails',
      about: {
        en: 'A Set of ids in the process. The next process begins with an empty one, and so does the one next to it.',
        es: 'Un Set de ids en el proceso. El proceso siguiente empieza con uno vacío, y el de al lado también.',
      },
      code: seenInMemory,
    },
    {
      name: 'processed-table',
      expected: 'holds',
      about: {
        en: 'INSERT the id ON CONFLICT DO NOTHING, and add the amount if it was new, in one transaction.',
        es: 'INSERT del id con ON CONFLICT DO NOTHING, y sumar el importe si era nuevo, en una transacción.',
      },
      code: processedTable,
    },
    {
      name: 'cursor',
      expected: 'holds',
      about: {
        en: 'The kit’s consumer: not a row per message but one position per lane, moved in the transaction that applies.',
        es: 'El consumidor del kit: no una fila por mensaje, sino una posición por lane, que se mueve en la transacción que aplica.',
      },
      code: cursor,
    },
  ],
  measures: {
    messages: { title: { en: 'messages', es: 'mensajes' } },
    deliveries: { title: { en: 'deliveries', es: 'entregas' } },
    applied: { title: { en: 'applied', es: 'aplicadas' } },
    doubled: { title: { en: 'too many', es: 'de más' } },
    lost: { title: { en: 'lost', es: 'perdidas' } },
  },
  production: [
    {
      file: 'kit/consumer/next.ts',
      about: {
        en: 'what is at or before the cursor is dropped; what does not follow it is not applied',
        es: 'lo que está en el cursor o antes se descarta; lo que no lo sigue no se aplica',
      },
    },
    {
      file: 'kit/pipeline/messages.ts',
      about: {
        en: 'the lane’s cursor is locked, and moves in the transaction that applies the messages',
        es: 'el cursor del lane se bloquea y se mueve en la transacción que aplica los mensajes',
      },
    },
    {
      file: 'services/payments/decide.ts',
      about: {
        en: 'the second line of defence: a question that was answered before is answered from the row',
        es: 'la segunda línea de defensa: una pregunta ya respondida se responde desde la fila',
      },
    },
  ],
  scaffold: 'labs/idempotency/duplicate-messages.naive.ts',

  async run(stage, code) {
    const { timers, note, progress } = stage
    const count = stage.parameters.messages
    const database = await stage.database()
    const messages = Array.from({ length: count }, (_, n): Message => ({
      id: `message-${n}`,
      account: `account-${n}`,
      amount: 100 + n,
    }))
    const deliveries = await prepare(database, messages, code)

    const [first, ...both] = await Promise.all([
      startWorker(stage, database, 'first', cutSome(deliveries)),
      startWorker(stage, database, 'second', deliveries),
      startWorker(stage, database, 'third', deliveries),
    ])
    const hand = await toTheirPoints(first, deliveries.length, timers)
    await first.kill()
    await isGone(database.query, 'first', timers)
    progress(1, 3)

    const gate = await gateBefore('bank.processed', database, timers)
    await gate.shut()
    const done = Promise.all(both.map(toTheEnd))
    done.catch(() => undefined)
    const met = await gate.openFor(2 * Math.min(deliveries.length, CONNECTIONS), PATIENCE_MS, both.length)
    const told = (await done).flat()
    await gate.remove()
    progress(2, 3)
    const refused = deliveries.filter(({ id }) => !told.some((each) => each.id === id && each.error === undefined))
    const again = refused.length === 0 ? [] : await oneMore(stage, database, refused)
    const unacknowledged = again.filter(({ error }) => error !== undefined)

    note(deathNote(hand))
    if (met > 1) note(meetingNote(met))
    const [error] = [...unacknowledged, ...told].flatMap((each) => each.error ?? [])
    if (error !== undefined) note({ en: `A worker threw: ${error}`, es: `Un worker lanzó: ${error}` })
    const applied = await countApplied(database, messages)
    const sum = (of: (times: number) => number) => applied.reduce((total, times) => total + of(times), 0)
    return {
      messages: count,
      deliveries: 3 * count + again.length,
      applied: sum((times) => times),
      doubled: sum((times) => Math.max(0, times - 1)),
      lost: sum((times) => Math.max(0, 1 - times)),
      unacknowledged: unacknowledged.length,
    }
  },

  fails: ({ doubled, lost, unacknowledged }) => doubled !== 0 || lost !== 0 || unacknowledged !== 0,
})

type Delivery = WorkerInput['deliveries'][number]

/** Makes the tables. Gives what is delivered: messages, or for the kit what follows in each lane, in two parts. */
async function prepare({ url, query }: LabDatabase, messages: readonly Message[], code: Code): Promise<Delivery[]> {
  await query('CREATE SCHEMA IF NOT EXISTS bank')
  await query('CREATE TABLE bank.accounts (id text PRIMARY KEY, balance bigint NOT NULL)')
  await query('CREATE TABLE bank.processed (message_id text PRIMARY KEY)')
  for (const { account } of messages) await query('INSERT INTO bank.accounts VALUES ($1, $2)', [account, OPENING])
  if (!code.byLane) return messages.map((delivered) => ({ id: delivered.id, delivered }))
  const backlogs = await logOf(url, messages)
  const parts = [
    backlogs.map((each) => [each, each.messages.slice(0, -1)] as const),
    backlogs.map((each) => [each, each.messages.slice(-1)] as const),
  ]
  return parts.flat().flatMap(([backlog, part]) => {
    const delivered = { ...backlog, messages: part }
    return part.length === 0 ? [] : [{ id: `lane ${backlog.lane}, from ${part[0]!.position}`, delivered }]
  })
}

/** The last ones are cut, each a step later than the one before it. */
function cutSome(deliveries: readonly Delivery[]): Delivery[] {
  const from = Math.max(0, deliveries.length - CUT)
  return deliveries.map((delivery, n) => (n < from ? delivery : { ...delivery, stopAt: n - from }))
}

async function startWorker(
  { start, variant }: Pick<Stage, 'start' | 'variant'>,
  { url }: LabDatabase,
  name: string,
  deliveries: readonly Delivery[],
): Promise<LabProcess> {
  const input: WorkerInput = { url: namedUrl(url, name), variant, deliveries }
  const worker = await start('labs/idempotency/duplicate-messages.child.ts', input)
  const ready = await worker.next()
  if (ready.kind !== 'at') throw new Error(`The ${name} worker did not begin: ${JSON.stringify(ready)}`)
  return worker
}

/** Lets a worker work until everything has come to its end or its point. Gives where those stand that were cut. */
async function toTheirPoints(worker: LabProcess, all: number, timers: Stage['timers']): Promise<string[]> {
  const points: string[] = []
  worker.go()
  for (let told = 0; told < all; told++) {
    const heard = new AbortController()
    const next = await Promise.race([worker.next(), timers.sleep(told === 0 ? BEGINNING_MS : SILENCE_MS, heard.signal)])
    heard.abort()
    if (next?.kind !== 'said') break
    const { at } = next.value as DeliveryTold
    if (at !== undefined) points.push(at)
  }
  return points
}

/** What both workers refused is delivered once more, as a broker does. */
async function oneMore(stage: Stage, database: LabDatabase, refused: readonly Delivery[]): Promise<DeliveryTold[]> {
  return toTheEnd(await startWorker(stage, database, 'fourth', refused))
}

function toTheEnd(worker: LabProcess): Promise<DeliveryTold[]> {
  worker.go()
  return worker.finish() as Promise<DeliveryTold[]>
}

/** How often each message's amount was added. */
async function countApplied({ query }: LabDatabase, messages: readonly Message[]): Promise<number[]> {
  const rows = await query<{ id: string; balance: number }>('SELECT id, balance::float8 AS balance FROM bank.accounts')
  const balances = new Map(rows.map(({ id, balance }) => [id, balance]))
  return messages.map(({ account, amount }) => ((balances.get(account) ?? 0) - OPENING) / amount)
}

function deathNote(points: readonly string[]) {
  const where = [...new Set(points)].map((point) => `“${point}”`).join(', ')
  return {
    en: `The first worker was killed with ${points.length} messages in hand, before: ${where || 'nothing'}`,
    es: `El primer worker murió con ${points.length} mensajes en la mano, antes de: ${where || 'nada'}`,
  }
}

const meetingNote = (met: number) => ({
  en: `Of the other two, ${met} deliveries stood before their INSERT at the same time`,
  es: `De los otros dos, ${met} entregas estaban a la vez ante su INSERT`,
})
