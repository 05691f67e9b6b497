/** What the worker that dies and the one that takes over have in common. */
import type pg from 'pg'
import type { VariantReference } from '../harness/stage.ts'
import type { InsideWorker } from './exactly-once.kit.ts'
import type { Message } from './exactly-once.naive.ts'

/** One message, in one order of the steps, and where its handling is cut. */
export interface Attempt {
  readonly message: Message
  /** Of those of the variant. */
  readonly order: string
  /** How many steps are taken. */
  readonly stopAt: number
  readonly schema: string
}

export interface ExactlyOnceInput {
  readonly url: string
  readonly variant: VariantReference
  readonly attempts: readonly Attempt[]
  readonly schemas: readonly string[]
}

/** Where the handling of a message has stopped; undefined when it came to its end. */
export interface AttemptTold {
  readonly id: string
  readonly at: string | undefined
}

interface Tools extends Pick<InsideWorker, 'url' | 'schema' | 'schemas' | 'step'> {
  readonly client: pg.Client
  /** Other connections than the worker's. */
  readonly postOffice: pg.Pool
}

export function workerOn({ client, postOffice, step, ...inside }: Tools): InsideWorker {
  return {
    ...inside,
    step,
    sql: (statement, values = []) =>
      step(statement, async () => (await client.query(statement, [...values])).rows as never[]),
    async send(text, key) {
      const post = () =>
        postOffice.query('INSERT INTO post_office.mails VALUES ($1, $2) ON CONFLICT (key) DO NOTHING', [text, key])
      await step('the mail', post)
      // Sent, and perhaps killed before it is known.
      await step('what follows the mail', async () => undefined)
    },
  }
}
