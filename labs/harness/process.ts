/**
 * Processes that a lab starts to kill them. One says where it is and waits there for leave to go on, so a kill -9 hits between
 * two chosen lines and not somewhere near them.
 *
 *   child:   await at('debited') ──▶   parent: await process.next()  →  { at: 'debited' }
 *            …waits…              ◀──          process.go()  or  await process.kill()
 */
import { fork, type ChildProcess } from 'node:child_process'
import { programFile } from '@cauce/kit/program/program.js'

/** What a process tells: where it stands, something it has to say, or that it has ended. */
export type Told =
  | { readonly kind: 'at'; readonly name: string }
  | { readonly kind: 'said'; readonly value: unknown }
  | { readonly kind: 'ended'; readonly code: number | null; readonly error: string }

export interface LabProcess {
  readonly pid: number
  /** The next thing it tells. After its end always that. */
  next(): Promise<Told>
  /** Lets it go on from where it stands. */
  go(): void
  /** Gives it something to read, in a child that listens (`child.ts`). */
  tell(value: unknown): void
  /** SIGSTOP and SIGCONT: it neither runs nor dies. */
  pause(): void
  resume(): void
  /** kill -9. Resolves when it is dead. */
  kill(): Promise<void>
  /** Lets it pass every point; gives what it said on the way. Throws when it ends with an error. */
  finish(): Promise<unknown[]>
}

/** The first message to a child. */
export interface Beginning {
  readonly type: 'begin'
  readonly input: unknown
}

export type ToChild = Beginning | { readonly type: 'go' } | { readonly type: 'told'; readonly value: unknown }
export type FromChild = { readonly at: string } | { readonly said: unknown }

const LONGEST_ERROR = 4_000

/** Asked once: it would be looked at anew for every process, and a lab starts many. */
const files = new Map<string, Promise<string>>()

function fileOf(program: string): Promise<string> {
  const file = files.get(program) ?? programFile(program)
  files.set(program, file)
  return file
}

/** @param program its source, from the root: `labs/persistence/transfer.child.ts` */
export async function startProcess(program: string, input: unknown): Promise<LabProcess> {
  const child = fork(await fileOf(program), [], {
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  const told = listen(child)
  const send = (message: ToChild) => void (child.connected && child.send(message, () => undefined))
  send({ type: 'begin', input })
  const self: LabProcess = {
    pid: child.pid ?? 0,
    next: told.next,
    go: () => send({ type: 'go' }),
    tell: (value) => send({ type: 'told', value }),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async kill() {
      child.kill('SIGKILL')
      await told.ended
    },
    async finish() {
      const said: unknown[] = []
      for (;;) {
        const next = await self.next()
        if (next.kind === 'at') self.go()
        else if (next.kind === 'said') said.push(next.value)
        else if (next.code === 0) return said
        else throw new Error(`${program} ended with ${next.code}\n${next.error}`)
      }
    },
  }
  return self
}

function listen(child: ChildProcess): { next(): Promise<Told>; ended: Promise<void> } {
  const queue: Told[] = []
  let waiting: ((told: Told) => void) | undefined
  let end: Told | undefined
  let error = ''
  const tell = (told: Told) => {
    if (!waiting) return void queue.push(told)
    waiting(told)
    waiting = undefined
  }
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    error = (error + chunk).slice(-LONGEST_ERROR)
  })
  child.on('message', (message: FromChild) =>
    tell('at' in message ? { kind: 'at', name: message.at } : { kind: 'said', value: message.said }),
  )
  const ended = new Promise<void>((resolve) => {
    const finish = (code: number | null) => {
      if (end) return
      end = { kind: 'ended', code, error }
      tell(end)
      resolve()
    }
    child.once('error', (problem) => {
      error += problem.message
      finish(null)
    })
    child.once('close', finish)
  })
  return {
    ended,
    next: () => {
      const first = queue.shift()
      if (first) return Promise.resolve(first)
      if (end) return Promise.resolve(end)
      return new Promise((resolve) => {
        waiting = resolve
      })
    },
  }
}

/**
 * Crashes at every point, one after the other: the n-th attempt is killed at its n-th point, until one ends by itself.
 * @param start begins an attempt, with a world of its own
 * @param look counts what the crash left behind; `point` is undefined for the attempt that was not killed
 * @param most attempts, in case the code never ends
 */
export async function crashEverywhere(
  start: () => Promise<LabProcess>,
  look: (point: string | undefined) => Promise<void>,
  most = 40,
): Promise<string[]> {
  const points: string[] = []
  for (let kill = 0; kill < most; kill++) {
    const process = await start()
    const point = await killAt(process, kill)
    await look(point)
    if (point === undefined) return points
    points.push(point)
  }
  throw new Error(`Not at its end after ${most} points`)
}

/** Kills the process at its n-th point, from 0. Undefined when it ended before. */
export async function killAt(process: LabProcess, n: number): Promise<string | undefined> {
  for (let passed = 0; ;) {
    const told = await process.next()
    if (told.kind === 'ended') {
      if (told.code === 0) return undefined
      throw new Error(`The process ended with ${told.code}\n${told.error}`)
    }
    if (told.kind === 'said') continue
    if (passed++ < n) process.go()
    else {
      await process.kill()
      return told.name
    }
  }
}
