/**
 * A message in the hands of a worker that is dead, hangs, or is only slow: nobody else can tell which. Four workers, each a
 * process of its own: A is killed (kill -9) with a message in its hands; B is stopped (SIGSTOP) until long after its lease, then
 * goes on and tells its result; C works for more than two leases, alive all the time; D is healthy and takes whatever it is given.
 */
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import { timeoutHeartbeatFencing, type InsideDesk } from './visibility-timeout.kit.ts'
import naive, { type RunWorker } from './visibility-timeout.naive.ts'
import { follow, openWorld, workersChart, type World } from './visibility-timeout.world.ts'

/** What a worker is given (visibility-timeout.child.ts). */
export interface WorkerInput {
  readonly url: string
  readonly variant: VariantReference
  readonly leaseMs: number
  readonly name: string
  /** The message that it works on until it is let go. */
  readonly holds?: string
}

/** How long C works, in leases. */
const SLOW_LEASES = 2.2
/** How long a healthy worker may take for a message, and one that is let go to come to its end. */
const PATIENCE_MS = 8_000
/** A machine that stands still for most of a lease takes the heartbeat with it: that says nothing about the code. */
const MOST_TRIES = 3

const timeoutOnly: RunWorker = async ({ sql, work, pause, signal, leaseMs }) => {
  while (!signal.aborted) {
    const [message] = await sql<{ id: string }>(
      `UPDATE tasks SET attempt = attempt + 1, due_at = clock_timestamp() + $1 * interval '1 millisecond' WHERE id = (
         SELECT id FROM tasks WHERE state = 'open' AND due_at <= clock_timestamp() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING id`,
      [leaseMs],
    )
    if (!message) {
      await pause()
      continue
    }
    const result = await work(message.id)
    await sql(`INSERT INTO results VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET result = excluded.result`, [
      message.id,
      result,
    ])
    await sql(`UPDATE tasks SET state = 'done' WHERE id = $1`, [message.id])
  }
}

export const visibilityTimeout = lab<(desk: InsideDesk) => Promise<void>>()({
  id: 'visibility-timeout',
  phase: 3,
  title: { en: 'The worker that says nothing any more', es: 'El worker que ya no dice nada' },
  concept: {
    en:
      'A worker takes a message and falls silent. Is it dead, does it hang, or is it only slow? From outside they look the same. ' +
      'So a taken message is hidden for a while only (the visibility timeout, a lease): when that ends, another worker gets it. ' +
      'A worker that lives extends its lease (a heartbeat). And because one that was taken for dead may wake up and tell its ' +
      'result, each taking has a number, and only the newest counts (a fencing token).',
    es:
      'Un worker toma un mensaje y deja de hablar. ¿Ha muerto, se ha colgado o solo es lento? Desde fuera se ven igual. Por eso un ' +
      'mensaje tomado se oculta solo un rato (el visibility timeout, o lease): cuando vence, lo recibe otro worker. Un worker ' +
      'que vive alarga su lease (heartbeat). Y como alguno que se dio por muerto puede despertar y dar su resultado, cada toma ' +
      'lleva un número y solo cuenta el más nuevo (fencing token).',
  },
  watch: {
    en: 'What became of the messages of A (killed), B (stopped) and C (slow), and whether D took one from a worker that was alive.',
    es: 'Qué fue de los mensajes de A (muerto), B (parado) y C (lento), y si D le quitó alguno a un worker que estaba vivo.',
  },
  parameters: {
    leaseMs: {
      about: { en: 'The lease, in ms', es: 'El lease, en ms' },
      default: 500,
      small: 400,
      min: 300,
      max: 1_000,
    },
  },
  variants: [
    {
      name: 'no-timeout',
      expected: 'fails',
      about: {
        en: 'Taken is taken. The message of a worker that died waits for it for ever.',
        es: 'Tomado es tomado. El mensaje de un worker que murió lo espera para siempre.',
      },
      code: naive,
    },
    {
      name: 'timeout-only',
      expected: 'fails',
      about: {
        en: 'A taken message comes back after the lease. Nobody extends it, and whoever writes last wins.',
        es: 'Un mensaje tomado vuelve cuando vence su lease. Nadie lo alarga, y gana quien escribe el último.',
      },
      code: timeoutOnly,
    },
    {
      name: 'timeout-heartbeat-fencing',
      expected: 'holds',
      about: {
        en: 'The kit’s runner: a lease, extended while the work runs, and a token without which nobody can end the message.',
        es: 'El runner del kit: un lease, alargado mientras dura el trabajo, y un token sin el cual nadie puede cerrar el mensaje.',
      },
      code: timeoutHeartbeatFencing,
    },
  ],
  measures: {
    neverDone: { title: { en: 'never done', es: 'nunca hechos' } },
    overwritten: { title: { en: 'overwritten too late', es: 'pisados a destiempo' } },
    taken: { title: { en: 'taken from the living', es: 'quitados a vivos' } },
    backMs: { title: { en: 'A’s message: back after', es: 'el de A: vuelve tras' }, unit: 'ms' },
    heartbeats: { title: { en: 'heartbeats', es: 'heartbeats' } },
  },
  production: [
    {
      file: 'kit/task/postgres.ts',
      about: {
        en: 'claim, extend and lock: a lease and a token in one row, all by the database’s clock',
        es: 'claim, extend y lock: lease y token en una fila, todo con el reloj de la base',
      },
    },
    {
      file: 'kit/task/runner.ts',
      about: {
        en: 'the heartbeat (R1), and what becomes of an answer whose lease is lost',
        es: 'el heartbeat (R1), y qué pasa con una respuesta cuyo lease se perdió',
      },
    },
    {
      file: 'kit/pipeline/outcomes.ts',
      about: {
        en: 'nothing is decided for a claim whose token is no longer current (I11)',
        es: 'no se decide nada para una toma cuyo token ya no vale (I11)',
      },
    },
  ],
  scaffold: 'labs/messaging/visibility-timeout.naive.ts',

  async run(stage) {
    for (let tries = 1; ; tries++) {
      const { found, world } = await play(stage)
      const disturbed = found.taken > 0 && found.heartbeats > 0
      if (disturbed && tries < MOST_TRIES) continue
      tell(stage, world)
      return found
    }
  },

  fails: ({ neverDone, overwritten, taken }) => neverDone !== 0 || overwritten !== 0 || taken !== 0,
})

