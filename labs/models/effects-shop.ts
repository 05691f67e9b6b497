/**
 * A small shop that decides orders with somebody's `Decide`, on PostgreSQL and with a real card processor and post office.
 *
 * Each order is decided twice, because the first transaction is lost: its connection is ended just before COMMIT. Nothing else has
 * changed when it is decided again, except for the last order, before which somebody else buys all that is left.
 */
import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { seconds } from '@cauce/kit/core/clock'
import { integerBetween } from '@cauce/kit/core/prng'
import { providerPolicy } from '@cauce/kit/policy/call'
import { smtpMailer } from '@cauce/orders/service'
import { cardLimits, httpCardProcessor } from '@cauce/payments/service'
import type { LabDatabase } from '../harness/database.ts'
import type { Stage } from '../harness/stage.ts'
import type { Decide, Decision, Effect, Order, Outside, State } from './effects.naive.ts'
import type { Found, Step } from './effects-found.ts'
import { startOutside, type OutsideWorld } from './outside.ts'

const PRICE = 1_999
const SCHEMA = `
  CREATE TABLE shelf (price integer NOT NULL, "left" integer NOT NULL CHECK ("left" >= 0));
  CREATE TABLE orders (id text PRIMARY KEY, status text NOT NULL, notes jsonb NOT NULL)`

export async function playShop(stage: Stage<'orders'>, decide: Decide): Promise<Found> {
  const shop = await open(stage)
  const { query } = shop.database
  const orders = ordersOf(stage)
  const wanted = orders.reduce((sum, { quantity }) => sum + quantity, 0)
  await query('INSERT INTO shelf VALUES ($1, $2)', [PRICE, wanted])
  const decided: Decided[] = []
  let left = wanted
  for (const [i, order] of orders.entries()) {
    const isLast = i === orders.length - 1
    const now = stage.clock.now()
    const first = await attempt(shop, decide, order, now, 'lost')
    // A clock that is asked again says something else.
    while (stage.clock.now() === now) await stage.timers.sleep(1)
    if (isLast) left = await sellTheRest(query)
    const second = await attempt(shop, decide, order, now, 'committed')
    for (const [at, effect] of second.decision.effects.entries()) await shop.perform(order, `${order.id}-${at}`, effect)
    decided.push({ order, first, second, isLast })
    stage.progress(i + 1, orders.length)
  }
  return count(shop, decided, left)
}

/** Gives how much that was. */
async function sellTheRest(query: LabDatabase['query']): Promise<number> {
  const [shelf] = await query<{ left: number }>('SELECT "left" FROM shelf')
  await query('UPDATE shelf SET "left" = 0')
  return shelf!.left
}

interface Attempt {
  readonly decision: Decision
  readonly step: Step
}

interface Decided {
  readonly order: Order
  readonly first: Attempt
  readonly second: Attempt
  /** It met another state when it was decided again. */
  readonly isLast: boolean
}

interface Shop {
  readonly stage: Stage<'orders'>
  readonly database: LabDatabase
  readonly world: OutsideWorld
  perform(order: Order, key: string, effect: Effect): Promise<void>
}

async function open(stage: Stage<'orders'>): Promise<Shop> {
  const [database, world] = await Promise.all([stage.database(), startOutside(stage)])
  await database.query(SCHEMA)
  const policy = providerPolicy({ name: 'card', ...cardLimits })
  const processor = httpCardProcessor({ url: world.url, policy })
  const mailer = smtpMailer({ url: async () => world.smtp, from: 'shop@lab.example' })
  stage.closing(async () => mailer.close())
  return {
    stage,
    database,
    world,
    async perform({ id }, key, effect) {
      const signal = AbortSignal.timeout(seconds(10))
      const answer =
        effect.kind === 'charge'
          ? await processor.authorize(
              { paymentId: id, amount: effect.amount, currency: 'EUR', token: effect.card },
              { key, signal, requestId: id },
            )
          : await mailer.send(
              {
                messageId: `<${key}@lab.example>`,
                to: { name: id, address: effect.to },
                subject: id,
                text: effect.text,
              },
              signal,
            )
      if (answer.kind !== 'authorized' && answer.kind !== 'sent')
        throw new Error(`${effect.kind} ${key}: ${JSON.stringify(answer)}`)
    },
  }
}

