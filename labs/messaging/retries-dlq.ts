/**
 * Messages of which some fail a few times and one fails always, on three queues: one that never tries again, one that always
 * does, and one with a backoff, a last attempt and dead letters.
 *
 * Nothing is left to chance: which message fails how often follows from the seed. A queue that tries for ever is stopped at a
 * number of attempts that no other needs: the attempt behind the last never comes back.
 */
import { integerBetween, type Random } from '@cauce/kit/core/prng'
import type { Chart, Measured } from '../contract.ts'
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import { backoff, retriesAndDeadLetters } from './retries-dlq.kit.ts'
import noRetry, { type DeadLetter, type Open, type Post, type Queue } from './retries-dlq.naive.ts'

type OpenQueue = (post: Post, stage: Stage, url: string) => Queue | Promise<Queue>

/** A message with a transient fault succeeds at its fourth attempt or before. */
const MOST_FAULTS = 3
const POISON_ERROR = 'there is no template called spring-sale'
const TRANSIENT_ERROR = '503 try again later'
const CHART_POINTS = 80

const retryForEver: Open = (post) => ({
  ...noRetry(post),
  async work() {
    const { sql, send } = post
    for (;;) {
      const [next] = await sql<{ id: string }>('SELECT id FROM queue ORDER BY id LIMIT 1')
      if (!next) return
      const isSent = await send(next.id).then(
        () => true,
        () => false,
      )
      if (isSent) await sql('DELETE FROM queue WHERE id = $1', [next.id])
    }
  },
})