const MESSAGES = ['m1', 'm2', 'm3'] as const

async function play(stage: Stage<'leaseMs'>) {
  const { variant, timers, start, signal, progress } = stage
  const { leaseMs } = stage.parameters
  const world = await openWorld(stage)
  const { queue, see, seen, until, resultsOf } = world
  const begin = async (name: string, holds?: string) => {
    const input: WorkerInput = { url: world.url, variant, leaseMs, name, ...(holds === undefined ? {} : { holds }) }
    const process = await start('labs/messaging/visibility-timeout.child.ts', input)
    await process.next()
    return (): ReturnType<typeof follow> => follow(name, process, see)
  }
  const goA = await begin('A', 'm1')
  // Their program is made by now: those who make it at the same time would be in each other's way.
  const [goB, goC, goD] = await Promise.all([begin('B', 'm2'), begin('C', 'm3'), begin('D')])
  const take = async (message: string, go: typeof goA) => {
    await queue.publish([{ id: message, data: { id: message } }])
    const worker = go()
    await worker.holding
    return worker
  }
  const a = await take('m1', goA)
  see('killed', 'm1', 'A')
  await a.process.kill()
  const b = await take('m2', goB)
  b.process.pause()
  see('stopped', 'm2', 'B')
  const c = await take('m3', goC)
  const d = goD()
  progress(1, 3)

  await timers.sleep(SLOW_LEASES * leaseMs, signal)
  const back = () => resultsOf('m1').length > 0 && resultsOf('m2').length > 0
  if (!back()) {
    // D does what comes later: whoever does not get what came before by then never will.
    await queue.publish([{ id: 'm4', data: { id: 'm4' } }])
    const isGone = () => seen.some(({ what, worker }) => what === 'ended' && worker === 'D')
    await until(() => resultsOf('m4').length > 0 || isGone(), PATIENCE_MS)
    await until(back, leaseMs)
  }
  const workers = new Set(
    seen.flatMap(({ what, message, worker }) => (what === 'works' && message === 'm3' ? [worker] : [])),
  )
  progress(2, 3)

  see('continued', 'm2', 'B')
  b.process.resume()
  const others = [b, c, d]
  for (const { process } of others) {
    process.go()
    process.tell('end')
  }
  const ended = Promise.all(others.map((worker) => worker.ended))
  await Promise.race([ended, timers.sleep(PATIENCE_MS, signal)])
  const starts = seen.filter(({ what, message }) => what === 'works' && message === 'm1').map(({ ms }) => ms)
  const [first = 0, second] = starts
  const found = {
    neverDone: MESSAGES.filter((message) => resultsOf(message).length === 0).length,
    overwritten: MESSAGES.filter((message) => new Set(resultsOf(message)).size > 1).length,
    taken: Math.max(0, workers.size - 1),
    ...(second === undefined ? {} : { backMs: Math.round(second - first) }),
    heartbeats: seen.filter(({ what }) => what === 'heartbeat').length,
  }
  return { found, world }
}

function tell({ note, chart }: Stage<'leaseMs'>, { seen, resultsOf }: World): void {
  chart(workersChart(seen, { A: 'A, killed', B: 'B, stopped', C: 'C, slow', D: 'D' }))
  const [first, late] = resultsOf('m2')
  if (resultsOf('m1').length === 0) {
    note({
      en: 'A died with m1. D was idle all the time, did m4, which came later, and never got m1',
      es: 'A murió con m1. D estuvo desocupado todo el tiempo, hizo m4, que llegó después, y nunca recibió m1',
    })
  }
  if (late !== undefined && late !== first) {
    note({
      en: `m2 was done by ${first}. Then ${late} woke up and wrote its own result over it`,
      es: `m2 lo hizo ${first}. Después despertó ${late} y escribió encima su propio resultado`,
    })
  }
  if (first !== undefined && first !== 'B' && late === undefined) {
    note({
      en: `m2 was done by ${first}. Then B woke up and told its result: nothing changed`,
      es: `m2 lo hizo ${first}. Después despertó B y dio su resultado: no cambió nada`,
    })
  }
}
