/**
 * POST → 202 → worker → database: what is true when the client has read “accepted”, and what is left when the server dies.
 *
 * A real HTTP server takes one order at a time and is killed (kill -9) before its first step, then before its second, and so
 * on until one order comes to its end undisturbed. Each time the next process takes over what it finds.
 */
import type { VariantReference } from '../harness/stage.ts'
import { lab, numberOf } from '../harness/lab.ts'
import type { LabProcess } from '../harness/process.ts'
import type { Stage } from '../harness/stage.ts'
import { enqueueInTransaction, type InsideShop } from './accepted.kit.ts'
import naive, { type Handlers, type Open } from './accepted.naive.ts'
import { knowledgeChart, timelineChart, type Attempt } from './accepted.report.ts'
import { openWorld, type World } from './accepted.world.ts'
import { ahead } from './ahead.ts'

/** What the server is given (accepted.child.ts). */
export interface AcceptedInput {
  readonly url: string
  /** Where the card processor is. */
  readonly processor: string
  readonly variant: VariantReference
}

/** A server whose worker polls the database has a point at each look. */
const MOST_ATTEMPTS = 30
/** How long after its answer an order may be on its way, beyond what the processor takes. */
const PATIENCE_MS = 3_000
/** How long what others left may still be on its way when an order after it has been paid. */
const GRACE_MS = 500

const workThenAnswer: Open = ({ sql, charge }) => ({
  async post(order, answer) {
    await sql(`INSERT INTO orders VALUES ($1, 'placed')`, [order])
    await charge(order)
    await sql(`UPDATE orders SET status = 'paid' WHERE id = $1`, [order])
    await answer(201)
  },
})

export const accepted = lab<(shop: InsideShop) => Handlers>()({
  id: 'accepted',
  phase: 3,
  title: { en: '202: accepted is a promise', es: '202: aceptado es una promesa' },
  concept: {
    en:
      'An API that cannot do its work while the client waits takes the order, puts a job into a queue and answers 202, ' +
      '“accepted”: a worker does it later. From then on the client relies on it. So the order has to be where a crash cannot ' +
      'reach it before the answer goes out. A job that is only in the memory of the process dies with the process, and the ' +
      'client has been promised something that nobody remembers.',
    es:
      'Una API que no puede hacer el trabajo mientras el cliente espera toma el pedido, mete un job en una cola y responde 202, ' +
      '«aceptado»: un worker lo hará después. Desde ese momento el cliente cuenta con ello. Así que, antes de responder, el ' +
      'pedido tiene que estar donde una caída no lo alcance. Un job que solo está en la memoria del proceso muere con él, y al ' +
      'cliente se le ha prometido algo que nadie recuerda.',
  },
  watch: {
    en: '“Lost” are orders that were acknowledged and never paid. The table says what each party knew at each kill; the timeline, what each knows when nothing goes wrong.',
    es: '«Perdidos» son pedidos confirmados que nunca se pagaron. La tabla dice qué sabía cada parte en cada muerte; la línea de tiempo, qué sabe cada una cuando nada falla.',
  },
  parameters: {
    providerMs: {
      about: { en: 'How long the card processor takes, in ms', es: 'Cuánto tarda el procesador de tarjetas, en ms' },
      default: 250,
      small: 50,
      min: 20,
      max: 500,
    },
  },
  variants: [
    {
      name: 'answer-then-enqueue',
      expected: 'fails',
      about: {
        en: 'Answers 202, then keeps the job in memory. Fast, and the promise dies with the process.',
        es: 'Responde 202 y luego guarda el job en memoria. Rápido, y la promesa muere con el proceso.',
      },
      code: naive,
    },
    {
      name: 'work-then-answer',
      expected: 'holds',
      about: {
        en: 'Does everything, then answers 201. Promises nothing that is not done; the client waits for the card processor.',
        es: 'Lo hace todo y luego responde 201. No promete nada que no esté hecho; el cliente espera al procesador de tarjetas.',
      },
      code: workThenAnswer,
    },
    {
      name: 'enqueue-in-transaction',
      expected: 'holds',
      about: {
        en: 'The order and its task are saved in one transaction of the kit’s pipeline; then 202. A worker does it, in this process or the next.',
        es: 'El pedido y su tarea se guardan en una transacción de la tubería del kit; después 202. Un worker lo hace, en este proceso o en el siguiente.',
      },
      code: enqueueInTransaction,
    },
  ],
  measures: {
    kills: { title: { en: 'kills', es: 'muertes' } },
    acknowledged: { title: { en: 'acknowledged', es: 'confirmados' } },
    lost: { title: { en: 'of them lost', es: 'de ellos perdidos' } },
    halfDone: { title: { en: 'left half done', es: 'a medias' } },
    answerMs: { title: { en: 'until the answer', es: 'hasta la respuesta' }, unit: 'ms' },
    paidMs: { title: { en: 'until paid', es: 'hasta el pago' }, unit: 'ms' },
  },
  production: [
    {
      file: 'services/orders/http.ts',
      about: {
        en: 'POST /v1/orders answers 202 with what the committed decision says',
        es: 'POST /v1/orders responde 202 con lo que dice la decisión ya confirmada',
      },
    },
    {
      file: 'kit/pipeline/pipeline.ts',
      about: {
        en: 'saves rows, messages and tasks, and commits, before anybody is answered',
        es: 'guarda filas, mensajes y tareas, y hace COMMIT, antes de responder a nadie',
      },
    },
    {
      file: 'kit/task/runner.ts',
      about: {
        en: 'the worker: claims what is due, also what another process left',
        es: 'el worker: toma lo que toca, también lo que dejó otro proceso',
      },
    },
  ],
  scaffold: 'labs/messaging/accepted.naive.ts',

  async run(stage) {
    const { variant, progress, note, chart, parameters } = stage
    const world = await openWorld(stage)
    const input: AcceptedInput = { url: world.url, processor: world.processor, variant }
    const next = ahead(stage, 'labs/messaging/accepted.child.ts', input)
    const attempts: Attempt[] = []
    do {
      const server = await serve(await next())
      attempts.push(await attempt(stage, world, server, attempts.length))
      progress(attempts.length, attempts.length + 1)
    } while (attempts.at(-1)?.killedBefore !== undefined && attempts.length < MOST_ATTEMPTS)
    const last = attempts.at(-1)!
    // Whatever the kills left is for this process to finish.
    if (last.killedBefore !== undefined) await serve(await next())
    const promised = attempts.filter(({ status }) => isPromise(status))
    const patience = stage.timers.sleep(GRACE_MS + parameters.providerMs, stage.signal)
    await Promise.race([Promise.all(promised.map(({ order }) => world.paid(order))), patience])
    const ends = await Promise.all(attempts.map(({ order }) => world.stateOf(order)))
    const lost = promised.filter(
      ({ order }) => ends[attempts.findIndex((each) => each.order === order)]?.order !== 'paid',
    )
    const unfinished = ends.filter(({ order, charged }) => order !== 'paid' && (order !== '—' || charged))
    const one = lost[0]
    if (one) {
      note({
        en: `The client read ${one.status} for ${one.order}; then the server was killed before “${one.killedBefore}”. Nobody knows of it any more`,
        es: `El cliente leyó ${one.status} para ${one.order}; después el servidor murió antes de «${one.killedBefore}». Ya nadie sabe de él`,
      })
    }
    chart(knowledgeChart(attempts, ends))
    if (last.killedBefore === undefined) chart(timelineChart(last, world.traceOf(last.order)))
    return {
      kills: attempts.length - (last.killedBefore === undefined ? 1 : 0),
      acknowledged: promised.length,
      lost: lost.length,
      halfDone: unfinished.length,
      answerMs: last.answerMs,
      paidMs: last.paidMs ?? 0,
      undisturbed: isPromise(last.status) && last.paidMs !== undefined,
    }
  },

  fails: (measured) => numberOf(measured, 'lost') !== 0 || measured['undisturbed'] !== true,
})

