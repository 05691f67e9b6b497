/**
 * Orders on their way through the product's own services, on PostgreSQL. Every decision is kept with its input, the rows it looked at
 * and its context, and at the end all of them are made again, on copies.
 */
import { fileURLToPath } from 'node:url'
import { seconds } from '@cauce/kit/core/clock'
import { sibling, suffixOf } from '@cauce/kit/core/ids'
import { integerBetween } from '@cauce/kit/core/prng'
import { migrateAll } from '@cauce/kit/database/migrate'
import type { CommandQueue } from '@cauce/kit/pipeline/commands'
import { decisionText, type Context, type Decider, type Decision, type Rows } from '@cauce/kit/pipeline/decision'
import type { RunningService, ServiceDefinition } from '@cauce/kit/pipeline/service'
import { providerPolicy } from '@cauce/kit/policy/call'
import { silentLogger } from '@cauce/kit/telemetry/logger'
import * as inventory from '@cauce/inventory/service'
import * as orders from '@cauce/orders/service'
import * as payments from '@cauce/payments/service'
import * as shipping from '@cauce/shipping/service'
import type { LabDatabase } from '../harness/database.ts'
import { startLabService } from '../harness/service.ts'
import type { Stage } from '../harness/stage.ts'
import type { Found } from './effects-found.ts'
import { stepOf } from './effects-trail.ts'
import { startOutside, type OutsideWorld } from './outside.ts'

const SKU = 'LAMP'
const PRICE = 1_999
const STOCK = 1_000
const PATIENCE_MS = seconds(10)

/** The text that JSON makes of the input, the rows and the decision: nothing that happens later changes it. */
interface Kept {
  readonly service: string
  readonly kind: 'command' | 'message' | 'task'
  readonly decider: Decider
  readonly data: string
  readonly rows: ReadonlyMap<string, string | undefined>
  readonly context: Context
  readonly decision: string
}

export async function playServices(stage: Stage<'orders'>): Promise<Found> {
  const [database, world] = await Promise.all([stage.database(), startOutside(stage)])
  const kept: Kept[] = []
  const running = await startAll(stage, database.url, world, kept)
  await stock(stage, running, database)
  const placed = await place(stage, running.get('orders')!)
  await until(stage, 2 * placed.length, async () => {
    const [{ completed } = { completed: 0 }] = await database.query<{ completed: number }>(
      `SELECT count(*)::integer AS completed FROM orders.orders WHERE status = 'completed'`,
    )
    return completed + (await world.mailsTo()).length
  })
  return count(database, world, placed, kept)
}

interface Placed {
  readonly id: string
  readonly amount: number
  readonly quantity: number
}

type Services = ReadonlyMap<string, RunningService>

const kitMigrations = fileURLToPath(new URL('../../kit/database/migrations', import.meta.url))

async function startAll(stage: Stage, url: string, world: OutsideWorld, kept: Kept[]): Promise<Services> {
  const running = new Map<string, RunningService>()
  const wake = () => running.forEach(({ consumerWake }) => consumerWake.notify())
  const mailer = orders.smtpMailer({ url: async () => world.smtp, from: 'shop@lab.example' })
  stage.closing(async () => mailer.close())
  const card = providerPolicy({ name: 'card', ...payments.cardLimits })
  const carrier = providerPolicy({ name: 'carrier', ...shipping.carrierLimits })
  const all = [
    { ...inventory, definition: inventory.inventory, reads: ['orders'], effects: [] },
    {
      ...payments,
      definition: payments.payments,
      reads: ['orders'],
      effects: payments.effects(payments.httpCardProcessor({ url: world.url, policy: card })),
    },
    {
      ...shipping,
      definition: shipping.shipping,
      reads: ['orders'],
      effects: shipping.effects(shipping.httpCarrier({ url: world.url, policy: carrier })),
    },
    {
      ...orders,
      definition: orders.orders,
      reads: ['payments', 'inventory', 'shipping'],
      effects: orders.effects(mailer, { domain: 'lab.example' }),
    },
  ]
  // All schemas before the first service: each reads the log of others.
  const schemas = all.map(({ definition, migrations }) => ({
    schema: definition.name,
    sets: [
      { name: 'kit', directory: kitMigrations },
      { name: definition.name, directory: fileURLToPath(migrations) },
    ],
  }))
  await migrateAll(url, schemas, silentLogger())
  await Promise.all(
    all.map(async ({ definition, migrations, reads, effects }) => {
      const observer = { onCommit: wake }
      const options = { url, definition: recording(definition, kept), migrations, reads, effects, observer }
      running.set(definition.name, (await startLabService(stage, options)).running)
    }),
  )
  wake()
  return running
}

/** The same service; each decision that it makes is kept. */
function recording(definition: ServiceDefinition, kept: Kept[]): ServiceDefinition {
  const { name: service } = definition
  const watched =
    (kind: Kept['kind']) =>
    (decider: Decider): Decider => ({
      ...decider,
      decide(data, rows, context) {
        const looked = new Map<string, string | undefined>()
        const watching: Rows = {
          get(table, key) {
            const row = rows.get(table, key)
            looked.set(`${table.name} ${key}`, JSON.stringify(row))
            return row
          },
        }
        const decision = decider.decide(data, watching, context)
        const text = JSON.stringify(data)
        kept.push({ service, kind, decider, data: text, rows: looked, context, decision: decisionText(decision) })
        return decision
      },
    })
  return {
    ...definition,
    commands: definition.commands.map(watched('command')),
    messages: definition.messages.map(watched('message')),
    tasks: definition.tasks.map(watched('task')),
  }
}

