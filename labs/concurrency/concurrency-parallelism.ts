/**
 * Work that waits and work that computes, at the same time, on one event loop: who keeps whom from going on?
 *
 * The requests that wait are real queries (pg_sleep), the work that computes counts primes. While both are under way the delay of
 * the event loop is measured: how much later than due a timer comes. It is compared with the time that one job computes, so a slow
 * machine changes both.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { Piscina } from 'piscina'
import { programFile } from '@cauce/kit/program/program.js'
import type { Chart } from '../contract.ts'
import type { LabDatabase } from '../harness/database.ts'
import { lab, numberOf } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import naive, { type Job, type Machine, type Work } from './concurrency-parallelism.naive.ts'
import type { Counted } from './concurrency-parallelism.worker.ts'
import { countPrimes } from './primes.ts'

/** Large enough that one division follows the other for a while. */
const FIRST = 1_000_000_000
const SLICES = 100
const THREADS = 2
/** Requests that wait for the database, and for how long. */
const REQUESTS = 10
const WAIT_MS = 50
/** So many of them are in the chart. */
const SHOWN = 4
/** How often the event loop is asked how late it is. */
const LOOK_MS = 5

const pool: Work = ({ from, to }, machine) => machine.pool(from, to)

const slices: Work = async ({ from, to }, { primes, turn: next }) => {
  const step = Math.ceil((to - from) / SLICES)
  let count = 0
  for (let at = from; at < to; at += step) {
    count += primes(at, Math.min(at + step, to))
    await next()
  }
  return count
}

export const concurrencyParallelism = lab<Work>()({
  id: 'concurrency-parallelism',
  phase: 1,
  title: { en: 'Waiting and computing on one event loop', es: 'Esperar y calcular en un solo event loop' },
  concept: {
    en:
      'Concurrency is having many things under way; parallelism is doing several at the same instant. Work that waits for a disk, ' +
      'a network or a database (I/O-bound) needs only the first: one thread asks for everything and takes each answer as it ' +
      'comes. Work that computes (CPU-bound) needs a core for as long as it takes. On Node’s event loop it keeps that one thread ' +
      'to itself, and every answer, timer and request waits, `async` or not. It belongs into another thread.',
    es:
      'Concurrencia es tener muchas cosas en marcha; paralelismo, hacer varias en el mismo instante. El trabajo que espera a un ' +
      'disco, una red o una base de datos (I/O-bound) solo necesita lo primero: un hilo lo pide todo y atiende cada respuesta ' +
      'cuando llega. El trabajo que calcula (CPU-bound) necesita un núcleo mientras dure. En el event loop de Node se queda con ' +
      'ese único hilo, y toda respuesta, temporizador y petición espera, con `async` o sin él. Su sitio es otro hilo.',
  },
  watch: {
    en: 'The event loop’s longest delay, and the slowest of the requests that only had to wait 50 ms, all of them together.',
    es: 'El mayor retraso del event loop, y la más lenta de las peticiones que solo tenían que esperar 50 ms, todas a la vez.',
  },
  parameters: {
    jobs: {
      about: { en: 'Jobs that compute', es: 'Trabajos que calculan' },
      default: 4,
      small: 3,
      min: 3,
      max: 8,
    },
    numbers: {
      about: { en: 'Numbers that each of them looks at', es: 'Números que mira cada uno' },
      default: 60_000,
      small: 40_000,
      min: 40_000,
      max: 100_000,
    },
  },
  variants: [
    {
      name: 'on-the-loop',
      expected: 'fails',
      about: {
        en: 'An async function that computes. It runs on the event loop until it is done.',
        es: 'Una función async que calcula. Corre en el event loop hasta que acaba.',
      },
      code: naive,
    },
    {
      name: 'pool',
      expected: 'holds',
      about: {
        en: 'A pool of two threads computes, in parallel where there are two cores; the event loop only waits for the results.',
        es: 'Calcula un pool de dos hilos, en paralelo si hay dos núcleos; el event loop solo espera los resultados.',
      },
      code: pool,
    },
    {
      name: 'slices',
      expected: 'holds',
      about: {
        en: 'On the event loop, in a hundred slices: after each of them everybody else has a turn. Concurrent, not parallel.',
        es: 'En el event loop, en cien trozos: después de cada uno les toca a los demás. Concurrente, no paralelo.',
      },
      code: slices,
    },
  ],
  measures: {
    jobMs: { title: { en: 'one job', es: 'un trabajo' }, unit: 'ms' },
    totalMs: { title: { en: 'all jobs', es: 'todos los trabajos' }, unit: 'ms' },
    blockedMs: { title: { en: 'longest delay of the loop', es: 'mayor retraso del loop' }, unit: 'ms' },
    slowestMs: { title: { en: 'slowest request', es: 'petición más lenta' }, unit: 'ms' },
  },
  production: [
    {
      file: 'kit/pipeline/consumer.ts',
      about: {
        en: 'waits for many things at once on one event loop; more cores are more processes',
        es: 'espera a muchas cosas a la vez en un event loop; más núcleos son más procesos',
      },
    },
    {
      file: 'kit/http/shedding.ts',
      about: {
        en: 'watches the event loop’s delay and refuses work before everybody waits',
        es: 'vigila el retraso del event loop y rechaza trabajo antes de que espere todo el mundo',
      },
    },
  ],
  scaffold: 'labs/concurrency/concurrency-parallelism.naive.ts',

  async run(stage, work) {
    const { jobs, numbers } = stage.parameters
    const threads = await openPool(stage)
    const { query } = await waitingDatabase(stage)
    const list = Array.from({ length: jobs }, (_, i): Job => {
      const from = FIRST + i * numbers
      return { from, to: from + numbers }
    })
    const alone = await threads.run(list[0]!)
    const right = await Promise.all(list.map((job) => countOf(job, threads)))
    const watching = watch(stage)
    const spans: Span[] = []
    const machine = machineOf(threads, numbers, spans)
    const waits = Array.from({ length: REQUESTS }, async (_, i) => {
      const from = now()
      await query('SELECT pg_sleep($1)', [WAIT_MS / 1000])
      return { row: `I/O ${i + 1}`, label: '', from, to: now() }
    })
    // The requests are on their way before anybody computes.
    await turn()
    const begun = now()
    const counts = await Promise.all(list.map((job) => work(job, machine)))
    const totalMs = now() - begun
    const requests = await Promise.all(waits)
    const { blockedMs, delays } = await watching.end()
    stage.chart(timeline(stage, begun, [...spans, ...requests.slice(0, SHOWN)]))
    stage.chart(delayCurve(stage, begun, delays))
    const computed = spans.reduce((sum, { from, to }) => sum + to - from, 0)
    return {
      // Under the same conditions as the delay; somebody who computes in a way of their own is not watched at it.
      jobMs: Math.round(computed > 0 ? computed / jobs : alone.to - alone.from),
      totalMs: Math.round(totalMs),
      blockedMs: Math.round(blockedMs),
      slowestMs: Math.round(Math.max(...requests.map(({ from, to }) => to - from))),
      right: counts.every((count, i) => count === right[i]),
    }
  },

  // On the loop it is late by all jobs together, and a loop that is free by a few milliseconds.
  fails: (measured) =>
    measured['right'] !== true || numberOf(measured, 'blockedMs') >= 0.8 * numberOf(measured, 'jobMs'),
})

