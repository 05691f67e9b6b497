/**
 * Orders that two services have to hear of, billing and shipping, with two processes each.
 *
 * A member of billing is held with something in hand, the others do what they may, then it is killed (kill -9), and its group
 * goes on without it. In the end each service must have applied every message, once.
 */
import type { Text } from '../contract.ts'
import type { VariantReference } from '../harness/stage.ts'
import type { LabDatabase } from '../harness/database.ts'
import { lab } from '../harness/lab.ts'
import type { Stage } from '../harness/stage.ts'
import { groups, type OpenConsumer, type Publish } from './consumer-groups.kit.ts'
import oneQueue from './consumer-groups.naive.ts'
import { isGone, Member, namedUrl, settle } from './members.ts'

/** What a member's process is given. */
export interface MemberInput {
  readonly url: string
  readonly variant: VariantReference
  readonly group: string
  readonly member: string
}

/** A variant; one that reads something else than the table `messages` brings it. */
interface Consuming {
  (consumer: OpenConsumer): Promise<void>
  readonly openBroker?: (url: string, groups: readonly string[]) => Promise<Publish>
}

const GROUPS = ['billing', 'shipping'] as const

export const consumerGroups = lab<Consuming>()({
  id: 'consumer-groups',
  phase: 3,
  title: { en: 'Consumer groups: everybody, and each once', es: 'Consumer groups: todos, y cada uno una vez' },
  concept: {
    en:
      'Two services want to hear of every order, and each of them runs in several processes. These are two different wishes. ' +
      'Between services: every one gets every message (fan-out). Within a service: a message goes to one process, so that they ' +
      'share the work (competing consumers). A queue can only do the second: whoever takes a message takes it from all others. ' +
      'A log can do both: messages stay, and each group of processes keeps cursors of its own that say how far it has come.',
    es:
      'Dos servicios quieren enterarse de cada pedido, y cada uno corre en varios procesos. Son dos deseos distintos. Entre ' +
      'servicios: cada uno recibe todos los mensajes (fan-out). Dentro de un servicio: un mensaje va a un solo proceso, para ' +
      'repartirse el trabajo (competing consumers). Una cola solo sabe hacer lo segundo: quien toma un mensaje se lo quita a los ' +
      'demás. Un log sabe hacer las dos cosas: los mensajes se quedan, y cada grupo de procesos lleva sus propios cursores, que ' +
      'dicen hasta dónde ha llegado.',
  },
  watch: {
    en: 'How many messages each service has seen, how many processes of shipping had something in hand at once, and what the second one of billing took over when the first was killed.',
    es: 'Cuántos mensajes vio cada servicio, cuántos procesos de shipping tenían algo entre manos a la vez, y qué asumió el segundo de billing cuando mataron al primero.',
  },
  parameters: {
    messages: {
      about: { en: 'Orders, one message each', es: 'Pedidos, un mensaje por cada uno' },
      default: 48,
      small: 16,
      min: 8,
      max: 300,
    },
  },
  variants: [
    {
      name: 'one-queue',
      expected: 'fails',
      about: {
        en: 'Both services take from one queue. What one of them has taken, the other never sees.',
        es: 'Los dos servicios toman de una misma cola. Lo que toma uno, el otro no lo ve nunca.',
      },
      code: oneQueue,
    },
    {
      name: 'groups',
      expected: 'holds',
      about: {
        en: 'The kit’s log: messages stay, and each group has a cursor per lane. Its members share the lanes; a dead one’s are free at once.',
        es: 'El log del kit: los mensajes se quedan, y cada grupo tiene un cursor por lane. Sus miembros se reparten las lanes; las de uno muerto quedan libres al momento.',
      },
      code: groups,
    },
  ],
  measures: {
    billing: { title: { en: 'seen by billing', es: 'vistos por billing' } },
    shipping: { title: { en: 'seen by shipping', es: 'vistos por shipping' } },
    missed: { title: { en: 'missed', es: 'no vistos' } },
    doubled: { title: { en: 'seen twice', es: 'vistos dos veces' } },
    atOnce: { title: { en: 'at work at once', es: 'trabajando a la vez' } },
    takenOver: { title: { en: 'taken over', es: 'asumidos' } },
  },
  production: [
    {
      file: 'kit/consumer/port.ts',
      about: {
        en: 'cursors per group, source and lane, in the consumer’s own database (C1 to C3)',
        es: 'cursores por grupo, source y lane, en la base de datos del consumidor (C1 a C3)',
      },
    },
    {
      file: 'kit/pipeline/consumer.ts',
      about: {
        en: 'a member’s loop: find lanes that are behind, take those that are free, apply',
        es: 'el bucle de un miembro: buscar lanes atrasadas, tomar las libres, aplicar',
      },
    },
    {
      file: 'server/wire.ts',
      about: { en: 'which service reads whose log', es: 'qué servicio lee el log de quién' },
    },
  ],
  scaffold: 'labs/messaging/consumer-groups.naive.ts',

  async run(stage, consume) {
    const count = stage.parameters.messages
    const { url, query } = await openDatabase(stage)
    const publish = await (consume.openBroker ?? (async () => insertInto(query)))(url, GROUPS)
    await publish(Array.from({ length: count }, (_, i) => ({ position: i + 1, key: `order-${i + 1}` })))
    const open = (group: string, n: number) => openMember(stage, url, group, n)
    // The first one alone: its program may have to be made.
    const doomed = await open('billing', 1)
    const [heir, ...pair] = await Promise.all([open('billing', 2), open('shipping', 1), open('shipping', 2)])
    const seen = () => seenBy(query)
    const total = async () => (await seen()).reduce((sum, { messages }) => sum + messages, 0)

    const held = await holdAtWork(doomed, total)
    const atOnce = await begunTogether(pair)
    await settle([heir, ...pair], total)
    const before = await seen()
    await doomed.kill()
    await isGone(query, doomed.name, stage.timers)
    await settle([heir, ...pair], total)
    const after = await seen()

    chartShares(stage, before, after)
    const counted = { ...countOf(before, after, count), atOnce }
    if (held) stage.note(killedNote(held, counted.takenOver))
    return counted
  },

  fails: ({ missed, doubled }) => missed !== 0 || doubled !== 0,
})

