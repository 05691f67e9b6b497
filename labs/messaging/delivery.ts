/**
 * At most once, at least once, and at least once with dedup: a worker is killed (kill -9) at every boundary of its work, and
 * what each message did to a balance is counted.
 *
 * The broker is the kit's task queue: what is not acknowledged comes back when its lease ends. For each point there is a message
 * of its own; the worker that takes it is killed at that point, and the next one deals with whatever comes back.
 */
import type { Chart } from '../contract.ts'
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import type { LabProcess } from '../harness/process.ts'
import { ahead } from './ahead.ts'
import { ackInTransaction, type InsideWorker } from './delivery.kit.ts'
import naive, { type Deliver, type Message } from './delivery.naive.ts'
import { createQueue, openQueue } from './queue.ts'

/** What the worker is given (delivery.child.ts). */
export interface DeliveryInput {
  readonly url: string
  readonly variant: VariantReference
  readonly leaseMs: number
}

const LEASE_MS = 150
const AMOUNT = 1_000
const MOST_POINTS = 40

const atLeastOnce: Deliver = async ({ amount }, { ack, sql }) => {
  await sql(`UPDATE accounts SET balance = balance + $1 WHERE id = 'ana'`, [amount])
  await ack()
}

const withDedup: Deliver = async ({ id, amount }, { ack, transaction }) => {
  await transaction(async (sql) => {
    const first = await sql('INSERT INTO processed VALUES ($1) ON CONFLICT DO NOTHING RETURNING message_id', [id])
    if (first.length === 0) return
    await sql(`UPDATE accounts SET balance = balance + $1 WHERE id = 'ana'`, [amount])
  })
  await ack()
}

