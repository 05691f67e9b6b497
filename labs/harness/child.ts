/** The other side of process.ts: what runs in a process that a lab starts to kill it. */
import type { Beginning, FromChild, ToChild } from './process.ts'

export interface ChildStage {
  /** Says where it stands and waits for leave to go on; perhaps it is killed here. */
  at(name: string): Promise<void>
  say(value: unknown): Promise<void>
  /** Called with whatever the parent tells. */
  onTold(listener: (value: unknown) => void): void
}

/**
 * Runs the work of a child process and ends it: `await child<Input>(async (input, stage) => { … })`. It ends too when its
 * parent dies.
 */
export async function child<Input>(work: (input: Input, stage: ChildStage) => Promise<void>): Promise<void> {
  const begun = new Promise<Beginning>((resolve) => {
    process.once('message', (message: Beginning) => resolve(message))
  })
  process.once('disconnect', () => process.exit(1))
  let leave = () => {}
  let listener: (value: unknown) => void = () => {}
  const { input } = await begun
  process.on('message', (message: ToChild) => {
    if (message.type === 'go') leave()
    if (message.type === 'told') listener(message.value)
  })
  await work(input as Input, {
    async at(name) {
      const left = new Promise<void>((resolve) => {
        leave = resolve
      })
      await send({ at: name })
      await left
    },
    say: (value) => send({ said: value }),
    onTold(next) {
      listener = next
    },
  })
  process.exit(0)
}

const send = (message: FromChild): Promise<void> =>
  new Promise((resolve) => void process.send?.(message, undefined, undefined, () => resolve()))
