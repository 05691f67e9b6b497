/**
 * A batch: one lab, one size, some seeds, in one process of the labs' program, so that they share a database server as the labs
 * of `cauce lab --all` do. It is looked at from outside: how long until each result is there, how much memory all processes take
 * together, and what is left behind.
 *
 *   1. Each seed gets an outcome: a result, or why there is none. When the process ends early, the run in hand has failed and
 *      another process goes on with the seeds after it.
 *   2. The time of a run is from the result before it, or from the start of the process: what somebody waits for.
 *   3. Afterwards neither a file nor a process is left; what is left counts as a deviation. The directory is deleted in any
 *      case, also when we are killed (guard).
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGuard } from '../../cli/lab/guard.ts'
import { Ledger, type Outcome } from '../../cli/lab/ledger.ts'
import { minutes, seconds, type Clock, type Timers } from '../../kit/core/clock.ts'
import type { LabEvent, LabResult } from '../../labs/contract.ts'
import { labProgram, type LabProgram } from '../../server/labs-program.ts'
import { scalesFor, type Scales } from './memory.ts'

export type Size = 'default' | 'small'

export interface Batch {
  readonly lab: string
  readonly size: Size
  readonly seeds: readonly number[]
}

export interface SeedOutcome {
  readonly lab: string
  readonly size: Size
  readonly seed: number
  readonly ms: number
  /** The most that was seen while it ran, of all its processes; 0 where that cannot be told. */
  readonly peakBytes: number
  readonly result: LabResult | undefined
  /** Why there is no result. */
  readonly failure: string | undefined
}

export interface Surroundings {
  readonly clock: Clock
  readonly timers: Timers
  readonly signal: AbortSignal
  readonly env: NodeJS.ProcessEnv
  /** Defaults to the real one. */
  readonly program?: (directory: string) => LabProgram
}

const SAMPLE_MS = 250
const RUN_LIMIT_MS = minutes(2)
const LEFT_WITHIN_MS = seconds(5)
/** The working directory of the program. */
const OWN = 'labs'
/** With it what packages keep for the next process, whoever that is. */
const expected: ReadonlySet<string> = new Set([OWN, 'jiti', 'node-compile-cache'])

/** Gives what is left behind: nothing, if all is well. */
export async function runBatch(
  batch: Batch,
  surroundings: Surroundings,
  tell: (outcome: SeedOutcome) => void,
): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'cauce-soak-'))
  chmodSync(directory, 0o755) // The account of the database passes through.
  mkdirSync(join(directory, OWN))
  const guard = startGuard(directory)
  const scales = scalesFor(directory)
  const { timers, env, signal } = surroundings
  const real = () => labProgram({ dataDirectory: directory, timers, env: { ...env, TMPDIR: directory } })
  const program = surroundings.program?.(directory) ?? real()
  try {
    const { lab, size, seeds } = batch
    const ledger = new Ledger(seeds.map((seed) => ({ id: lab, seed, size })))
    while (ledger.rest.length > 0 && !signal.aborted) await runSome(ledger, program, scales, surroundings, tell)
    return await leftIn(directory, scales, surroundings)
  } finally {
    await guard.dismiss()
  }
}

/** One process, as far as it comes. */
async function runSome(
  ledger: Ledger,
  program: LabProgram,
  scales: Scales,
  { clock, timers, signal }: Surroundings,
  tell: (outcome: SeedOutcome) => void,
): Promise<void> {
  let begun = clock.monotonic()
  let peakBytes = 0
  let late = false
  let cancelLimit = () => {}
  let cancelSample = () => {}
  const weigh = () => {
    peakBytes = Math.max(peakBytes, scales.weigh())
    cancelSample = timers.after(SAMPLE_MS, weigh)
  }
  /** Tells what a change of the ledger has brought. */
  const settle = (change: () => Outcome[]) => {
    const before = ledger.rest.slice()
    change().forEach(({ result, failure }, n) => {
      const { id: lab, seed, size } = before[n]!
      const now = clock.monotonic()
      tell({ lab, size, seed, ms: now - begun, peakBytes, result, failure: failure?.message })
      begun = now
      peakBytes = 0
      limit()
    })
  }
  const labs = program.start([...ledger.rest], (event) => {
    // The server's name for the same type (schemas.test.ts).
    if (!signal.aborted && !late) settle(() => ledger.take(event as LabEvent))
  })
  const limit = () => {
    cancelLimit()
    cancelLimit = timers.after(RUN_LIMIT_MS, () => {
      late = true
      labs.stop()
    })
  }
  const stop = () => labs.stop()
  signal.addEventListener('abort', stop, { once: true })
  limit()
  weigh()
  const problem = await labs.ended.catch((error: Error) => error.message)
  signal.removeEventListener('abort', stop)
  cancelSample()
  if (!signal.aborted) {
    const message = late ? `it did not end within ${RUN_LIMIT_MS / 1000} s` : (problem ?? 'the process ended')
    settle(() => ledger.processEnded({ code: 'ended', message }))
  }
  cancelLimit()
}

async function leftIn(directory: string, scales: Scales, { clock, timers }: Surroundings): Promise<readonly string[]> {
  const until = clock.monotonic() + LEFT_WITHIN_MS
  for (;;) {
    const files = readdirSync(directory).filter((name) => !expected.has(name))
    const own = readdirSync(join(directory, OWN)).map((name) => join(OWN, name))
    const left = [...files, ...own, ...scales.members().map((pid) => `process ${pid}`)]
    if (left.length === 0 || clock.monotonic() > until) return left
    await timers.sleep(50)
  }
}
