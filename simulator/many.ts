/** Many seeds over all cores: each in a child process, so that one that hangs or leaks harms nobody. */
import { fork } from 'node:child_process'
import type { FaultName } from './faults.ts'

/** What a child says of one run. */
export interface Told {
  readonly seed: number
  readonly violation: { readonly invariant: string; readonly message: string } | undefined
  readonly hash: string
  readonly inputs: number
  readonly turns: number
  readonly virtualMs: number
  readonly covered: Readonly<Record<string, number>>
  readonly struck: Readonly<Partial<Record<FaultName, number>>>
}

export interface ManyOptions {
  /** The JavaScript of simulator/main.ts. */
  readonly program: string
  readonly from: number
  readonly count: number
  readonly workers: number
  readonly mutant?: string | undefined
  readonly onRun: (told: Told) => void
  /** Answers whether to stop. */
  readonly enough: () => boolean
}

/** Seeds are dealt out one by one: a slow one holds up nobody. Throws when a child dies. */
export async function runMany(options: ManyOptions): Promise<void> {
  let next = options.from
  const end = options.from + options.count
  const deal = () => (next < end && !options.enough() ? next++ : undefined)
  await Promise.all(Array.from({ length: Math.min(options.workers, options.count) }, () => runWorker(options, deal)))
}

function runWorker({ program, mutant, onRun }: ManyOptions, deal: () => number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = fork(program, ['--worker', ...(mutant === undefined ? [] : ['--mutant', mutant])], {
      serialization: 'advanced',
      execArgv: ['--enable-source-maps', '--max-old-space-size=512'],
    })
    let running: number | undefined
    const give = () => {
      running = deal()
      if (running === undefined) child.disconnect()
      else child.send(running)
    }
    child.on('message', (told: Told | 'ready') => {
      if (told !== 'ready') onRun(told)
      give()
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (running === undefined) resolve()
      else
        reject(
          new Error(
            `The process that ran seed ${running} ended with ${signal ?? code}: npm run sim -- --seed ${running}`,
          ),
        )
    })
  })
}
