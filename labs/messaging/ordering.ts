/**
 * Messages of several keys, each key's in order, and two consumers in two processes.
 *
 * 1. The first consumer is held while it has its first message in hand; meanwhile the second takes whatever it may. This is
 *    how a slow consumer, a long garbage collection or a lost packet brings it about; here it happens every time.
 * 2. The first is killed (kill -9) with a message in hand, and the second goes on.
 * 3. A message cannot be applied: poison. What of its key comes behind it has to wait, whatever else may flow. Then it is mended.
 *
 * Each key has a track: the number of the last message applied. A message that does not follow it was out of order.
 */
import type { Random } from '@cauce/kit/core/prng'
import type { Chart } from '../contract.ts'
import type { VariantReference } from '../harness/stage.ts'
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import { isGone, Member, namedUrl, settle } from './members.ts'
import { lanes, type Broker, type OpenConsumer } from './ordering.kit.ts'
import competingConsumers, { type Consume, type Message } from './ordering.naive.ts'

/** What a consumer's process is given. */
export interface ConsumerInput {
  readonly url: string
  readonly variant: VariantReference
}

export interface Turn {
  /** The message that cannot be applied now. */
  readonly poison?: Pick<Message, 'key' | 'number'>
}

/** A variant; one that reads something else than the table `messages` brings it. */
interface Consuming {
  (consumer: OpenConsumer): Promise<void>
  readonly openBroker?: (url: string, query: LabDatabase['query']) => Promise<Broker>
}

const oneConsumer: Consume = async ({ sql, apply }) => {
  const [lock] = await sql<{ mine: boolean }>('SELECT pg_try_advisory_lock(1) AS mine')
  if (!lock?.mine) return
  for (let next: Message | undefined; ;) {
    await sql('BEGIN')
    ;[next] = await sql<Message>(
      `SELECT position, key, number FROM messages WHERE state = 'waiting' ORDER BY position LIMIT 1`,
    )
    const isApplied =
      next !== undefined &&
      (await apply(next).then(
        () => true,
        () => false,
      ))
    if (next && isApplied) await sql(`UPDATE messages SET state = 'done' WHERE position = $1`, [next.position])
    await sql('COMMIT')
    // What cannot be applied stays where it is, and everything behind it too.
    if (!isApplied) break
  }
  await sql('SELECT pg_advisory_unlock(1)')
}

const NAMES = ['ana', 'ben', 'eva', 'ion', 'leo', 'mia', 'noa', 'pau', 'sol', 'tom', 'una', 'zoe']