async function openDatabase(stage: Stage): Promise<LabDatabase> {
  const database = await stage.database()
  const { query } = database
  await query('CREATE SCHEMA broker')
  await query('CREATE TABLE broker.messages (position integer PRIMARY KEY, key text NOT NULL)')
  await query('CREATE TABLE broker.cursors (consumer_group text PRIMARY KEY, position integer NOT NULL)')
  await query('INSERT INTO broker.cursors SELECT unnest($1::text[]), 0', [GROUPS])
  await query(
    'CREATE TABLE broker.applied (consumer_group text, position integer, PRIMARY KEY (consumer_group, position))',
  )
  for (const group of GROUPS) {
    await query(`CREATE SCHEMA ${group}`)
    await query(`CREATE TABLE ${group}.seen (key text PRIMARY KEY, member text NOT NULL, times bigint NOT NULL)`)
  }
  return database
}

const insertInto =
  (query: LabDatabase['query']): Publish =>
  async (messages) => {
    await query('INSERT INTO broker.messages SELECT * FROM unnest($1::int[], $2::text[])', [
      messages.map(({ position }) => position),
      messages.map(({ key }) => key),
    ])
  }

async function openMember(stage: Stage, url: string, group: string, n: number): Promise<Member> {
  const member = `${group}-${n}`
  const input: MemberInput = { url: namedUrl(url, member), variant: stage.variant, group, member }
  const process = await stage.start('labs/messaging/consumer-groups.child.ts', input)
  return new Member(member, process, stage.timers).ready()
}

interface Seen {
  readonly group: string
  readonly member: string
  readonly messages: number
  /** Times that they were applied once too often. */
  readonly again: number
}

async function seenBy(query: LabDatabase['query']): Promise<Seen[]> {
  const ofGroup = (group: string) =>
    `SELECT '${group}' AS group, member, count(*)::int AS messages, sum(times - 1)::int AS again
     FROM ${group}.seen GROUP BY member`
  return query<Seen>(`${GROUPS.map(ofGroup).join(' UNION ALL ')} ORDER BY member`)
}

/** Lets it go on until it has applied something and stands with more in hand. Gives where it stands. */
async function holdAtWork(member: Member, done: () => Promise<number>): Promise<string | undefined> {
  member.begin()
  for (;;) {
    const point = await member.toPoint()
    if (point === undefined || (await done()) > 0) return point
    member.go()
  }
}

/** Members of one group begin at the same time. Gives how many had something in hand at once. */
async function begunTogether(members: readonly Member[]): Promise<number> {
  for (const member of members) member.begin()
  const points = await Promise.all(members.map((member) => member.toPointOrSilence()))
  members.forEach((member, i) => points[i] !== undefined && member.go())
  return points.filter((point) => point !== undefined).length
}

const sumOf = (seen: readonly Seen[], group: string): number =>
  seen.filter((one) => one.group === group).reduce((sum, { messages }) => sum + messages, 0)

function countOf(before: readonly Seen[], after: readonly Seen[], count: number) {
  const [billing, shipping] = [sumOf(after, 'billing'), sumOf(after, 'shipping')]
  return {
    billing,
    shipping,
    missed: 2 * count - billing - shipping,
    doubled: after.reduce((sum, { again }) => sum + again, 0),
    takenOver: billing - sumOf(before, 'billing'),
  }
}

const killedNote = (point: string, takenOver: number): Text => ({
  en: `billing-1 was killed before “${point}”. What it held was free at once; billing-2 has applied ${takenOver} messages since`,
  es: `billing-1 murió antes de «${point}». Lo que tenía quedó libre al momento; billing-2 ha aplicado ${takenOver} mensajes desde entonces`,
})

function chartShares({ chart }: Pick<Stage, 'chart'>, before: readonly Seen[], after: readonly Seen[]): void {
  const of = (seen: readonly Seen[], name: string) => seen.find(({ member }) => member === name)?.messages ?? 0
  const members = GROUPS.flatMap((group) => [`${group}-1`, `${group}-2`])
  chart({
    kind: 'table',
    title: { en: 'Who applied how many messages', es: 'Quién aplicó cuántos mensajes' },
    columns: [
      { en: 'member', es: 'miembro' },
      { en: 'before the kill', es: 'antes de la muerte' },
      { en: 'after it', es: 'después' },
    ],
    rows: members.map((name) => [name, of(before, name), of(after, name) - of(before, name)]),
  })
}
