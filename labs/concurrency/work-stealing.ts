/**
 * Workers with queues of very different length: who is allowed to take what?
 *
 * Tasks wait for as long as they take, in real time, as work does that asks somebody else. The measure is the makespan, from the
 * first task's beginning to the last one's end, against what no plan can beat: the work that was done divided by the workers, or the
 * longest task. Both are taken from the same run, so a machine that is late with everything changes neither.
 */
import type { Chart } from '../contract.ts'
import { lab, numberOf } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import { assignTasks, Floor, type AssignedTask, type Done } from './work-stealing-floor.ts'
import naive, { type Work } from './work-stealing.naive.ts'
import { shareQueue } from './work-stealing-queue.ts'

/** With a plan that leaves nobody idle it is little more than 1; with most of the work in one queue, most of the number of workers. */
const WORST_RATIO = 3

const pool: Work = async ({ queues, run }) => {
  const take = () => queues.find((queue) => queue.length > 0)?.shift()
  for (let task = take(); task; task = take()) await run(task)
}

const stealing: Work = async ({ number, queues, run }) => {
  const longest = () => queues.reduce((one, other) => (other.length > one.length ? other : one))
  // From one's own queue the first, from somebody else's the last: thief and owner meet as seldom as can be.
  const take = () => queues[number]!.shift() ?? longest().pop()
  for (let task = take(); task; task = take()) await run(task)
}

/** How the work is shared out: by what each worker does, or by the product's task queue. */
type Sharing = Work | 'task-queue'

export const workStealing = lab<Sharing>()({
  id: 'work-stealing',
  phase: 1,
  title: { en: 'One worker is buried, the others are idle', es: 'Un worker desbordado y los demás parados' },
  concept: {
    en:
      'Work that is assigned in advance is assigned by a guess: by customer, by hash, by turn. When the guess is wrong, one worker is ' +
      'buried and the others are idle, and everything takes as long as the fullest queue (the makespan). A shared pool assigns ' +
      'nothing: whoever is free takes the next task. With work stealing each worker has a queue of its own, and takes from ' +
      'another one only when its own is empty.',
    es:
      'El trabajo que se asigna de antemano se asigna adivinando: por cliente, por hash, por turno. Si se adivina mal, un worker ' +
      'queda desbordado y los demás parados, y todo tarda lo que la cola más llena (el makespan). Un pool compartido no asigna ' +
      'nada: quien está libre toma la siguiente tarea. Con work stealing cada worker tiene su propia cola y solo toma de otra ' +
      'cuando la suya está vacía.',
  },
  watch: {
    en: 'The timeline: how long do the others do nothing? The label is the queue that a task came from.',
    es: 'La línea de tiempo: ¿cuánto rato no hacen nada los demás? La etiqueta es la cola de la que vino la tarea.',
  },
  parameters: {
    workers: {
      about: { en: 'Workers, each with a queue', es: 'Workers, cada uno con una cola' },
      default: 8,
      small: 8,
      min: 8,
      max: 32,
    },
    tasks: {
      about: {
        en: 'Tasks of 30 to 70 ms, four fifths in one queue',
        es: 'Tareas de 30 a 70 ms, cuatro quintos en una cola',
      },
      default: 48,
      small: 32,
      min: 32,
      max: 150,
    },
  },
  variants: [
    {
      name: 'fixed',
      expected: 'fails',
      about: {
        en: 'Each worker does what lies in its own queue.',
        es: 'Cada worker hace lo que hay en su propia cola.',
      },
      code: naive,
    },
    {
      name: 'pool',
      expected: 'holds',
      about: {
        en: 'Whoever is free takes the next task, whosever it was.',
        es: 'Quien está libre toma la siguiente tarea, fuera de quien fuera.',
      },
      code: pool,
    },
    {
      name: 'stealing',
      expected: 'holds',
      about: {
        en: 'First its own queue; when that is empty, the last task of the longest.',
        es: 'Primero la propia cola; si está vacía, la última tarea de la más larga.',
      },
      code: stealing,
    },
    {
      name: 'task-queue',
      expected: 'holds',
      about: {
        en: 'Cauce’s task queue on PostgreSQL: a pool that any number of processes share.',
        es: 'La cola de tareas de Cauce en PostgreSQL: un pool que comparten los procesos que haga falta.',
      },
      code: 'task-queue',
    },
  ],
  measures: {
    makespanMs: { title: { en: 'makespan', es: 'makespan' }, unit: 'ms' },
    bestMs: { title: { en: 'no plan beats', es: 'ningún plan mejora' }, unit: 'ms' },
    ratio: { title: { en: 'how much longer', es: 'cuánto más' }, unit: '×' },
    moved: { title: { en: 'done by another worker', es: 'hechas por otro worker' } },
  },
  production: [
    {
      file: 'kit/task/postgres.ts',
      about: {
        en: 'the claim: the oldest tasks that are due and nobody has (FOR UPDATE SKIP LOCKED)',
        es: 'la toma: las tareas pendientes más antiguas que no tiene nadie (FOR UPDATE SKIP LOCKED)',
      },
    },
    {
      file: 'kit/pipeline/consumer.ts',
      about: {
        en: 'a free worker takes any free lane of a log, whichever process it is in',
        es: 'un worker libre toma cualquier carril libre de un log, esté en el proceso que esté',
      },
    },
  ],
  scaffold: 'labs/concurrency/work-stealing.naive.ts',

  async run(stage, sharing) {
    const { workers, tasks: count } = stage.parameters
    const tasks = assignTasks(count, workers, stage.random('tasks'))
    const openFloor = () => new Floor(tasks, stage)
    const floor =
      sharing === 'task-queue'
        ? await shareQueue(stage, workers, tasks, openFloor)
        : await workTogether(stage, workers, tasks, sharing, openFloor())
    const { done } = floor
    stage.chart(timeline(stage, workers, done))
    const lengths = done.map(({ from, to }) => to - from)
    const best = Math.max(lengths.reduce((sum, each) => sum + each, 0) / workers, ...lengths)
    const begun = Math.min(...done.map(({ from }) => from))
    const makespan = Math.max(...done.map(({ to }) => to)) - begun
    return {
      makespanMs: Math.round(makespan),
      bestMs: Math.round(best),
      ratio: Math.round((makespan / best) * 10) / 10,
      ...(sharing === 'task-queue'
        ? {}
        : { moved: done.filter(({ task, worker }) => task.assigned !== worker).length }),
      undone: count - done.length,
    }
  },

  fails: (measured) => measured['undone'] !== 0 || numberOf(measured, 'ratio') >= WORST_RATIO,
})

async function workTogether(
  { progress }: Stage,
  workers: number,
  tasks: readonly AssignedTask[],
  work: Work,
  floor: Floor,
): Promise<Floor> {
  const queues = Array.from({ length: workers }, (_, number) => tasks.filter(({ assigned }) => assigned === number))
  const days = queues.map((_, number) =>
    work({
      number,
      queues,
      async run({ name }) {
        await floor.run(number, name)
        progress(floor.done.length, tasks.length)
      },
    }),
  )
  await Promise.all(days)
  return floor
}

function timeline({ variant }: Stage, workers: number, done: readonly Done[]): Chart {
  return {
    kind: 'timeline',
    title: { en: `Who works when, ${variant.name}`, es: `Quién trabaja cuándo, ${variant.name}` },
    rows: Array.from({ length: workers }, (_, number) => ({
      name: `worker ${number + 1}`,
      spans: done
        .filter(({ worker }) => worker === number)
        .map(({ task, from, to }) => ({ from, to, label: `${task.assigned + 1}` })),
    })),
  }
}
