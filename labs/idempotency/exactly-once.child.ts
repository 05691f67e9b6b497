/**
 * The worker that dies. It handles many messages at the same time, each as far as its own point, and there it stops; when all
 * have stopped, one kill -9 cuts every one of them at a different place.
 */
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { exactlyOnce, ordersOf } from './exactly-once.ts'
import { workerOn, type Attempt, type AttemptTold, type ExactlyOnceInput } from './exactly-once.world.ts'
import { stopping } from './stopping.ts'

await child<ExactlyOnceInput>(async ({ url, variant, attempts, schemas }, { say }) => {
  const orders = ordersOf(await loadVariant(exactlyOnce.variants, variant))
  const postOffice = new pg.Pool({ connectionString: url, max: 8 })
  const attempt = async (it: Attempt): Promise<void> => {
    const { message, order, stopAt, schema } = it
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const told = (at: string | undefined) => say({ id: message.id, at } satisfies AttemptTold)
    const step = stopping(stopAt, told)
    await orders[order]!(message, workerOn({ client, postOffice, step, url, schema, schemas }))
    await step('the end', async () => undefined)
    await told(undefined)
  }
  await Promise.all(attempts.map(attempt))
  await new Promise(() => undefined)
})