export const ordering = lab<Consuming>()({
  id: 'ordering',
  phase: 3,
  title: { en: 'The order of messages, and how it is lost', es: 'El orden de los mensajes y cómo se pierde' },
  concept: {
    en:
      'A queue hands out messages in order. That does not mean that they are applied in order: with two consumers, one takes ' +
      '“order placed” and the other “order cancelled” of the same order, and the second one is faster. One consumer alone keeps ' +
      'the order, and everything waits for it. What has to be in order is what is about the same thing, the same key: so all ' +
      'messages of a key go into one lane, a lane is worked on by one consumer at a time, and different lanes do not wait for ' +
      'each other.',
    es:
      'Una cola reparte los mensajes en orden. Eso no significa que se apliquen en orden: con dos consumidores, uno toma ' +
      '«pedido creado» y el otro «pedido cancelado» del mismo pedido, y el segundo es más rápido. Un solo consumidor conserva el ' +
      'orden, y todo le espera a él. Lo que debe ir en orden es lo que trata de lo mismo, la misma clave: todos los mensajes de ' +
      'una clave van a una lane, en una lane trabaja un consumidor a la vez, y las lanes no se esperan unas a otras.',
  },
  watch: {
    en: '“Out of order” are messages applied before one that came first in their key. “In parallel” says how many consumers had something in hand; “held up” what the poison message kept from being applied in other keys.',
    es: '«Fuera de orden» son los mensajes aplicados antes que otro anterior de su clave. «En paralelo» dice cuántos consumidores tenían algo entre manos; «retenidos», lo que el poison message impidió aplicar en otras claves.',
  },
  parameters: {
    keys: {
      about: { en: 'Keys, for example orders', es: 'Claves, por ejemplo pedidos' },
      default: 6,
      small: 3,
      min: 2,
      max: NAMES.length,
    },
    messages: {
      about: { en: 'Messages of each key, three times', es: 'Mensajes de cada clave, tres veces' },
      default: 4,
      small: 2,
      min: 2,
      max: 30,
    },
  },
  variants: [
    {
      name: 'competing-consumers',
      expected: 'fails',
      about: {
        en: 'One queue, each consumer takes the oldest message that is free. What fails is set aside, alone.',
        es: 'Una cola; cada consumidor toma el mensaje libre más antiguo. Lo que falla se aparta, solo.',
      },
      code: competingConsumers,
    },
    {
      name: 'one-consumer',
      expected: 'holds',
      about: {
        en: 'One consumer at a time, by an advisory lock; the other stands by. In order, and never two at once.',
        es: 'Un consumidor a la vez, con un advisory lock; el otro espera de reserva. En orden, y nunca dos a la vez.',
      },
      code: oneConsumer,
    },
    {
      name: 'lanes',
      expected: 'holds',
      about: {
        en: 'The kit’s log: lane = hash(key), a lane by one consumer at a time. A poison message parks its key, the others flow.',
        es: 'El log del kit: lane = hash(clave), cada lane de un consumidor a la vez. Un poison message aparca su clave; las demás siguen.',
      },
      code: lanes,
    },
  ],
  measures: {
    disorder: { title: { en: 'out of order', es: 'fuera de orden' } },
    missing: { title: { en: 'never applied', es: 'sin aplicar' } },
    parallel: { title: { en: 'in parallel', es: 'en paralelo' } },
    heldUp: { title: { en: 'held up by the poison', es: 'retenidos por el poison' } },
  },
  production: [
    {
      file: 'kit/core/hash.ts',
      about: { en: 'laneOf: the lane of a key', es: 'laneOf: la lane de una clave' },
    },
    {
      file: 'kit/pipeline/messages.ts',
      about: {
        en: 'lanes are locked with SKIP LOCKED, and what comes behind a parked message of its key parks too',
        es: 'las lanes se bloquean con SKIP LOCKED, y lo que viene tras un mensaje aparcado de su clave se aparca también',
      },
    },
    {
      file: 'kit/pipeline/redrive.ts',
      about: {
        en: 'parked messages are applied in order, under the lane’s cursor: nothing overtakes',
        es: 'los mensajes aparcados se aplican en orden, bajo el cursor de la lane: nada adelanta',
      },
    },
  ],
  scaffold: 'labs/messaging/ordering.naive.ts',

  async run(stage, consume) {
    const { url, query } = await openDatabase(stage)
    const broker = await (consume.openBroker ?? openTable)(url, query)
    const { keys, messages } = stage.parameters
    const [slow, killed, poisoned] = batchesOf(keys, messages, stage.random('order'))
    const open = (n: number) => openConsumer(stage, url, n)
    const applied = async () => (await trackOf(query)).applied
    const rest = (members: readonly Member[], turn: Turn = {}) => settle(members, applied, turn)

    const first = await open(1)
    const second = await open(2)
    await broker.publish(slow)
    const parallel = await holdBack(stage, first, second)
    await rest([first, second])

    await broker.publish(killed)
    first.begin()
    await first.toPoint()
    await first.kill()
    await isGone(query, first.name, stage.timers)
    await rest([second])

    const third = await open(3)
    await broker.publish(poisoned)
    const poison = poisoned[0]!
    await rest([second, third], { poison })
    const others = await trackOf(query, poison.key)
    await broker.redrive()
    await rest([second, third])
    const all = await trackOf(query)
    const ofEach = 3 * messages
    return {
      disorder: all.disorder,
      missing: keys * ofEach - all.applied,
      parallel,
      heldUp: (keys - 1) * ofEach - others.applied,
    }
  },

  fails: ({ disorder, missing }) => disorder !== 0 || missing !== 0,
})

async function openDatabase(stage: Stage): Promise<LabDatabase> {
  const database = await stage.database()
  await database.query('CREATE SCHEMA broker')
  await database.query(
    `CREATE TABLE broker.messages
       (position integer PRIMARY KEY, key text NOT NULL, number integer NOT NULL, state text NOT NULL DEFAULT 'waiting')`,
  )
  await database.query('CREATE SCHEMA tracking')
  await database.query(
    'CREATE TABLE tracking.tracks (key text PRIMARY KEY, last bigint NOT NULL, applied bigint NOT NULL, disorder bigint NOT NULL)',
  )
  return database
}