function ordersOf({ parameters, random }: Stage<'orders'>): Order[] {
  const chance = random('orders')
  return Array.from({ length: parameters.orders }, (_, i) => ({
    id: `order-${i + 1}`,
    customer: `customer-${i + 1}@lab.example`,
    quantity: integerBetween(chance, 1, 3),
    card: 'tok_ok',
  }))
}

/** One transaction: read, decide, write; then COMMIT, or an end of the connection just before it. */
async function attempt(
  shop: Shop,
  decide: Decide,
  order: Order,
  now: number,
  end: 'lost' | 'committed',
): Promise<Attempt> {
  const { stage, database } = shop
  const client = await database.connect()
  let problem = ''
  client.on('error', (error) => {
    problem ||= error.message
  })
  await client.query('BEGIN')
  const { rows } = await client.query<State & { pid: number }>(
    'SELECT price, "left", pg_backend_pid() AS pid FROM shelf FOR UPDATE',
  )
  const { price, left, pid } = rows[0]!
  const did: string[] = []
  const decision = await decide(
    Object.freeze({ ...order }),
    Object.freeze({ price, left }),
    Object.freeze({ now }),
    outsideFor(shop, order, did),
  )
  await client.query('UPDATE shelf SET "left" = $1', [decision.left])
  await client.query('INSERT INTO orders VALUES ($1, $2, $3)', [order.id, decision.status, decision.notes])
  if (end === 'lost') await database.query('SELECT pg_terminate_backend($1, 5000)', [pid])
  const isCommitted = await client.query('COMMIT').then(
    () => true,
    () => false,
  )
  await client.end().catch(() => undefined)
  if (isCommitted !== (end === 'committed'))
    throw new Error(problem || 'COMMIT was answered on a connection that ended')
  if (!isCommitted && order.id === 'order-1') {
    stage.note({ en: `Instead of COMMIT’s answer: ${problem}`, es: `En lugar de la respuesta a COMMIT: ${problem}` })
  }
  const later = end === 'committed' ? decision.effects.map(shown) : []
  const step: Step = {
    input: `${order.id}: ${order.quantity} ×`,
    process: end === 'lost' ? 'decide, COMMIT ✗' : 'decide, COMMIT ✓',
    state: `${decision.status}, ▣ ${left} → ${decision.left}${end === 'lost' ? ' ✗' : ''}`,
    output: [...did, ...later].join(', ') || '—',
  }
  return { decision, step }
}

function outsideFor({ stage, perform }: Shop, order: Order, did: string[]): Outside {
  const now = async (key: string, effect: Effect) => {
    did.push(shown(effect))
    await perform(order, key, effect)
  }
  return {
    now: () => stage.clock.now(),
    draw: () => randomBytes(8).toString('hex'),
    charge: (key, card, amount) => now(key, { kind: 'charge', card, amount }),
    mail: (key, to, text) => now(key, { kind: 'mail', to, text }),
  }
}

const shown = (effect: Effect): string => (effect.kind === 'charge' ? `€ ${(effect.amount / 100).toFixed(2)}` : '✉')

/** @param left what was on the shelf when all but the last order had been decided */
async function count({ world }: Shop, decided: readonly Decided[], left: number): Promise<Found> {
  const [charges, mails] = await Promise.all([world.charges(), world.mailsTo()])
  const placed = decided.filter(({ second }) => second.decision.status === 'placed')
  const due = placed.map(({ order }) => [order.id, order.quantity * PRICE] as const)
  const right = due.filter(([id, amount]) =>
    charges.some((charge) => charge.paymentId === id && charge.amount === amount),
  )
  const mailed = placed.filter(({ order }) => mails.includes(order.customer))
  return {
    orders: placed.length,
    decisions: decided.length * 2,
    different: decided.filter(({ first, second, isLast }) => !isLast && !isSame(first, second)).length,
    charges: charges.length,
    mails: mails.length,
    astray: charges.length - right.length + mails.length - mailed.length,
    missing: due.length - right.length + placed.length - mailed.length,
    due: decided.length - 1,
    state: left === decided.at(-1)!.order.quantity ? 'right' : 'wrong',
    trail: [decided[0]!, decided.at(-1)!].flatMap(({ first, second }) => [first.step, second.step]),
  }
}

/** Byte for byte, and by value: what JSON leaves out counts too. */
const isSame = (one: Attempt, other: Attempt): boolean =>
  JSON.stringify(one.decision) === JSON.stringify(other.decision) && isDeepStrictEqual(one.decision, other.decision)
