/**
 * A basket that fills from one HTTP request to the next, in real server processes. Three things happen to them, as to every shop:
 *
 * 1. The process is killed (kill -9) between two requests, and a new one takes its place.
 * 2. There are two processes, and requests go to one and the other in turn, as a load balancer sends them.
 * 3. A customer changes what their browser keeps.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import { Customer } from './stateless-stateful-customer.ts'
import naive, { type Start } from './stateless-stateful.naive.ts'

/** What a server process is given (stateless-stateful.child.ts). */
export interface ServerInput {
  readonly url: string
  readonly variant: VariantReference
  readonly secret: string
}

const database: Start =
  ({ sql }) =>
  async ({ customer, add }) => {
    await sql('INSERT INTO items (customer, item) VALUES ($1, $2)', [customer, add])
    const rows = await sql<{ item: string }>('SELECT item FROM items WHERE customer = $1 ORDER BY position', [customer])
    return { basket: rows.map(({ item }) => item) }
  }

const signedCookie: Start = ({ secret }) => {
  const sign = (customer: string, text: string) =>
    createHmac('sha256', secret).update(`${customer}\n${text}`).digest('base64url')
  const read = (customer: string, cookie = ''): string[] => {
    const [text = '', signature = ''] = cookie.split('.')
    const [given, due] = [Buffer.from(signature), Buffer.from(sign(customer, text))]
    if (given.length !== due.length || !timingSafeEqual(given, due)) return []
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as string[]
  }
  return async ({ customer, add, cookie }) => {
    const basket = [...read(customer, cookie), add]
    const text = Buffer.from(JSON.stringify(basket)).toString('base64url')
    return { basket, cookie: `${text}.${sign(customer, text)}` }
  }
}

export const statelessStateful = lab<Start>()({
  id: 'stateless-stateful',
  phase: 0,
  title: { en: 'A process is killed between two requests', es: 'Un proceso muere entre dos peticiones' },
  concept: {
    en:
      'State is what a later answer depends on and the request does not bring along. A process that keeps it in a variable is ' +
      'stateful: it cannot be killed, replaced or doubled without somebody noticing. A stateless process keeps nothing between ' +
      'two requests. The state does not vanish by that, it moves: into a database that all processes share, or into the request ' +
      'itself, signed so that nobody can change it.',
    es:
      'El estado es aquello de lo que depende una respuesta posterior y que la petición no trae consigo. Un proceso que lo guarda ' +
      'en una variable es stateful: no se le puede matar, cambiar ni duplicar sin que alguien lo note. Un proceso stateless no ' +
      'guarda nada entre dos peticiones. El estado no desaparece con eso, se muda: a una base de datos que comparten todos los ' +
      'procesos, o a la propia petición, firmado para que nadie lo cambie.',
  },
  watch: {
    en: 'What was acknowledged and is gone after the kill, and how often two processes disagree about one basket.',
    es: 'Lo que se confirmó y ya no está tras la muerte, y cuántas veces dos procesos no coinciden sobre una cesta.',
  },
  parameters: {
    customers: {
      about: { en: 'Customers, each with a basket', es: 'Clientes, cada uno con su cesta' },
      default: 5,
      small: 2,
      min: 1,
      max: 20,
    },
    items: {
      about: {
        en: 'Items that each puts into it, before the kill and again after it',
        es: 'Artículos que mete cada uno, antes de la muerte y otra vez después',
      },
      default: 6,
      small: 4,
      min: 2,
      max: 20,
    },
  },
  variants: [
    {
      name: 'in-memory',
      expected: 'fails',
      about: { en: 'Baskets in a variable of the process.', es: 'Las cestas en una variable del proceso.' },
      code: naive,
    },
    {
      name: 'database',
      expected: 'holds',
      about: {
        en: 'The process keeps nothing; the database that all processes share keeps the baskets.',
        es: 'El proceso no guarda nada; las cestas las guarda la base de datos que comparten todos los procesos.',
      },
      code: database,
    },
    {
      name: 'signed-cookie',
      expected: 'holds',
      about: {
        en: 'Nobody on the server keeps anything: the basket travels with each request, in a cookie that the server has signed.',
        es: 'En el servidor nadie guarda nada: la cesta viaja con cada petición, en una cookie que el servidor ha firmado.',
      },
      code: signedCookie,
    },
  ],
  measures: {
    acknowledged: { title: { en: 'acknowledged', es: 'confirmados' } },
    lostByKill: { title: { en: 'lost by the kill', es: 'perdidos al morir' } },
    disagreed: { title: { en: 'processes disagreed', es: 'procesos en desacuerdo' } },
    forged: { title: { en: 'forged baskets taken', es: 'cestas falsas aceptadas' } },
  },
  production: [
    {
      file: 'kit/http/commands.ts',
      about: {
        en: 'a server process keeps nothing that matters: state and answers are in the database before the caller hears of them',
        es: 'un proceso del servidor no guarda nada importante: estado y respuestas están en la base antes de que el cliente se entere',
      },
    },
    {
      file: 'kit/http/auth.ts',
      about: {
        en: 'who somebody is travels with the request, in a signed token: any process can check it',
        es: 'quién es alguien viaja con la petición, en un token firmado: lo comprueba cualquier proceso',
      },
    },
  ],
  scaffold: 'labs/models/stateless-stateful.naive.ts',

  async run(stage) {
    const { parameters, note } = stage
    const { url, query } = await stage.database()
    await query('CREATE TABLE items (position bigserial PRIMARY KEY, customer text NOT NULL, item text NOT NULL)')
    const input: ServerInput = { url, variant: stage.variant, secret: randomBytes(32).toString('hex') }
    const customers = Array.from({ length: parameters.customers }, (_, i) => new Customer(`customer-${i + 1}`))
    const each = async (work: (customer: Customer) => Promise<void>) => {
      for (const customer of customers) await work(customer)
    }
    const first = await startServer(stage, input)
    await each((customer) => customer.fill(parameters.items, () => first.address))
    const before = sum(customers, ({ acknowledged }) => acknowledged)
    await first.process.kill()
    const [second, other] = await Promise.all([startServer(stage, input), startServer(stage, input)])
    await each((customer) => customer.fill(1, () => second.address))
    const lostByKill = sum(customers, ({ missing }) => missing.length)
    note({
      en: `Process ${first.process.pid} was killed after ${before} items; process ${second.process.pid} misses ${lostByKill} of them`,
      es: `El proceso ${first.process.pid} murió tras ${before} artículos; al proceso ${second.process.pid} le faltan ${lostByKill}`,
    })
    customers.forEach((customer) => customer.takeStock())
    await each((customer) => customer.fill(parameters.items, (n) => [other, second][n % 2]!.address))
    let forged = 0
    await each(async (customer) => void (forged += (await customer.cheat(second.address)) ? 1 : 0))
    return {
      acknowledged: sum(customers, ({ acknowledged }) => acknowledged),
      lostByKill,
      disagreed: sum(customers, ({ disagreements }) => disagreements),
      forged,
      due: customers.length * (2 * parameters.items + 1),
    }
  },

  fails: ({ acknowledged, due, lostByKill, disagreed, forged }) =>
    acknowledged !== due || lostByKill !== 0 || disagreed !== 0 || forged !== 0,
})

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)

async function startServer({ start }: Stage, input: ServerInput) {
  const process = await start('labs/models/stateless-stateful.child.ts', input)
  const told = await process.next()
  if (told.kind !== 'said') throw new Error(told.kind === 'ended' ? `It did not start: ${told.error}` : told.kind)
  return { process, address: String(told.value) }
}
