/**
 * The naive shop (labs/naive), and customers who do what people do: they wait until the shop is open, ask again when there was
 * no answer, and try a few times when it says 500.
 */
import { seconds } from '@cauce/kit/core/clock'
import { concurrently } from '../concurrently.ts'
import { addressOf } from '../flow.ts'
import type { PlannedOrder } from '../plan.ts'
import { customerName } from '../prepare.ts'
import type { SeenOrder, Side, SideOptions } from './side.ts'

const RUN = 'naive'
const TRIES = 3
const PAUSE_MS = 200
/** When nothing has changed for so long, nothing will: it has no queue that survives and nobody who tries again. */
const QUIET_MS = seconds(2)
const LONGEST_CALL_MS = seconds(20)

interface Row {
  readonly id: number
  readonly reference: string
  readonly status: 'new' | 'paid' | 'completed' | 'cancelled'
}

export function naiveSide({ shell, stage, plan, sandboxUrl, concurrency, progress }: SideOptions): Side {
  const { env, fetch, clock, timers } = shell.world
  let url = ''
  const accepted = new Map<number, string>()
  const refused = new Map<string, number>()

  const send = async (method: string, path: string, body?: object): Promise<Response> => {
    const silence = new AbortController()
    const cancel = timers.after(LONGEST_CALL_MS, () => silence.abort())
    const content = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    try {
      const response = await fetch(url + path, { method, signal: silence.signal, ...content })
      return new Response(await response.text(), { status: response.status })
    } finally {
      cancel()
    }
  }
  const serves = async () => (await send('GET', '/health').catch(() => undefined))?.ok === true
  const rows = async <Item>(path: string) => (await (await send('GET', path)).json()) as Item[]

  async function place(order: PlannedOrder, index: number): Promise<void> {
    const { customer, lines, payment, postalCode } = order
    const name = customerName(RUN, customer)
    const body = { reference: referenceOf(index), customer: name, lines, payment, shipTo: addressOf(name, postalCode) }
    for (let failures = 0; failures < TRIES; await timers.sleep(PAUSE_MS)) {
      while (!(await serves())) await timers.sleep(PAUSE_MS)
      const response = await send('POST', '/orders', body).catch(() => undefined)
      if (response === undefined) continue
      const said = (await response.json()) as { id?: number; code?: string }
      if (response.ok) return void accepted.set(index, String(said.id))
      if (response.status < 500) return count(said.code ?? String(response.status))
      failures += 1
    }
    count('gave-up')
  }
  const count = (code: string) => void refused.set(code, (refused.get(code) ?? 0) + 1)

  return {
    async launch(port) {
      const args = ['--data', stage.directory, '--sandbox', sandboxUrl, '--port', String(port)]
      const own = await stage.start('naive', { program: 'labs/naive/main.ts', args, env })
      ;({ url } = JSON.parse(own.said) as { url: string })
      return own
    },
    serves,
    async prepare() {
      for (const { sku, amount, available } of plan.products) {
        await send('PUT', '/products', { sku, price: amount, stock: available })
      }
      for (const [index, balance] of plan.deposits.entries()) {
        await send('PUT', '/wallets', { customer: customerName(RUN, index), balance })
      }
    },
    async play(onAnswered) {
      let answered = 0
      progress.start()
      await concurrently(plan.orders, concurrency, async (order, index) => {
        await place(order, index)
        onAnswered(++answered)
        progress.show(answered, answered, 0)
      })
      progress.stop()
    },
    async look() {
      let orders = await rows<Row>('/orders')
      for (let changedMs = clock.monotonic(); clock.monotonic() - changedMs < QUIET_MS;) {
        await timers.sleep(PAUSE_MS)
        const now = await rows<Row>('/orders')
        if (JSON.stringify(now) !== JSON.stringify(orders)) changedMs = clock.monotonic()
        orders = now
      }
      const balances = new Map(
        (await rows<{ customer: string; balance: number }>('/wallets')).map((wallet) => [
          wallet.customer,
          wallet.balance,
        ]),
      )
      const products = await rows<{ sku: string; stock: number }>('/products')
      return {
        accepted,
        refused,
        orders: orders.map(seen),
        balances: plan.deposits.map((_, index) => balances.get(customerName(RUN, index)) ?? 0),
        stock: new Map(products.map(({ sku, stock }) => [sku, stock])),
        audit: null,
      }
    },
  }
}

const referenceOf = (index: number): string => `cart-${index + 1}`

function seen({ id, reference, status }: Row): SeenOrder {
  return {
    id: String(id),
    index: Number(reference.slice('cart-'.length)) - 1,
    state: status === 'completed' || status === 'cancelled' ? status : 'open',
    paymentId: reference,
    label: reference,
  }
}
