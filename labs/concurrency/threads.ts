/**
 * Threads with shared memory and ports, as labs need them: all are ready before the first begins, and one that pauses between two
 * instructions at the moment that matters does so until others have come as far, or cannot.
 */
import { Worker, type Transferable } from 'node:worker_threads'
import type { Stage } from '../harness/stage.ts'

/** Cells of the memory in which threads meet. */
const cells = { ready: 0, started: 1, arrived: 2, open: 3, count: 4 } as const

/** How long a thread waits for others that may be unable to come, because it holds what they want. */
const PATIENCE_MS = 250

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

/**
 * A pause of a thread that is in the middle of something. The first one at a moment that matters lasts until `company` threads
 * pause there; all others are none.
 */
export function pauseOf({ cells: at }: Meeting, company: number, matters: () => boolean = () => true): () => void {
  let isOver = false
  return () => {
    if (isOver || !matters()) return
    isOver = true
    if (Atomics.add(at, cells.arrived, 1) + 1 < company) Atomics.wait(at, cells.open, 0, PATIENCE_MS)
    Atomics.store(at, cells.open, 1)
    Atomics.notify(at, cells.open)
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
