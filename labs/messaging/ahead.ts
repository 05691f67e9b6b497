/**
 * Processes that are started one ahead: while one works, and is killed, the next one loads. Each stands at its first point,
 * `ready`, and knows nothing of the others until it is let go.
 */
import type { LabProcess } from '../harness/process.ts'
import type { Stage } from '../harness/stage.ts'

/** Gives the next process at each call; it stands at `ready`. */
export function ahead(
  { start, closing }: Pick<Stage, 'start' | 'closing'>,
  program: string,
  input: unknown,
): () => Promise<LabProcess> {
  const begin = () => {
    const starting = start(program, input)
    starting.catch(() => undefined)
    return starting
  }
  let spare = begin()
  closing(async () => (await spare).kill())
  return async () => {
    const process = await spare
    spare = begin()
    const told = await process.next()
    if (told.kind === 'at' && told.name === 'ready') return process
    throw new Error(`${program} did not begin: ${JSON.stringify(told)}`)
  }
}