const now = () => performance.timeOrigin + performance.now()

/** Who did what, when, in milliseconds since the epoch. */
interface Span {
  readonly row: string
  readonly label: string
  readonly from: number
  readonly to: number
}

async function openPool({ closing }: Pick<Stage, 'closing'>): Promise<Piscina<Job, Counted>> {
  const filename = await programFile('labs/concurrency/concurrency-parallelism.worker.ts')
  const threads = new Piscina<Job, Counted>({ filename, minThreads: THREADS, maxThreads: THREADS })
  closing(() => threads.destroy())
  // Each thread has started, and made its code fast, before anything is measured.
  await Promise.all(Array.from({ length: THREADS }, () => threads.run({ from: FIRST, to: FIRST + 5_000 })))
  return threads
}

const counted = new Map<string, number>()

/** What is right; computed once for all variants. */
async function countOf(job: Job, threads: Piscina<Job, Counted>): Promise<number> {
  const name = `${job.from} ${job.to}`
  const known = counted.get(name) ?? (await threads.run(job)).count
  counted.set(name, known)
  return known
}

/** With a connection open for each request. */
async function waitingDatabase(stage: Stage): Promise<LabDatabase> {
  const database = await stage.database()
  await Promise.all(Array.from({ length: REQUESTS }, () => database.query('SELECT pg_sleep(0.01)')))
  return database
}

function machineOf(threads: Piscina<Job, Counted>, numbers: number, spans: Span[]): Machine {
  const labelOf = (from: number) => `${Math.floor((from - FIRST) / numbers) + 1}`
  const names = new Map<number, string>()
  return {
    primes(from, to) {
      const began = now()
      const count = countPrimes(from, to)
      spans.push({ row: 'event loop', label: labelOf(from), from: began, to: now() })
      return count
    },
    async pool(from, to) {
      const { count, thread, ...times } = await threads.run({ from, to })
      if (!names.has(thread)) names.set(thread, `thread ${names.size + 1}`)
      spans.push({ row: names.get(thread)!, label: labelOf(from), ...times })
      return count
    },
    turn: () => turn(),
  }
}

interface Delay {
  readonly at: number
  readonly ms: number
}

/** Measures how late the event loop is: its longest delay, and a curve of it. */
function watch({ timers }: Pick<Stage, 'timers'>) {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  const delays: Delay[] = []
  let isOver = false
  const looking = (async () => {
    while (!isOver) {
      const due = now() + LOOK_MS
      await timers.sleep(LOOK_MS)
      delays.push({ at: due, ms: Math.max(0, now() - due) })
    }
  })()
  histogram.enable()
  return {
    async end() {
      isOver = true
      await looking
      histogram.disable()
      const blockedMs = Math.max(histogram.max / 1e6, ...delays.map(({ ms }) => ms))
      return { blockedMs, delays }
    },
  }
}

function timeline({ variant }: Stage, begun: number, spans: readonly Span[]): Chart {
  const rows = [...new Set(spans.map(({ row }) => row))].toSorted()
  return {
    kind: 'timeline',
    title: { en: `Who does what, ${variant.name}`, es: `Quién hace qué, ${variant.name}` },
    rows: rows.map((name) => ({
      name,
      spans: spans
        .filter(({ row }) => row === name)
        .map(({ label, from, to }) => ({ label, from: Math.max(0, from - begun), to: to - begun })),
    })),
  }
}

function delayCurve({ variant }: Stage, begun: number, delays: readonly Delay[]): Chart {
  return {
    kind: 'lines',
    title: { en: `The event loop’s delay, ${variant.name}`, es: `El retraso del event loop, ${variant.name}` },
    x: { title: { en: 'time', es: 'tiempo' }, unit: 'ms' },
    y: { title: { en: 'delay', es: 'retraso' }, unit: 'ms' },
    series: [{ name: variant.name, points: delays.map(({ at, ms }) => [Math.max(0, at - begun), ms] as const) }],
  }
}
