/**
 * A producer that is faster than its consumer, and what lies between the two: a buffer without a limit keeps everything until
 * memory is full; one with a limit has to say what happens when it is full. How the turns go is in backpressure-turns.ts.
 */
import { lab } from '../harness/lab.ts'
import { playTurns } from './backpressure-turns.ts'
import unbounded, { type Answer, type Item, type MakeChannel } from './backpressure.naive.ts'

/** What the variants with a limit share: a line, and a consumer that may wait at its head. */
function line() {
  const items: Item[] = []
  const takers: ((item: Item) => void)[] = []
  return {
    get length() {
      return items.length
    },
    push(item: Item) {
      const taker = takers.shift()
      if (taker) taker(item)
      else items.push(item)
    },
    shift: () => items.shift(),
    async take() {
      return items.shift() ?? new Promise<Item>((resolve) => takers.push(resolve))
    },
  }
}

const boundedAwait: MakeChannel = ({ capacity }) => {
  const items = line()
  const waiting: (() => void)[] = []
  return {
    async offer(item): Promise<Answer> {
      while (items.length >= capacity) await new Promise<void>((resolve) => waiting.push(resolve))
      items.push(item)
      return 'accepted'
    },
    async take() {
      const item = await items.take()
      waiting.shift()?.()
      return item
    },
  }
}

const drop: MakeChannel = ({ capacity, dropped }) => {
  const items = line()
  return {
    offer(item) {
      const oldest = items.length >= capacity ? items.shift() : undefined
      if (oldest) dropped(oldest)
      items.push(item)
      return 'accepted'
    },
    take: () => items.take(),
  }
}

const reject: MakeChannel = ({ capacity }) => {
  const items = line()
  return {
    offer(item) {
      if (items.length >= capacity) return 'refused'
      items.push(item)
      return 'accepted'
    },
    take: () => items.take(),
  }
}

