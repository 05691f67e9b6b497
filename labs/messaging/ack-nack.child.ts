/** The consumer; it is killed while it handles a message that is to be forgotten. */
import pg from 'pg'
import { child } from '../harness/child.ts'
import { loadVariant } from '../harness/variant.ts'
import { ackNack, type AckNackInput } from './ack-nack.ts'
import type { Message } from './ack-nack.naive.ts'
import { openQueue } from './queue.ts'
import { steps } from '../harness/steps.ts'

await child<AckNackInput>(async ({ url, variant, leaseMs, nackMs, kinds }, stage) => {
  const step = steps(stage)
  const consume = await loadVariant(ackNack.variants, variant)
  const queue = openQueue(url)
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const note = (message: string, event: string) =>
    pool.query('INSERT INTO shop.history (message, event) VALUES ($1, $2)', [message, event])
  await stage.at('ready')

  async function handle({ id }: Message): Promise<void> {
    const { rowCount } = await pool.query(`SELECT FROM shop.history WHERE message = $1 AND event = 'work'`, [id])
    await note(id, 'work')
    const isFirst = rowCount === 0
    if (isFirst && kinds[id] === 'forgotten') await step(id, async () => undefined)
    if (isFirst && kinds[id] === 'refused') throw new Error('The printer is out of paper')
    await note(id, 'done')
  }

  const tokens = new Map<string, number>()
  const holdOf = ({ id }: Message) => ({ id, token: tokens.get(id) ?? 0 })
  await consume(
    {
      async receive() {
        const task = await queue.receive(leaseMs)
        if (task) tokens.set(task.id, task.token)
        return task && { id: task.id }
      },
      ack: async (message) => void (await queue.acknowledge(holdOf(message))),
      nack: async (message) => void (await queue.refuse(holdOf(message), 'refused', nackMs)),
      leaseMs,
      nackMs,
      url,
    },
    handle,
  )
})
