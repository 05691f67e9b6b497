/**
 * An order in a database, a message at a broker, and a process that is killed between any two steps.
 *
 * Attempt after attempt takes orders, and is killed (kill -9) at its first step, then at its second, and so on, until one comes
 * to its end. Then the process is started again to relay, and is killed in the same way. The broker is not killed. In the end
 * the orders in the database are held against the messages at the broker.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Text } from '../contract.ts'
import type { VariantReference } from '../harness/stage.ts'
import { lab } from '../harness/lab.ts'
import { crashEverywhere, type LabProcess } from '../harness/process.ts'
import type { Stage } from '../harness/stage.ts'
import { logIsTheOutbox, type LogShop } from './outbox.kit.ts'
import writeThenPublish, { type Message, type Open, type Order, type OrderTaking } from './outbox.naive.ts'

/** What the process that is killed is given (outbox.child.ts). */
export interface OutboxInput {
  readonly url: string
  /** Where messages are posted to. */
  readonly broker: string
  readonly variant: VariantReference
  /** None: it relays. */
  readonly orders: readonly Order[]
}

/** A variant; one that stands on more than the two tables prepares it. */
interface OpenShop {
  (shop: LogShop): OrderTaking
  readonly prepare?: (url: string) => Promise<void>
}

/** The last points of a process: killed there, it has done all that it had to do. */
export const END = 'end'
export const END_WITHOUT_RELAY = 'end, and nothing is relayed'

/** Code of many statements has many places to be killed at. */
const MOST_POINTS = 80

const messageOf = ({ id }: Order): Message => ({ id: `placed-${id}`, orderId: id })

const publishThenWrite: Open = ({ sql, publish }) => ({
  async placeOrder(order) {
    await publish(messageOf(order))
    await sql('INSERT INTO orders (id, total) VALUES ($1, $2)', [order.id, order.total])
  },
})

const withOutbox: Open = ({ sql, publish }) => ({
  async placeOrder(order) {
    const { id, orderId } = messageOf(order)
    await sql('BEGIN')
    await sql('INSERT INTO orders (id, total) VALUES ($1, $2)', [order.id, order.total])
    await sql('INSERT INTO outbox (id, order_id) VALUES ($1, $2)', [id, orderId])
    await sql('COMMIT')
  },
  async relay() {
    const waiting = await sql<Message>('SELECT id, order_id AS "orderId" FROM outbox WHERE NOT published ORDER BY id')
    for (const message of waiting) {
      await publish(message)
      await sql('UPDATE outbox SET published = true WHERE id = $1', [message.id])
    }
  },
})

