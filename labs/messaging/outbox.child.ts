/** The process that takes orders, or, without any to take, relays as after a restart; it is killed before one of its steps. */
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import type { Message } from './outbox.naive.ts'
import { END, END_WITHOUT_RELAY, outbox, type OutboxInput } from './outbox.ts'
import { steps } from '../harness/steps.ts'

/** More than any relay needs that notes what it has published. */
const MOST_PASSES = 200

await child<OutboxInput>(async ({ url, broker, variant, orders }, stage) => {
  const step = steps(stage)
  const client = new pg.Client({ connectionString: url, options: '-c search_path=shop' })
  await client.connect()
  let published = 0
  const open = await loadVariant(outbox.variants, variant)
  const { placeOrder, relay } = open({
    sql: async <Row extends object>(statement: string, values: readonly unknown[] = []) =>
      (await step(statement, () => client.query<Row>(statement, [...values]))).rows,
    publish: (message) =>
      step('publish', async () => {
        await send(broker, message)
        published += 1
      }),
    url,
    step,
  })
  for (const order of orders) {
    await placeOrder(order)
    if (order !== orders.at(-1)) await step('next order', nothing)
  }
  if (orders.length > 0) return step(relay ? END : END_WITHOUT_RELAY, nothing)
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    published = 0
    await relay?.()
    if (published === 0) return step(END, nothing)
    await step('next pass', nothing)
  }
  throw new Error('The relay publishes again and again')
})

async function nothing(): Promise<void> {}

async function send(broker: string, message: Message): Promise<void> {
  const { status } = await fetch(broker, { method: 'POST', body: JSON.stringify(message) })
  if (status !== 204) throw new Error(`The broker answered ${status}`)
}