export const retriesDlq = lab<OpenQueue>()({
  id: 'retries-dlq',
  phase: 3,
  title: { en: 'Retries, a poison message and dead letters', es: 'Reintentos, un poison message y dead letters' },
  concept: {
    en:
      'Most faults pass: a server restarts, a connection breaks. Whoever does not try again loses what would have worked a ' +
      'second later. One kind does not pass: a message that fails every time, because something in it or in the code is wrong. ' +
      'Whoever tries that one for ever works for nothing, and all that wait behind it wait for ever. So a message has a last ' +
      'attempt, with growing, random pauses before it. Then it is set aside with its error, as a dead letter, the others flow, ' +
      'and it is put back when the cause is mended.',
    es:
      'La mayoría de los fallos pasan: un servidor se reinicia, una conexión se rompe. Quien no reintenta pierde lo que un ' +
      'segundo después habría funcionado. Hay un fallo que no pasa: un mensaje que falla siempre, porque algo en él o en el ' +
      'código está mal. Quien lo reintenta sin fin trabaja para nada, y lo que espera detrás espera para siempre. Por eso un ' +
      'mensaje tiene un último intento, con pausas crecientes y aleatorias antes. Después se aparta con su error, como dead ' +
      'letter, los demás siguen, y se devuelve a la cola cuando la causa está arreglada.',
  },
  watch: {
    en: 'Good messages that never arrived, attempts wasted on the poison message, and whether it was still delivered after the fix. The chart shows attempts over time.',
    es: 'Los mensajes buenos que nunca llegaron, los intentos gastados en el poison message y si se entregó tras el arreglo. La gráfica muestra los intentos en el tiempo.',
  },
  parameters: {
    messages: {
      about: {
        en: 'Messages, of which one is poison and a third fails a few times',
        es: 'Mensajes: uno es poison y un tercio falla unas cuantas veces',
      },
      default: 60,
      small: 20,
      min: 4,
      max: 500,
    },
  },
  variants: [
    {
      name: 'no-retry',
      expected: 'fails',
      about: {
        en: 'Take it out, try once. What failed is gone, also what would have worked a moment later.',
        es: 'Sacarlo y probar una vez. Lo que falló se pierde, también lo que un momento después habría funcionado.',
      },
      code: noRetry,
    },
    {
      name: 'retry-for-ever',
      expected: 'fails',
      about: {
        en: 'Take it out when it has worked, and else try again, at once. The poison message stays at the front for ever.',
        es: 'Sacarlo cuando ha funcionado y, si no, reintentar en el acto. El poison message se queda delante para siempre.',
      },
      code: retryForEver,
    },
    {
      name: 'retries-and-dead-letters',
      expected: 'holds',
      about: {
        en: `The kit’s task queue: at most ${backoff.attempts} attempts, a backoff with full jitter, dead letters, a redrive.`,
        es: `La cola de tareas del kit: ${backoff.attempts} intentos como mucho, backoff con full jitter, dead letters y redrive.`,
      },
      code: retriesAndDeadLetters,
    },
  ],
  measures: {
    delivered: { title: { en: 'good ones delivered', es: 'buenos entregados' } },
    missing: { title: { en: 'good ones missing', es: 'buenos perdidos' } },
    attempts: { title: { en: 'attempts at the poison', es: 'intentos del poison' } },
    dead: { title: { en: 'dead letters', es: 'dead letters' } },
    redriven: { title: { en: 'delivered after the fix', es: 'entregados tras el arreglo' } },
  },
  production: [
    {
      file: 'kit/policy/backoff.ts',
      about: {
        en: 'how long to wait: random(0, min(cap, base · 2ⁿ)), a pure function',
        es: 'cuánto esperar: random(0, min(cap, base · 2ⁿ)), una función pura',
      },
    },
    {
      file: 'kit/pipeline/outcomes.ts',
      about: {
        en: 'a retry reopens the task; the last one dead-letters it, and its decision is told',
        es: 'un retry reabre la tarea; el último la manda a dead letters, y se avisa a su decisión',
      },
    },
    {
      file: 'kit/pipeline/dead-letters.ts',
      about: {
        en: 'redrive: fresh attempts under the same id, which is the provider’s idempotency key',
        es: 'redrive: intentos nuevos con el mismo id, que es la clave de idempotencia ante el proveedor',
      },
    },
    {
      file: 'docs/runbooks/parked-and-dead.md',
      about: { en: 'what an operator does about them', es: 'lo que hace un operador con ellas' },
    },
  ],
  scaffold: 'labs/messaging/retries-dlq.naive.ts',

  async run(stage, open) {
    const { parameters, timers, random } = stage
    const { url, query, pool } = await stage.database()
    await query('CREATE TABLE queue (id text PRIMARY KEY, attempts integer NOT NULL DEFAULT 0, error text)')
    const world = new MailWorld(parameters.messages, random('faults'), stage)
    const chance = random('jitter')
    const sql = async <Row extends object>(statement: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(statement, [...values])).rows
    const queue = await open(
      { sql, send: world.send, sleep: (ms) => timers.sleep(ms), random: () => chance.next() },
      stage,
      url,
    )
    await Promise.all(world.ids.map((id) => queue.accept(id)))
    const isAtRest = await world.until(queue.work())
    const before = world.good()
    const dead = isAtRest ? await queue.deadLetters() : []
    const poisonIsDead = dead.some((letter) => isAbout(letter, world.poison))
    const attempts = world.attemptsAt(world.poison)
    stage.chart(world.chart())
    await noteWhatIsLeft(stage, query, { isAtRest, attempts, ...before })
    if (poisonIsDead) {
      world.mend()
      await queue.redrive(world.poison)
      await world.until(queue.work())
    }
    return {
      ...before,
      attempts,
      dead: dead.length,
      poisonIsDead,
      redriven: world.deliveriesOf(world.poison),
      doubled: world.doubled(),
    }
  },

  fails: ({ missing, poisonIsDead, redriven, doubled }) =>
    missing !== 0 || !poisonIsDead || redriven !== 1 || doubled !== 0,
})

/** Somebody's own queue may have forgotten the error. */
const isAbout = ({ id, error }: Partial<DeadLetter>, message: string): boolean =>
  id === message && (error ?? '').includes(POISON_ERROR)

interface Attempt {
  readonly ms: number
  readonly isPoison: boolean
}

/** What the messages are sent to: it fails as it was decided in the beginning, and counts. */
class MailWorld {
  readonly ids: readonly string[]
  readonly poison: string
  readonly #faults: ReadonlyMap<string, number>
  readonly #clock: Stage['clock']
  readonly #begun: number
  readonly #mostAttempts: number
  readonly #attempts: Attempt[] = []
  readonly #attemptsAt = new Map<string, number>()
  readonly #deliveries = new Map<string, number>()
  readonly #stopped: Promise<false>
  #stop = () => {}
  #mended = false