export const outbox = lab<OpenShop>()({
  id: 'outbox',
  phase: 3,
  title: { en: 'An order and its message: the outbox', es: 'Un pedido y su mensaje: el outbox' },
  concept: {
    en:
      'An order is written to the database and told to others through a broker: two systems, and no transaction spans both. A ' +
      'process that dies between the two steps leaves one of them done. Written and not told: nobody ships an order that was ' +
      'paid. Told and not written: everybody works on an order that does not exist. The outbox makes the message a row, written ' +
      'in the transaction of the order. A relay sends it afterwards, perhaps twice, and whoever reads drops what was seen before.',
    es:
      'Un pedido se escribe en la base de datos y se cuenta a otros a través de un broker: dos sistemas, y ninguna transacción ' +
      'abarca los dos. Un proceso que muere entre los dos pasos deja hecho uno solo. Escrito y no contado: nadie envía un pedido ' +
      'que se pagó. Contado y no escrito: todos trabajan en un pedido que no existe. El outbox convierte el mensaje en una fila, ' +
      'escrita en la transacción del pedido. Un relay lo envía después, quizá dos veces, y quien lo lee descarta lo ya visto.',
  },
  watch: {
    en: '“Lost” are orders without a message, “ghosts” messages without an order. Duplicates have the id of the first and harm nobody.',
    es: '«Perdidos» son pedidos sin mensaje; «fantasmas», mensajes sin pedido. Los duplicados llevan el id del primero y no dañan a nadie.',
  },
  parameters: {
    orders: {
      about: { en: 'Orders that each process takes', es: 'Pedidos que toma cada proceso' },
      default: 1,
      small: 1,
      min: 1,
      max: 2,
    },
  },
  variants: [
    {
      name: 'write-then-publish',
      expected: 'fails',
      about: {
        en: 'INSERT, then publish. Killed in between, the order is there and nobody hears of it.',
        es: 'INSERT y después publicar. Si muere en medio, el pedido está y nadie se entera.',
      },
      code: writeThenPublish,
    },
    {
      name: 'publish-then-write',
      expected: 'fails',
      about: {
        en: 'Publish, then INSERT. Killed in between, everybody hears of an order that is not there.',
        es: 'Publicar y después INSERT. Si muere en medio, todos se enteran de un pedido que no está.',
      },
      code: publishThenWrite,
    },
    {
      name: 'outbox',
      expected: 'holds',
      about: {
        en: 'Order and message are two rows of one transaction. A relay publishes the rows and marks them, in that order.',
        es: 'Pedido y mensaje son dos filas de una transacción. Un relay publica las filas y las marca, en ese orden.',
      },
      code: withOutbox,
    },
    {
      name: 'log-is-the-outbox',
      expected: 'holds',
      about: {
        en: 'As Cauce does it: the message is appended to the service’s log in the transaction, and a reader of the log relays it.',
        es: 'Como lo hace Cauce: el mensaje se añade al log del servicio en la transacción, y un lector del log hace de relay.',
      },
      code: logIsTheOutbox,
    },
  ],
  measures: {
    kills: { title: { en: 'kills', es: 'muertes' } },
    lost: { title: { en: 'lost', es: 'perdidos' } },
    ghosts: { title: { en: 'ghosts', es: 'fantasmas' } },
    duplicates: { title: { en: 'duplicates', es: 'duplicados' } },
    arrived: { title: { en: 'arrived undisturbed', es: 'llegaron sin molestias' } },
  },
  production: [
    {
      file: 'kit/log/postgres.ts',
      about: {
        en: 'a service’s log is its outbox: append is a statement of the transaction, behind the heads of its lanes',
        es: 'el log de un servicio es su outbox: append es una sentencia de la transacción, tras las cabezas de sus lanes',
      },
    },
    {
      file: 'kit/pipeline/pipeline.ts',
      about: {
        en: 'rows, messages and COMMIT leave together: all of it becomes true, or nothing',
        es: 'filas, mensajes y COMMIT salen juntos: se cumple todo o nada',
      },
    },
    {
      file: 'kit/consumer/next.ts',
      about: {
        en: 'what a reader drops because its cursor is past it: the duplicates',
        es: 'lo que un lector descarta porque su cursor ya pasó de ahí: los duplicados',
      },
    },
  ],
  scaffold: 'labs/messaging/outbox.naive.ts',

  async run(stage, code) {
    const { parameters, variant } = stage
    const { url, query } = await stage.database()
    await query('CREATE SCHEMA shop')
    await query('CREATE TABLE shop.orders (id text PRIMARY KEY, total bigint NOT NULL)')
    await query(
      'CREATE TABLE shop.outbox (id text PRIMARY KEY, order_id text NOT NULL, published boolean NOT NULL DEFAULT false)',
    )
    await code.prepare?.(url)
    const broker = await startBroker(stage)
    const start = (orders: readonly Order[]) => {
      const input: OutboxInput = { url, broker: broker.url, variant, orders }
      return stage.start('labs/messaging/outbox.child.ts', input)
    }
    const placed: Order[][] = []
    const placing = await crash(() => {
      const orders = ordersOf(placed.length, parameters.orders)
      placed.push(orders)
      return start(orders)
    })
    const relays = !placing.includes(END_WITHOUT_RELAY)
    const relaying = relays ? await crash(() => start([])) : []
    const stored = new Set((await query<{ id: string }>('SELECT id FROM shop.orders')).map(({ id }) => id))
    // The attempt behind the last kill came to its end; one more may have been started and not needed.
    const attempts = placed.slice(0, placing.length + 1).map((orders, i) => ({ point: placing[i], orders }))
    const found = compare(attempts, stored, broker.received)
    for (const note of found.notes) stage.note(note)
    return { kills: placing.length + relaying.length, ...found.counted, due: parameters.orders }
  },

  fails: ({ lost, ghosts, doubled, arrived, due }) => lost !== 0 || ghosts !== 0 || doubled !== 0 || arrived !== due,
})

