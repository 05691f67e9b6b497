/**
 * Threads with shared memory and ports, as labs need them: all are ready before the first begins, and one that pauses between two
 * instructions does so until others have come to where it matters, or cannot.
 */
import { Worker, type Transferable } from 'node:worker_threads'
import type { Stage } from '../harness/stage.ts'

/** Cells of the memory in which threads meet. */
const cells = { ready: 0, started: 1, arrived: 2, open: 3, count: 4 } as const

/** How long a thread waits for others that may be unable to come, because it holds what they want. */
const PATIENCE_MS = { together: 250, first: 1_000 }
const LOOK_MS = 5

/** What threads are given to meet. */
export interface Meeting {
  readonly cells: Int32Array
  readonly parties: number
}

export const sharedMemory = (count: number): Int32Array =>
  new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT))

export const meetingOf = (parties: number): Meeting => ({ cells: sharedMemory(cells.count), parties })

/** Blocks this thread until all have come here, so that none has finished before another begins. */
export function startTogether({ cells: at, parties }: Meeting): void {
  if (Atomics.add(at, cells.ready, 1) + 1 === parties) {
    Atomics.store(at, cells.started, 1)
    Atomics.notify(at, cells.started)
  } else Atomics.wait(at, cells.started, 0)
}

/** Everybody's first pause lasts until all are in theirs; all others are none. */
export function pauseTogether({ cells: at, parties }: Meeting): () => void {
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    if (Atomics.add(at, cells.arrived, 1) + 1 < parties) Atomics.wait(at, cells.open, 0, PATIENCE_MS.together)
    Atomics.store(at, cells.open, 1)
    Atomics.notify(at, cells.open)
  }
}

/**
 * The first pause of all lasts until the others have brought what `look` shows down to zero, or no further for a while; all
 * others are none.
 */
export function pauseFirst({ cells: at }: Meeting, look: () => number): () => void {
  return () => {
    if (Atomics.load(at, cells.arrived) === 1 || Atomics.exchange(at, cells.arrived, 1) === 1) return
    let seen = look()
    for (let waitedMs = 0; seen > 0 && waitedMs < PATIENCE_MS.first; waitedMs += LOOK_MS) {
      // Nobody ever wakes this one: it sleeps as a thread does that has lost its core.
      Atomics.wait(at, cells.open, 0, LOOK_MS)
      const next = look()
      if (next !== seen) waitedMs = 0
      seen = next
    }
  }
}

export interface Thread {
  readonly worker: Worker
  /** Rejects when it throws. */
  readonly ended: Promise<void>
}

export interface ThreadOptions {
  /** From `programFile`, which is asked once for all threads that run it. */
  readonly file: string
  readonly data: unknown
  /** Of the data: what is handed over, not copied. */
  readonly transfer?: Transferable[]
  onMessage(message: unknown): void
}

/** A thread that runs a program of this repository; ended with the variant. */
export function startThread(
  { closing }: Pick<Stage, 'closing'>,
  { file, data, transfer = [], onMessage }: ThreadOptions,
): Thread {
  const worker = new Worker(file, {
    workerData: data,
    transferList: transfer,
    execArgv: ['--enable-source-maps'],
  })
  closing(() => worker.terminate())
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', onMessage)
    worker.once('error', reject)
    worker.once('exit', () => resolve())
  })
  ended.catch(() => undefined)
  return { worker, ended }
}
