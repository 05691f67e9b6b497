/**
 * The same on the kit's pipeline: the message is noted, the account credited and the mail enqueued in one transaction; then it is
 * acknowledged. The mail is a task: whoever runs tasks sends it, under the task's id, until the post office has answered.
 */
import { systemTimers } from '@cauce/kit/core/clock'
import { integer, table, text } from '@cauce/kit/database/table'
import { accept, enqueue, onCommand, onTask, unchanged } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { taskBackoff } from '@cauce/kit/policy/backoff'
import { done, type Effect } from '@cauce/kit/task/outcome'
import type { LabDatabase } from '../harness/database.ts'
import { startSmallService } from '../messaging/small-service.ts'
import type { Step } from '../harness/steps.ts'
import type { Message, Worker } from './exactly-once.naive.ts'

/** What the variants of this repository get besides. */
export interface InsideWorker extends Worker {
  readonly url: string
  /** A schema with the kit's tables that only this message uses. */
  readonly schema: string
  /** Those of all messages. */
  readonly schemas: readonly string[]
  /** Where it can be killed. */
  readonly step: Step
}

/** How long the next worker waits for the task of one that died. */
const LEASE_MS = 100
const LOOK_AGAIN_MS = 10
const SEND = 'send-receipt'

const accounts = table('accounts', { key: 'id', columns: { id: text, balance: integer } })
const processed = table('processed', { key: 'id', columns: { id: text } })

const deposit = onCommand<Message>('Deposit', {
  lock: ({ id, account }) => [processed.key(id), accounts.key(account)],
  decide({ id, account, amount }, rows) {
    if (rows.get(processed, id)) return unchanged
    const { balance } = rows.get(accounts, account)!
    return accept({
      changes: [processed.insert({ id }), accounts.update({ id: account, balance: balance + amount })],
      tasks: [enqueue({ type: SEND, key: account, data: { text: `${amount} cents have arrived in ${account}` } })],
    })
  },
})

const receiptSent = onTask<object>(SEND, { lock: () => [], decide: () => unchanged })

const bank = (name: string): ServiceDefinition => ({
  name,
  tables: [processed, accounts],
  commands: [deposit],
  messages: [],
  tasks: [receiptSent],
})

/** A worker with its task runner, until no task is left. */
async function working({ url, schema, step, send }: InsideWorker, message?: Message, ack?: () => Promise<unknown>) {
  const receipt: Effect = {
    type: SEND,
    async run(data, { key }) {
      await send((data as { text: string }).text, key)
      return done()
    },
    backoff: taskBackoff,
    timeoutMs: 10_000,
    concurrency: 1,
  }
  const service = startSmallService({ url, definition: bank(schema), effects: [receipt], leaseMs: LEASE_MS, step })
  if (message) {
    const render = () => ({ status: 200, headers: {}, body: '' })
    await service.commands.submit({ id: message.id, type: 'Deposit', data: message, requestId: message.id, render })
    await ack?.()
  }
  while ((await service.storage.queue.stats()).some(({ state }) => state === 'open')) {
    await systemTimers.sleep(LOOK_AGAIN_MS)
  }
  await service.stop()
}

/** Schemas with the kit's tables and those of the bank. */
async function prepare(url: string, query: LabDatabase['query'], schemas: readonly string[]): Promise<void> {
  const { prepareSchema } = await import('../messaging/prepare.ts')
  for (const schema of schemas) {
    await prepareSchema(url, schema)
    await query(`CREATE TABLE ${schema}.accounts (id text PRIMARY KEY, balance int8 NOT NULL)`)
    await query(`CREATE TABLE ${schema}.processed (id text PRIMARY KEY)`)
  }
}

/** The variant. Afterwards its tables are in the message's schema. */
export const asTask = Object.assign(
  (message: Message, worker: InsideWorker) =>
    working(worker, message, () => worker.sql('DELETE FROM public.inbox WHERE id = $1', [message.id])),
  {
    prepare,
    async start(worker: InsideWorker) {
      await Promise.all(worker.schemas.map((schema) => working({ ...worker, schema })))
    },
  },
)