const ordersOf = (attempt: number, count: number): Order[] =>
  Array.from({ length: count }, (_, i) => ({ id: `order-${attempt + 1}-${i + 1}`, total: 1_999 }))

/**
 * Kills at every point, one attempt after the other. Each takes longer to start than to be killed, so from the second on the
 * next one is started before its turn: it waits at its first point, and has done nothing yet.
 */
function crash(start: () => Promise<LabProcess>): Promise<string[]> {
  let attempts = 0
  let last = false
  let next: Promise<LabProcess> | undefined
  const begin = () => {
    const process = next ?? start()
    next = attempts++ === 0 || last ? undefined : start()
    return process
  }
  const look = async (point: string | undefined) => {
    last = point === END || point === END_WITHOUT_RELAY
  }
  return crashEverywhere(begin, look, MOST_POINTS)
}

interface Broker {
  readonly url: string
  /** Everything it has got, in order. */
  readonly received: readonly Message[]
}

/** A server that keeps what is posted to it. It lives in this process, which nobody kills. */
async function startBroker({ closing }: Pick<Stage, 'closing'>): Promise<Broker> {
  const received: Message[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      const message = messageIn(body)
      if (message) received.push(message)
      response.writeHead(message ? 204 : 400).end()
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  closing(async () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, received }
}

function messageIn(body: string): Message | undefined {
  try {
    const { id, orderId } = JSON.parse(body) as Partial<Message>
    return typeof id === 'string' && typeof orderId === 'string' ? { id, orderId } : undefined
  } catch {
    return undefined
  }
}

interface Attempt {
  /** Before which step it was killed; undefined for the one that was not. */
  readonly point: string | undefined
  readonly orders: readonly Order[]
}

/** Holds the orders that are stored against the messages that were received. */
function compare(attempts: readonly Attempt[], stored: ReadonlySet<string>, received: readonly Message[]) {
  const ids = new Map<string, Set<string>>()
  for (const { id, orderId } of received) ids.set(orderId, (ids.get(orderId) ?? new Set()).add(id))
  const distinct = [...ids.values()].reduce((sum, { size }) => sum + size, 0)
  const lost = [...stored].filter((id) => !ids.has(id))
  const ghosts = [...ids.keys()].filter((id) => !stored.has(id))
  const notes = new Map<string, Text>()
  for (const { point, orders } of attempts) {
    for (const { id } of orders) {
      if (lost.includes(id)) notes.set(`lost ${point}`, lostNote(point, id))
      if (ghosts.includes(id)) notes.set(`ghost ${point}`, ghostNote(point, id))
    }
  }
  const undisturbed = attempts.at(-1)?.orders ?? []
  return {
    notes: [...notes.values()],
    counted: {
      lost: lost.length,
      ghosts: ghosts.length,
      duplicates: received.length - distinct,
      /** Orders that were told under several ids: a reader takes them for several. */
      doubled: [...ids.values()].filter(({ size }) => size > 1).length,
      arrived: undisturbed.filter(({ id }) => stored.has(id) && ids.has(id)).length,
    },
  }
}

const lostNote = (point: string | undefined, id: string): Text => ({
  en: `Killed before “${point}”: ${id} is in the database, and no message of it was ever sent`,
  es: `Muerto antes de «${point}»: ${id} está en la base de datos y nunca se envió su mensaje`,
})

const ghostNote = (point: string | undefined, id: string): Text => ({
  en: `Killed before “${point}”: everybody has heard of ${id}, and the database does not know it`,
  es: `Muerto antes de «${point}»: todos han oído hablar de ${id}, y la base de datos no lo conoce`,
})