/** Makes the decision again, long after, on what it was made of then. A row that it did not look at before is not there. */
function again({ decider, data, rows, context }: Kept): string {
  const copies: Rows = {
    get(table, key) {
      const text = rows.get(`${table.name} ${key}`)
      return text === undefined ? undefined : (JSON.parse(text) as never)
    },
  }
  return decisionText(decider.decide(JSON.parse(data) as never, copies, context))
}

/** Puts lamps on the shelf, and waits until orders knows what they cost. */
async function stock(stage: Stage, running: Services, { query }: LabDatabase): Promise<void> {
  const ids = idsOf(stage, 'stock')
  const { commands } = running.get('inventory')!
  await submit(commands, ids(), 'PutProduct', {
    sku: SKU,
    name: 'Reading lamp',
    price: { amount: PRICE, currency: 'EUR' },
    ifVersions: undefined,
  })
  await submit(commands, ids(), 'AdjustStock', { sku: SKU, delta: STOCK, reason: 'delivery' })
  await until(stage, 1, async () => (await query('SELECT 1 FROM orders.catalogue')).length)
}

async function place(stage: Stage<'orders'>, { commands }: RunningService): Promise<Placed[]> {
  const ids = idsOf(stage, 'orders')
  const chance = stage.random('orders')
  const placing = Array.from({ length: stage.parameters.orders }, async (_, i): Promise<Placed> => {
    const id = ids()
    const quantity = integerBetween(chance, 1, 3)
    await submit(commands, id, 'CreateOrder', {
      customer: `customer-${i + 1}@lab.example`,
      lines: [{ sku: SKU, quantity }],
      payment: { method: 'card', token: 'tok_ok' },
      shipTo: { name: 'Ana', line1: 'Calle Mayor 1', city: 'Madrid', postalCode: '28013', country: 'ES' },
    })
    return { id: `ord_${id}`, amount: quantity * PRICE, quantity }
  })
  return Promise.all(placing)
}

async function submit(commands: CommandQueue, id: string, type: string, data: object): Promise<void> {
  const render = (decision: Decision) => ({ status: 200, headers: {}, body: JSON.stringify(decision.kind) })
  const answer = await commands.submit({ id, type, data, requestId: id, render })
  const refused = answer.kind === 'answered' && answer.decision?.kind === 'rejected' ? answer.decision : undefined
  if (refused) throw new Error(`${type} was refused: ${refused.detail}`)
}

/** Ids as the edge would draw them; here from the seed. */
function idsOf({ random }: Stage, stream: string): () => string {
  const chance = random(`${stream} ids`)
  return () => Array.from({ length: 32 }, () => integerBetween(chance, 0, 15).toString(16)).join('')
}

/** Waits until there are as many as there should be. Throws when for a long time no more have come. */
async function until(
  { clock, timers, signal, progress }: Stage,
  wanted: number,
  look: () => Promise<number>,
): Promise<void> {
  let giveUpAt = clock.monotonic() + PATIENCE_MS
  for (let seen = 0; seen < wanted;) {
    const found = await look()
    if (found > seen) {
      giveUpAt = clock.monotonic() + PATIENCE_MS
      progress(found, wanted)
      seen = found
    } else if (clock.monotonic() > giveUpAt || signal.aborted) throw new Error(`Only ${found} of ${wanted} came`)
    else await timers.sleep(10, signal)
  }
}

async function count(
  { query }: LabDatabase,
  world: OutsideWorld,
  placed: readonly Placed[],
  kept: readonly Kept[],
): Promise<Found> {
  const [charges, mails] = await Promise.all([world.charges(), world.mailsTo()])
  const [shelf] = await query<{ left: number }>('SELECT on_hand::integer AS "left" FROM inventory.stock')
  const right = placed.filter(({ id, amount }) =>
    charges.some((charge) => charge.paymentId === sibling('pay', id) && charge.amount === amount),
  )
  const mailed = new Set(mails).size
  const sold = placed.reduce((sum, { quantity }) => sum + quantity, 0)
  return {
    orders: placed.length,
    decisions: kept.length * 2,
    different: kept.filter((decision) => again(decision) !== decision.decision).length,
    charges: charges.length,
    mails: mails.length,
    astray: charges.length - right.length + mails.length - mailed,
    missing: placed.length - right.length + placed.length - mailed,
    due: placed.length,
    state: shelf?.left === STOCK - sold ? 'right' : 'wrong',
    trail: kept.filter(isAbout(placed[0]!.id)).map((decided) => stepOf({ ...decided, type: decided.decider.type })),
  }
}

const isAbout =
  (orderId: string) =>
  ({ context, data }: Kept): boolean =>
    data.includes(suffixOf(orderId)) || orderId.endsWith(context.inputId)