async function openTable(_url: string, query: LabDatabase['query']): Promise<Broker> {
  return {
    async publish(messages) {
      for (const { position, key, number } of messages) {
        await query('INSERT INTO broker.messages VALUES ($1, $2, $3)', [position, key, number])
      }
    },
    async redrive() {
      await query(`UPDATE broker.messages SET state = 'waiting' WHERE state = 'parked'`)
    },
  }
}

/** Three batches; in each, keys take turns by chance, and the numbers of each go on. */
function batchesOf(keys: number, count: number, random: Random): [Message[], Message[], Message[]] {
  const numbers = new Map<string, number>()
  let position = 0
  const batch = () => {
    const tickets = NAMES.slice(0, keys).flatMap((key) =>
      Array.from({ length: count }, () => ({ key, at: random.next() })),
    )
    return tickets
      .toSorted((one, other) => one.at - other.at)
      .map(({ key }): Message => {
        const number = (numbers.get(key) ?? 0) + 1
        numbers.set(key, number)
        return { position: ++position, key, number }
      })
  }
  return [batch(), batch(), batch()]
}

async function openConsumer(stage: Stage, url: string, n: number): Promise<Member> {
  const name = `consumer ${n}`
  const input: ConsumerInput = { url: namedUrl(url, name), variant: stage.variant }
  const process = await stage.start('labs/messaging/ordering.child.ts', input)
  return new Member(name, process, stage.timers).ready()
}

/** What has been applied, and how much of it out of order; of all keys, or of all but one. */
async function trackOf(query: LabDatabase['query'], except = ''): Promise<{ applied: number; disorder: number }> {
  const [found] = await query<{ applied: number; disorder: number }>(
    `SELECT coalesce(sum(applied), 0)::int AS applied, coalesce(sum(disorder), 0)::int AS disorder
     FROM tracking.tracks WHERE key <> $1`,
    [except],
  )
  return found!
}

/** The first stands with a message in hand, while the other does what it may. Gives how many had something in hand at once. */
async function holdBack(stage: Stage, first: Member, second: Member): Promise<number> {
  const { clock, note, chart } = stage
  const begun = clock.monotonic()
  const now = () => Math.round(clock.monotonic() - begun)
  first.begin()
  const held = await first.toPoint()
  const from = now()
  second.begin()
  const passed: { readonly label: string; readonly from: number }[] = []
  await second.rest((point) => void passed.push({ label: shorten(point), from: now() }))
  const to = now()
  if (held === undefined) return 0
  first.go()
  const seen = [...new Set(passed.map(({ label }) => label))]
  // What is of the same key has overtaken it.
  const overtook = seen.filter((label) => keyOf(label) === keyOf(held))
  const shown = (overtook.length > 0 ? overtook : seen).slice(0, 6).join(', ')
  note({
    en: `While consumer 1 had “${shorten(held)}” in hand, consumer 2 went on: ${shown || 'it found nothing that it might take'}`,
    es: `Mientras el consumidor 1 tenía «${shorten(held)}» entre manos, el 2 siguió: ${shown || 'no encontró nada que pudiera tomar'}`,
  })
  chart(timeline({ label: shorten(held), from, to }, passed))
  return seen.length > 0 ? 2 : 1
}

/** `apply eva 2`: eva. A lane has no key of its own. */
const keyOf = (point: string): string => /^apply (\S+)/.exec(point)?.[1] ?? point

/** Of the kit’s points only the lane: `lane 3: COMMIT`. */
const shorten = (point: string): string => point.replace(/^(lane \d+): .*/, '$1')

function timeline(
  held: { readonly label: string; readonly from: number; readonly to: number },
  passed: readonly { readonly label: string; readonly from: number }[],
): Chart {
  const spans = passed.map(({ label, from }, i) => ({ label, from, to: passed[i + 1]?.from ?? held.to }))
  const merged: typeof spans = []
  for (const span of spans) {
    const before = merged.at(-1)
    if (before?.label === span.label) merged[merged.length - 1] = { ...before, to: span.to }
    else merged.push(span)
  }
  return {
    kind: 'timeline',
    title: { en: 'What each consumer had in hand', es: 'Lo que tenía cada consumidor entre manos' },
    rows: [
      { name: 'consumer 1', spans: [held] },
      { name: 'consumer 2', spans: merged },
    ],
  }
}