export const backpressure = lab<MakeChannel>()({
  id: 'backpressure',
  phase: 1,
  title: { en: 'More arrives than is done', es: 'Llega más de lo que se hace' },
  concept: {
    en:
      'Whatever arrives faster than it is done has to be somewhere. A buffer without a limit looks like a solution: everybody ' +
      'gets a quick “accepted”. It grows as long as the overload lasts, everything in it waits longer and longer, and in the end ' +
      'the process dies with all of it. Backpressure means that the slow side can make the fast side slow down. A buffer with a ' +
      'limit has three ways to be full: let the producer wait, throw something away, or refuse.',
    es:
      'Lo que llega más deprisa de lo que se hace tiene que estar en alguna parte. Un buffer sin límite parece una solución: todos ' +
      'reciben enseguida un «aceptado». Crece mientras dura la sobrecarga, lo que hay dentro espera cada vez más y al final el ' +
      'proceso muere con todo ello. Backpressure (contrapresión) es que el lado lento pueda frenar al rápido. Un buffer con límite ' +
      'tiene tres maneras de estar lleno: que el productor espere, tirar algo, o rechazar.',
  },
  watch: {
    en: 'The curves of items and memory. With a limit both are flat; look for where the overload went instead.',
    es: 'Las curvas de elementos y de memoria. Con límite las dos son planas; busca adónde ha ido la sobrecarga.',
  },
  parameters: {
    producers: {
      about: {
        en: 'Producers: so many requests arrive for each one that is done',
        es: 'Productores: cuántas peticiones llegan por cada una que se hace',
      },
      default: 8,
      small: 4,
      min: 2,
      max: 20,
    },
    turns: {
      about: {
        en: 'Turns: the consumer does one item in each',
        es: 'Turnos: el consumidor hace un elemento en cada uno',
      },
      default: 150,
      small: 60,
      min: 60,
      max: 400,
    },
    capacity: {
      about: { en: 'Items that the buffer may hold', es: 'Elementos que caben en el buffer' },
      default: 20,
      small: 10,
      min: 1,
      max: 50,
    },
  },
  variants: [
    {
      name: 'unbounded',
      expected: 'fails',
      about: {
        en: 'An array: everything is accepted at once and waits in memory.',
        es: 'Un array: todo se acepta al momento y espera en memoria.',
      },
      code: unbounded,
    },
    {
      name: 'bounded-await',
      expected: 'holds',
      about: {
        en: 'When it is full the answer comes later: each producer waits until there is room, and slows down to the consumer’s pace.',
        es: 'Si está lleno, la respuesta llega más tarde: cada productor espera a que haya sitio y baja al ritmo del consumidor.',
      },
      code: boundedAwait,
    },
    {
      name: 'drop',
      expected: 'holds',
      about: {
        en: 'When it is full the oldest is thrown away and counted. Nobody waits; for data whose newest value is the one that matters.',
        es: 'Si está lleno se tira el más antiguo, y se cuenta. Nadie espera; para datos de los que importa el último valor.',
      },
      code: drop,
    },
    {
      name: 'reject',
      expected: 'holds',
      about: {
        en: 'When it is full the answer is 503 with Retry-After: the producer knows, keeps its item and comes again.',
        es: 'Si está lleno responde 503 con Retry-After: el productor lo sabe, se queda su elemento y vuelve.',
      },
      code: reject,
    },
  ],
  measures: {
    peak: { title: { en: 'most items held', es: 'máximo de elementos' } },
    memory: { title: { en: 'most memory', es: 'máximo de memoria' }, unit: 'MB' },
    longestWait: { title: { en: 'longest wait (turns)', es: 'espera máxima (turnos)' } },
    waited: { title: { en: 'turns producers waited', es: 'turnos que esperaron los productores' } },
    dropped: { title: { en: 'dropped', es: 'tirados' } },
    refused: { title: { en: 'answered 503', es: 'respondidos con 503' } },
  },
  production: [
    {
      file: 'kit/pipeline/commands.ts',
      about: {
        en: 'commands wait in a queue with a limit; one more is QueueFullError, which is answered with 503',
        es: 'los comandos esperan en una cola con límite; uno más es QueueFullError, que se responde con 503',
      },
    },
    {
      file: 'kit/http/shedding.ts',
      about: {
        en: 'refuses the least important first when the event loop stays behind',
        es: 'rechaza primero lo menos importante cuando el event loop se queda atrás',
      },
    },
    {
      file: 'kit/consumer/poll.ts',
      about: {
        en: 'consumers pull, and only as many messages as they do next: what waits, waits in the log, on disk',
        es: 'los consumidores tiran, y solo de los mensajes que van a hacer: lo que espera, espera en el log, en disco',
      },
    },
  ],
  scaffold: 'labs/concurrency/backpressure.naive.ts',

  async run(stage, make) {
    const { capacity, producers } = stage.parameters
    const { held, memory, ...found } = await playTurns(stage, make)
    const turn = { title: { en: 'turn', es: 'turno' } }
    const series = (points: typeof held) => [{ name: stage.variant.name, points }]
    stage.chart({
      kind: 'lines',
      title: { en: 'Items handed in and not settled', es: 'Elementos entregados y sin resolver' },
      x: turn,
      y: { title: { en: 'items', es: 'elementos' } },
      series: series(held),
    })
    stage.chart({
      kind: 'lines',
      title: {
        en: 'Memory above the start, after garbage collection',
        es: 'Memoria sobre la inicial, tras recoger la basura',
      },
      x: turn,
      y: { title: { en: 'memory', es: 'memoria' }, unit: 'MB' },
      series: series(memory),
    })
    const most = Math.max(0, ...memory.map(([, megabytes]) => megabytes))
    // A producer has one request under way: that many may wait for the buffer besides what is in it.
    return { ...found, memory: Math.round(most * 10) / 10, limit: capacity + producers }
  },

  // Refusing or dropping everything would keep the buffer short as well: the consumer must never be without work.
  fails: ({ peak, limit, vanished, odd, starved }) => peak! > limit! || vanished !== 0 || odd !== 0 || starved !== 0,
})
