/** The kit's task queue: retries with a backoff and a last attempt, dead letters that keep their error, and a redrive. */
import { accept, enqueue, onCommand, onTask, unchanged } from '@cauce/kit/pipeline/decision'
import { redriveDead } from '@cauce/kit/pipeline/dead-letters'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import type { Backoff } from '@cauce/kit/policy/backoff'
import { done, type Effect } from '@cauce/kit/task/outcome'
import { startLabService } from '../harness/service.ts'
import type { Stage } from '../harness/stage.ts'
import type { Post, Queue } from './retries-dlq.naive.ts'

/** As the product's, with milliseconds for seconds: nobody waits an hour in front of a lab. */
export const backoff: Backoff = { baseMs: 10, capMs: 200, attempts: 5 }

/** More than the runner does at once. */
const MOST_DEAD = 1_000
const LOOK_AGAIN_MS = 5

interface Mail {
  readonly id: string
}

const acceptMail = onCommand<Mail>('AcceptMail', {
  lock: () => [],
  decide: (mail) => accept({ tasks: [enqueue({ type: 'send-mail', key: mail.id, data: mail })] }),
})

/** Told of what became of each: sent, or given up. */
const mailEnded = onTask<Mail>('send-mail', { lock: () => [], decide: () => unchanged })

const post: ServiceDefinition = { name: 'post', tables: [], commands: [acceptMail], messages: [], tasks: [mailEnded] }

export async function retriesAndDeadLetters({ send }: Post, stage: Stage, url: string): Promise<Queue> {
  const sendMail: Effect = {
    type: 'send-mail',
    // What it throws is an unknown outcome, and is retried.
    async run(data) {
      await send((data as Mail).id)
      return done()
    },
    backoff,
    timeoutMs: 5_000,
    concurrency: 4,
  }
  const { running } = await startLabService(stage, { url, definition: post, effects: [sendMail] })
  const { commands, storage, taskWake } = running
  return {
    async accept(id) {
      const render = () => ({ status: 202, headers: {}, body: '' })
      await commands.submit({ id, type: 'AcceptMail', data: { id }, requestId: id, render })
    },
    async work() {
      for (;;) {
        const stats = await storage.queue.stats()
        if (!stats.some(({ state }) => state === 'open')) return
        await stage.timers.sleep(LOOK_AGAIN_MS)
      }
    },
    async deadLetters() {
      const dead = await storage.queue.dead(MOST_DEAD)
      return dead.map(({ key, error }) => ({ id: key, error }))
    },
    async redrive(id) {
      const dead = await storage.queue.dead(MOST_DEAD)
      const tasks = dead.filter(({ key }) => key === id).map((task) => task.id)
      await redriveDead(storage.transactions, tasks)
      taskWake.notify()
    },
  }
}
