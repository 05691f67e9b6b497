/** The worker: takes messages one by one, and is killed before one of its steps. */
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { delivery, type DeliveryInput } from './delivery.ts'
import { openQueue } from './queue.ts'
import { statementsOn } from '../harness/statements.ts'
import { steps } from '../harness/steps.ts'

/** A message that has been delivered so often will never be acknowledged. */
const MOST_DELIVERIES = 8

await child<DeliveryInput>(async ({ url, variant, leaseMs }, stage) => {
  const step = steps(stage)
  const queue = openQueue(url)
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=shop', max: 2 })
  const statements = statementsOn(pool, step)
  const deliver = await loadVariant(delivery.variants, variant)
  let more = () => {}
  stage.onTold(() => more())
  await stage.at('ready')
  for (;;) {
    for (let task = await queue.receive(leaseMs); task; task = await queue.receive(leaseMs)) {
      const { id, token, attempt } = task
      if (attempt > MOST_DELIVERIES) throw new Error(`${id} was delivered ${attempt} times and never acknowledged`)
      const ack = () => step('ack', async () => void (await queue.acknowledge({ id, token })))
      await deliver({ id, amount: (task.data as { amount: number }).amount }, { ...statements, ack, url, step, task })
      await step('the end', async () => undefined)
    }
    const told = new Promise<void>((resolve) => {
      more = resolve
    })
    await stage.say('nothing is left')
    await told
  }
})
