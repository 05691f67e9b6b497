/**
 * The same tasks in Cauce's own task queue on PostgreSQL: two runners, as two processes would be, share it, and whichever has a free
 * place claims the oldest task that nobody has (SKIP LOCKED).
 */
import { accept, enqueue, onCommand, onTask, unchanged, type Decision } from '@cauce/kit/pipeline/decision'
import type { ServiceDefinition } from '@cauce/kit/pipeline/service'
import { forever, taskBackoff } from '@cauce/kit/policy/backoff'
import { seconds } from '@cauce/kit/core/clock'
import { done, type Effect } from '@cauce/kit/task/outcome'
import { startLabService } from '../harness/service.ts'
import type { Stage } from '../harness/stage.ts'
import type { AssignedTask, Floor } from './work-stealing-floor.ts'

const TYPE = 'work'

const definition: ServiceDefinition = {
  name: 'floor',
  tables: [],
  commands: [
    onCommand<{ readonly names: readonly string[] }>('Assign', {
      lock: () => [],
      decide: ({ names }) => accept({ tasks: names.map((name) => enqueue({ type: TYPE, key: name, data: { name } })) }),
    }),
  ],
  messages: [],
  tasks: [onTask(TYPE, { lock: () => [], decide: () => unchanged })],
}

export async function shareQueue(
  stage: Stage,
  workers: number,
  tasks: readonly AssignedTask[],
  openFloor: () => Floor,
): Promise<Floor> {
  const { url } = await stage.database()
  let work: (name: string) => Promise<void> = async () => undefined
  const effect = (concurrency: number): Effect => ({
    type: TYPE,
    async run(data) {
      await work((data as { name: string }).name)
      return done()
    },
    backoff: forever(taskBackoff),
    timeoutMs: seconds(10),
    concurrency,
  })
  const half = Math.ceil(workers / 2)
  const one = await startLabService(stage, { url, definition, effects: [effect(half)] })
  const other = await startLabService(stage, { url, definition, effects: [effect(workers - half)] })
  /** Resolves when all of them are done. */
  const share = async (id: string, names: readonly string[], perform: (name: string) => Promise<void>) => {
    let left = names.length
    const ended = new Promise<void>((resolve) => {
      work = async (name) => {
        await perform(name)
        if (--left === 0) resolve()
      }
    })
    const render = (decision: Decision) => ({ status: 200, headers: {}, body: JSON.stringify(decision.kind) })
    await one.running.commands.submit({ id, type: 'Assign', data: { names }, requestId: id, render })
    other.running.taskWake.notify()
    await ended
  }
  // Connections, plans and code that are used for the first time are not what is measured.
  const first = Array.from({ length: 2 * workers }, (_, i) => `first-${i}`)
  await share('first', first, () => stage.timers.sleep(1))
  const floor = openFloor()
  const names = tasks.map(({ name }) => name)
  await share('floor', names, async (name) => {
    await floor.run(floor.free(workers), name)
    stage.progress(floor.done.length, tasks.length)
  })
  return floor
}