export const delivery = lab<(message: Message, worker: InsideWorker) => Promise<void>>()({
  id: 'delivery',
  phase: 3,
  title: { en: 'At most once, at least once', es: 'Como mucho una vez, al menos una vez' },
  concept: {
    en:
      'Applying a message and acknowledging it are two steps, and a worker can die between them. Whoever acknowledges first may ' +
      'lose the message: at most once. Whoever applies first may get it again: at least once. There is no third order of two ' +
      'steps. So one chooses at least once, and makes the second delivery harmless: the effect and a note that it has happened ' +
      'go into one transaction.',
    es:
      'Aplicar un mensaje y confirmarlo son dos pasos, y un worker puede morir entre ellos. Quien confirma primero puede perder el ' +
      'mensaje: como mucho una vez (at-most-once). Quien aplica primero puede recibirlo de nuevo: al menos una vez (at-least-once). ' +
      'Dos pasos no tienen un tercer orden. Así que se elige al menos una vez y se hace inofensiva la segunda entrega: el efecto ' +
      'y la nota de que ya ocurrió van en una sola transacción.',
  },
  watch: {
    en: 'Each message adds 10.00 to a balance. Added zero times it is lost, twice it is doubled. The table says where the worker was killed.',
    es: 'Cada mensaje suma 10,00 a un saldo. Si suma cero veces, está perdido; si suma dos, duplicado. La tabla dice dónde murió el worker.',
  },
  parameters: {
    rounds: {
      about: { en: 'How often the worker is killed at each point', es: 'Cuántas veces muere el worker en cada punto' },
      default: 1,
      small: 1,
      min: 1,
      max: 3,
    },
  },
  variants: [
    {
      name: 'at-most-once',
      expected: 'fails',
      about: {
        en: 'Acknowledges, then applies. Killed between the two: lost.',
        es: 'Confirma y luego aplica. Si muere entre ambas: perdido.',
      },
      code: naive,
    },
    {
      name: 'at-least-once',
      expected: 'fails',
      about: {
        en: 'Applies, then acknowledges. Killed between the two: applied, delivered again, applied again.',
        es: 'Aplica y luego confirma. Si muere entre ambas: aplicado, entregado otra vez, aplicado otra vez.',
      },
      code: atLeastOnce,
    },
    {
      name: 'at-least-once-dedup',
      expected: 'holds',
      about: {
        en: 'Applies and notes the message’s id in one transaction, then acknowledges. A second delivery finds the id.',
        es: 'Aplica y anota el id del mensaje en una transacción; después confirma. Una segunda entrega encuentra el id.',
      },
      code: withDedup,
    },
    {
      name: 'ack-in-transaction',
      expected: 'holds',
      about: {
        en: 'The kit’s pipeline: queue and balance share a database, so the acknowledgement is a part of the effect’s transaction.',
        es: 'La tubería del kit: la cola y el saldo comparten base de datos, así que la confirmación es parte de la transacción del efecto.',
      },
      code: ackInTransaction,
    },
  ],
  measures: {
    kills: { title: { en: 'kills', es: 'muertes' } },
    lost: { title: { en: 'lost', es: 'perdidos' } },
    doubled: { title: { en: 'doubled', es: 'duplicados' } },
    deliveries: { title: { en: 'deliveries', es: 'entregas' } },
    messages: { title: { en: 'of messages', es: 'de mensajes' } },
  },
  production: [
    {
      file: 'kit/pipeline/consumer.ts',
      about: {
        en: 'the cursor moves in the transaction that applies the messages: that is the dedup',
        es: 'el cursor se mueve en la transacción que aplica los mensajes: esa es la deduplicación',
      },
    },
    {
      file: 'kit/pipeline/outcomes.ts',
      about: {
        en: 'a task ends in the transaction of its decision, if its token is still current',
        es: 'una tarea termina en la transacción de su decisión, si su token sigue vigente',
      },
    },
    {
      file: 'services/payments/tasks.ts',
      about: {
        en: 'where no transaction reaches: the card processor dedups by the task’s id',
        es: 'donde no llega ninguna transacción: el procesador de tarjetas deduplica por el id de la tarea',
      },
    },
  ],
  scaffold: 'labs/messaging/delivery.naive.ts',

  async run(stage) {
    const { variant, parameters, database, closing, chart, note, progress } = stage
    const { url, query } = await database()
    await createQueue(url)
    await query('CREATE TABLE shop.processed (message_id text PRIMARY KEY)')
    await query('CREATE TABLE shop.accounts (id text PRIMARY KEY, balance int8 NOT NULL)')
    await query(`INSERT INTO shop.accounts VALUES ('ana', 0)`)
    const queue = openQueue(url)
    closing(() => queue.close())
    const input: DeliveryInput = { url, variant, leaseMs: LEASE_MS }
    const next = ahead(stage, 'labs/messaging/delivery.child.ts', input)
    const counted: Counted[] = []
    let worker = await next()
    worker.go()
    await workUntil(worker)
    for (let kill = 0; kill < MOST_POINTS; kill++) {
      let killedBefore: string | undefined
      for (let round = 0; round < parameters.rounds; round++) {
        const id = `m${counted.length + 1}`
        const before = await balance(query)
        await queue.publish([{ id, data: { amount: AMOUNT } }])
        worker.tell('more')
        killedBefore = await workUntil(worker, kill)
        if (killedBefore !== undefined) {
          worker = await next()
          worker.go()
          await workUntil(worker)
        }
        const { attempt = 0 } = (await queue.tasks.find(id)) ?? {}
        counted.push({ killedBefore, deliveries: attempt, applied: ((await balance(query)) - before) / AMOUNT })
        progress(counted.length, counted.length + 1)
      }
      if (killedBefore === undefined) break
    }
    chart(countedChart(counted))
    const wrong = counted.find(({ applied }) => applied !== 1)
    if (wrong) {
      note({
        en: `Killed before “${wrong.killedBefore}”: delivered ${wrong.deliveries} ×, applied ${wrong.applied} ×`,
        es: `Muerto antes de «${wrong.killedBefore}»: entregado ${wrong.deliveries} ×, aplicado ${wrong.applied} ×`,
      })
    }
    return {
      kills: counted.filter(({ killedBefore }) => killedBefore !== undefined).length,
      lost: counted.filter(({ applied }) => applied < 1).length,
      doubled: counted.filter(({ applied }) => applied > 1).length,
      deliveries: counted.reduce((sum, { deliveries }) => sum + deliveries, 0),
      messages: counted.length,
    }
  },

  fails: ({ kills, lost, doubled }) => lost !== 0 || doubled !== 0 || kills === 0,
})

interface Counted {
  readonly killedBefore: string | undefined
  readonly deliveries: number
  /** How often its amount was added. */
  readonly applied: number
}

async function balance(query: <Row extends object>(sql: string) => Promise<Row[]>): Promise<number> {
  const [row] = await query<{ balance: number }>('SELECT balance::float8 AS balance FROM shop.accounts')
  return row!.balance
}

/**
 * Lets the worker work until nothing is left, or kills it at its n-th point from here; without `kill` it passes all. Gives the
 * step that it did not come to, if it was killed.
 */
async function workUntil(worker: LabProcess, kill = Infinity): Promise<string | undefined> {
  for (let passed = 0; ;) {
    const told = await worker.next()
    if (told.kind === 'said') return undefined
    if (told.kind === 'ended') throw new Error(`The worker ended with ${told.code}\n${told.error}`)
    if (passed++ < kill) worker.go()
    else {
      await worker.kill()
      return told.name
    }
  }
}

function countedChart(counted: readonly Counted[]): Chart {
  return {
    kind: 'table',
    title: { en: 'What a kill at each point did', es: 'Qué hizo una muerte en cada punto' },
    columns: [
      { en: 'killed before', es: 'muerto antes de' },
      { en: 'delivered', es: 'entregado' },
      { en: 'applied', es: 'aplicado' },
    ],
    rows: counted.map(({ killedBefore = '—', deliveries, applied }) => [killedBefore, deliveries, applied]),
  }
}