  constructor(count: number, random: Random, { clock }: Pick<Stage, 'clock'>) {
    this.ids = Array.from({ length: count }, (_, i) => `mail-${String(i + 1).padStart(3, '0')}`)
    // Near the front: most wait behind it.
    this.poison = this.ids[Math.floor(count / 4)]!
    const others = this.ids.filter((id) => id !== this.poison)
    const faulty = shuffled(others, random).slice(0, Math.ceil(others.length / 3))
    this.#faults = new Map(faulty.map((id) => [id, integerBetween(random, 1, MOST_FAULTS)]))
    this.#clock = clock
    this.#begun = clock.monotonic()
    this.#mostAttempts = 5 * count + 200
    this.#stopped = new Promise((resolve) => {
      this.#stop = () => resolve(false)
    })
  }

  readonly send = async (id: string): Promise<void> => {
    if (this.#attempts.length === this.#mostAttempts) {
      this.#stop()
      await new Promise(() => {})
    }
    this.#attempts.push({ ms: this.#clock.monotonic() - this.#begun, isPoison: id === this.poison })
    const attempt = this.attemptsAt(id) + 1
    this.#attemptsAt.set(id, attempt)
    if (id === this.poison && !this.#mended) throw new Error(POISON_ERROR)
    if (attempt <= (this.#faults.get(id) ?? 0)) throw new Error(TRANSIENT_ERROR)
    this.#deliveries.set(id, this.deliveriesOf(id) + 1)
  }

  mend(): void {
    this.#mended = true
  }

  /** False when the work was stopped, because it went on and on. */
  until(work: Promise<void>): Promise<boolean> {
    return Promise.race([work.then(() => true), this.#stopped])
  }

  attemptsAt = (id: string): number => this.#attemptsAt.get(id) ?? 0

  deliveriesOf = (id: string): number => this.#deliveries.get(id) ?? 0

  good(): { delivered: number; missing: number } {
    const others = this.ids.filter((id) => id !== this.poison)
    const delivered = others.filter((id) => this.#deliveries.has(id)).length
    return { delivered, missing: others.length - delivered }
  }

  doubled(): number {
    return this.ids.filter((id) => this.deliveriesOf(id) > 1).length
  }

  chart(): Chart {
    const series = [false, true].map((isPoison) => {
      const times = this.#attempts.filter((attempt) => attempt.isPoison === isPoison).map(({ ms }) => ms)
      const points = times.map((ms, i) => [Math.round(ms), i + 1] as const)
      const every = Math.ceil(points.length / CHART_POINTS)
      const shown = points.filter((_, i) => i % every === 0 || i === points.length - 1)
      return { name: isPoison ? 'poison' : 'good', points: shown }
    })
    return {
      kind: 'lines',
      title: { en: 'Attempts so far', es: 'Intentos hasta el momento' },
      x: { title: { en: 'time', es: 'tiempo' }, unit: 'ms' },
      y: { title: { en: 'attempts', es: 'intentos' } },
      series: series.filter(({ points }) => points.length > 0),
    }
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const places = items.map((item) => ({ item, place: random.next() }))
  return places.toSorted((one, other) => one.place - other.place).map(({ item }) => item)
}

async function noteWhatIsLeft(
  { note }: Pick<Stage, 'note'>,
  query: LabDatabase['query'],
  found: Measured,
): Promise<void> {
  const { isAtRest, attempts, missing } = found
  if (!isAtRest) {
    const [left] = await query<{ first: string; count: number }>(
      'SELECT min(id) AS first, count(*)::int AS count FROM queue',
    )
    note({
      en: `Stopped after ${attempts} attempts at the poison message. At the front of the queue: ${left?.first}; waiting: ${left?.count}`,
      es: `Parado tras ${attempts} intentos del poison message. El primero de la cola: ${left?.first}; esperando: ${left?.count}`,
    })
  } else if (missing !== 0) {
    note({
      en: `${missing} good messages met “${TRANSIENT_ERROR}” and are nowhere any more`,
      es: `${missing} mensajes buenos toparon con «${TRANSIENT_ERROR}» y ya no están en ninguna parte`,
    })
  }
}
