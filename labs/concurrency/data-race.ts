/**
 * Threads that count together: a number in shared memory, written by all of them without any order between them.
 *
 * The first time that each thread has read and not yet written, it pauses until the others have read too, so updates are lost
 * whatever the machine does. What loses nothing by that runs again without the pause, longer and longer: somebody's own variant
 * may have it in the wrong place.
 */
import { programFile } from '@cauce/kit/program/program.js'
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import naive, { type Count } from './data-race.naive.ts'
import { meetingOf, sharedMemory, startThread, type Meeting } from './threads.ts'

/** What a thread is given when it starts (data-race.worker.ts), and then for each round. */
export interface CounterInput {
  readonly variant: VariantReference
}

export interface Round {
  readonly meeting: Meeting
  readonly memory: Int32Array
  readonly times: number
  /** Whether threads pause at all. */
  readonly pauses: boolean
}

export type FromCounter = 'ready' | 'done' | { readonly number: number }

/** How long the longest round takes in which a loss is searched for. */
const SEARCH_MS = { default: 200, small: 80 }
/** What a cell can hold, and some room. */
const MOST_COUNTED = 2 ** 30
const CELLS = 16

const atomics: Count = ({ memory, times }) => {
  for (let i = 0; i < times; i++) Atomics.add(memory, 0, 1)
}

/** memory[1] is the lock: 0 free, 1 taken. Whoever finds it taken sleeps until it changes. */
const lock: Count = ({ memory, times, pause }) => {
  for (let i = 0; i < times; i++) {
    while (Atomics.compareExchange(memory, 1, 0, 1) !== 0) Atomics.wait(memory, 1, 1, 1)
    const seen = memory[0]!
    pause()
    memory[0] = seen + 1
    Atomics.store(memory, 1, 0)
    Atomics.notify(memory, 1, 1)
  }
}

const messages: Count = ({ times, send }) => {
  let mine = 0
  for (let i = 0; i < times; i++) mine += 1
  send(mine)
}

export const dataRace = lab<Count>()({
  id: 'data-race',
  phase: 1,
  title: { en: 'Threads that count together', es: 'Hilos que cuentan juntos' },
  concept: {
    en:
      'memory[0]++ looks like one step and is three: read, add, write. Two threads that do it at the same time on the same memory, ' +
      'without anything that orders them, have a data race: both read 7, both write 8, one increment is gone. What a thread may ' +
      'see of another one’s writes is said by the language’s memory model. Order is made by atomic operations, by locks, or by ' +
      'not sharing at all and sending messages.',
    es:
      'memory[0]++ parece un paso y son tres: leer, sumar, escribir. Dos hilos que lo hacen a la vez sobre la misma memoria, sin ' +
      'nada que los ordene, tienen un data race: ambos leen 7, ambos escriben 8 y un incremento desaparece. Lo que un hilo puede ' +
      'ver de las escrituras de otro lo dice el modelo de memoria del lenguaje. El orden lo ponen las operaciones atómicas, los ' +
      'locks, o no compartir nada y mandarse mensajes.',
  },
  watch: {
    en: '“Counted” against “expected”. Run the plain one twice: it loses a different number each time.',
    es: '«Contado» frente a «esperado». Ejecuta dos veces la variante plain: cada vez pierde una cantidad distinta.',
  },
  parameters: {
    threads: {
      about: { en: 'Threads', es: 'Hilos' },
      default: 4,
      small: 2,
      min: 2,
      max: 16,
    },
    times: {
      about: { en: 'How often each of them counts', es: 'Cuántas veces cuenta cada uno' },
      default: 100_000,
      small: 10_000,
      min: 1,
      max: 1_000_000,
    },
  },
  variants: [
    {
      name: 'plain',
      expected: 'fails',
      about: { en: 'Read, add one, write.', es: 'Leer, sumar uno, escribir.' },
      code: naive,
    },
    {
      name: 'atomics',
      expected: 'holds',
      about: {
        en: 'Atomics.add: the processor reads, adds and writes as one step that no other thread can divide.',
        es: 'Atomics.add: el procesador lee, suma y escribe en un paso que ningún otro hilo puede partir.',
      },
      code: atomics,
    },
    {
      name: 'lock',
      expected: 'holds',
      about: {
        en: 'The same three steps, behind a lock made of Atomics.compareExchange, wait and notify.',
        es: 'Los mismos tres pasos, detrás de un lock hecho con Atomics.compareExchange, wait y notify.',
      },
      code: lock,
    },
    {
      name: 'messages',
      expected: 'holds',
      about: {
        en: 'Nothing is shared: each thread counts for itself and sends its number to the one that owns the sum.',
        es: 'No se comparte nada: cada hilo cuenta para sí y manda su número al único dueño de la suma.',
      },
      code: messages,
    },
  ],
  measures: {
    expected: { title: { en: 'expected', es: 'esperado' } },
    counted: { title: { en: 'counted', es: 'contado' } },
    lost: { title: { en: 'lost', es: 'perdidos' } },
    ms: { title: { en: 'time', es: 'tiempo' }, unit: 'ms' },
  },
  production: [
    {
      file: 'kit/pipeline/pipeline.ts',
      about: {
        en: 'Cauce shares no memory between threads: a process has one thread for its state, and processes share the database',
        es: 'Cauce no comparte memoria entre hilos: un proceso tiene un hilo para su estado, y los procesos comparten la base',
      },
    },
    {
      file: 'kit/log/message.ts',
      about: { en: 'what services say to each other: messages', es: 'lo que los servicios se dicen: mensajes' },
    },
  ],
  scaffold: 'labs/concurrency/data-race.naive.ts',

  async run(stage) {
    const { times } = stage.parameters
    const crew = await startCounters(stage)
    const first = await crew.play({ times, pauses: true })
    // The pause is not what the variant takes, so it is timed without.
    const { ms } = first.lost === 0 ? await crew.play({ times, pauses: false }) : first
    const search = first.lost === 0 ? await searchFor(stage, crew) : undefined
    const { lost, counted, expected } = search ?? first
    return { expected, counted, lost, ms }
  },

  fails: ({ lost }) => lost !== 0,
})