const isPromise = (status: number | undefined): boolean => status !== undefined && status >= 200 && status < 300

interface Server {
  readonly process: LabProcess
  readonly port: number
}

/** Lets a process finish what others left, until it takes requests. */
async function serve(process: LabProcess): Promise<Server> {
  process.go()
  for (;;) {
    const told = await process.next()
    if (told.kind === 'at') process.go()
    else if (told.kind === 'said') return { process, port: told.value as number }
    else throw new Error(`The server ended with ${told.code}\n${told.error}`)
  }
}

/** One order, with the server killed at its n-th point from here, if it has so many. */
async function attempt(
  { clock, timers, parameters, signal }: Stage<'providerMs'>,
  world: World,
  { process, port }: Server,
  kill: number,
): Promise<Attempt> {
  const order = `order-${kill + 1}`
  const begun = clock.monotonic()
  const since = () => Math.round(clock.monotonic() - begun)
  let over = false
  let killedBefore: string | undefined
  const walk = async () => {
    for (let passed = 0; ;) {
      const told = await process.next()
      if (told.kind === 'ended' && !over) throw new Error(`The server ended with ${told.code}\n${told.error}`)
      if (told.kind === 'ended') return
      world.see(order, told.kind === 'said' ? String(told.value) : told.name)
      if (told.kind === 'said') continue
      if (passed++ < kill || over) process.go()
      else {
        killedBefore = told.name
        return process.kill()
      }
    }
  }
  const asked = world.post(port, order).then((status) => ({ status, answerMs: since() }))
  const arrived = asked.then(() => {
    const patience = timers.sleep(PATIENCE_MS + parameters.providerMs, signal).then(() => undefined)
    return Promise.race([world.paid(order).then(since), patience])
  })
  const walking = walk()
  await Promise.race([walking, arrived])
  // An order that has come to its end is not disturbed any more, whatever the server still does.
  over = killedBefore === undefined
  const answer = await asked
  const atKill = await world.stateOf(order)
  // The client may notice the kill before we do.
  if (killedBefore !== undefined) {
    await walking
    return { order, begun, ...answer, killedBefore, atKill }
  }
  const paidMs = await arrived
  const known = paidMs === undefined ? undefined : await world.read(port, order)
  const knownMs = known === 'paid' ? since() : undefined
  await process.kill()
  await walking
  return {
    order,
    begun,
    ...answer,
    atKill,
    ...(paidMs === undefined ? {} : { paidMs }),
    ...(knownMs === undefined ? {} : { knownMs }),
  }
}
