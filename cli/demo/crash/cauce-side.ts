/** Cauce itself: the server as `cauce up` starts it, used over its API as everybody does. */
import type { Order } from '@cauce/orders/contract'
import { customerName, prepare } from '../prepare.ts'
import { PATIENCE_MS, placeAndFollow, type Flowed } from '../flow.ts'
import { operator } from '../../http/tokens.ts'
import { hasEnded } from '../../order-view.ts'
import { createShell, type Shell } from '../../shell.ts'
import type { Side, SideOptions, SeenOrder } from './side.ts'

/** Of a process that died: the default is 10 s, which is long for who looks on. */
export const LEASE_MS = 3_000
const RUN = 'crash'

export function cauceSide({ shell, stage, plan, sandboxUrl, concurrency, progress }: SideOptions): Side {
  let url = ''
  let connected: ReturnType<Shell['connect']> | undefined
  let flowed: Flowed | undefined
  /** At the first address it listens at: it is started there again. */
  const connection = () => {
    const { world, lang, output } = shell
    const flags = { url, data: stage.directory, ...(output.json ? { json: true as const } : {}) }
    connected ??= createShell(world, lang, flags).connect({ patienceMs: PATIENCE_MS, quiet: () => true })
    return connected
  }

  return {
    async launch(port) {
      const env = { ...shell.world.env, ...environment(stage.directory, sandboxUrl, port) }
      const own = await stage.start('server', { program: 'server/main.ts', env })
      ;({ url } = JSON.parse(own.said) as { url: string })
      return own
    },
    async serves() {
      return (await shell.world.fetch(`${url}/readyz`)).ok
    },
    prepare: () => prepare({ api: connection().api, plan, run: RUN, concurrency }),
    async play(onAnswered) {
      flowed = await placeAndFollow({ shell, ...connection(), plan, run: RUN, concurrency, progress, onAnswered })
    },
    async look() {
      const { api } = connection()
      const { accepted = new Map<number, string>(), refused = new Map<string, number>() } = flowed ?? {}
      const indexes = new Map([...accepted].map(([index, id]) => [id, index]))
      const orders = await allOf((cursor) => api.orders(operator, { limit: 100, cursor }))
      const products = await allOf((cursor) => api.products({ limit: 100, cursor }))
      const wallets = await Promise.all(plan.deposits.map((_, index) => api.account(customerName(RUN, index))))
      return {
        accepted,
        refused,
        orders: orders.map((order) => seen(order, indexes.get(order.id))),
        balances: wallets.map(({ balance, held }) => balance + held),
        stock: new Map(products.map(({ sku, onHand }) => [sku, onHand])),
        audit: await api.audit(),
      }
    },
  }
}

/** Set, so that neither the environment nor a `.env` file of the user reaches the demonstration. */
function environment(directory: string, sandboxUrl: string, port: number): NodeJS.ProcessEnv {
  const unset = [
    'DATABASE_URL',
    'NATS_URL',
    'REDIS_URL',
    'SMTP_URL',
    'WEBHOOK_SECRETS',
    'CAUCE_SERVICES',
    'CAUCE_LANES',
  ]
  return {
    ...Object.fromEntries(unset.map((name) => [name, ''])),
    HOST: '127.0.0.1',
    PORT: String(port),
    CAUCE_DATA: directory,
    SANDBOX_URL: sandboxUrl,
    CAUCE_LEASE_MS: String(LEASE_MS),
    LOG_LEVEL: 'info',
  }
}

function seen(order: Order, index: number | undefined): SeenOrder {
  const { id, status, payment, failure } = order
  return {
    id,
    index,
    state: hasEnded(order) ? (status === 'completed' ? 'completed' : 'cancelled') : 'open',
    ...(failure ? { code: failure.code } : {}),
    paymentId: payment.id,
    label: id,
  }
}

async function allOf<Item>(
  page: (
    cursor: string | undefined,
  ) => Promise<{ readonly items: readonly Item[]; readonly nextCursor: string | null }>,
): Promise<Item[]> {
  const all: Item[] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await page(cursor)
    all.push(...items)
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return all
}