interface Played {
  readonly expected: number
  readonly counted: number
  readonly lost: number
  readonly ms: number
}

interface Crew {
  play(round: Pick<Round, 'times' | 'pauses'>): Promise<Played>
}

/** Longer and longer rounds, so that the operating system gets to interrupt threads in the middle; until one shows a loss. */
async function searchFor(
  { parameters, size, note }: Stage<'threads' | 'times'>,
  crew: Crew,
): Promise<Played | undefined> {
  const { threads } = parameters
  for (let { times } = parameters; threads * times < MOST_COUNTED; times *= 2) {
    const played = await crew.play({ times, pauses: false })
    if (played.lost !== 0) {
      note({
        en: `Nothing was lost at first; of ${played.expected} increments, ${played.lost} were`,
        es: `Al principio no se perdió nada; de ${played.expected} incrementos se perdieron ${played.lost}`,
      })
      return played
    }
    if (played.ms > SEARCH_MS[size]) break
  }
  return undefined
}

async function startCounters(stage: Stage<'threads' | 'times'>): Promise<Crew> {
  const { parameters, variant, clock } = stage
  const { threads } = parameters
  let memory = sharedMemory(CELLS)
  let said = 0
  let all = () => {}
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)
  /** Resolves when every thread has said that it is ready, or done. */
  const everybody = (): Promise<void> => {
    said = 0
    const arrived = new Promise<void>((resolve) => {
      all = resolve
    })
    return Promise.race([arrived, failed])
  }
  const hear = (message: unknown) => {
    const from = message as FromCounter
    if (typeof from === 'object') memory[0] = memory[0]! + from.number
    else if (++said === threads) all()
  }
  const ready = everybody()
  const input: CounterInput = { variant }
  const file = await programFile('labs/concurrency/data-race.worker.ts')
  const crew = Array.from({ length: threads }, () => startThread(stage, { file, data: input, onMessage: hear }))
  for (const { ended } of crew) ended.then(() => fail(new Error('A thread ended')), fail)
  await ready
  return {
    async play({ times, pauses }) {
      memory = sharedMemory(CELLS)
      const round: Round = { meeting: meetingOf(threads), memory, times, pauses }
      const begun = clock.monotonic()
      const done = everybody()
      for (const { worker } of crew) worker.postMessage(round, [])
      await done
      const ms = Math.round(clock.monotonic() - begun)
      const [expected, counted] = [threads * times, Atomics.load(memory, 0)]
      return { expected, counted, lost: expected - counted, ms }
    },
  }
}
