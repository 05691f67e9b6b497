/**
 * `cauce demo --crash` and `--naive`: the whole of it, from an empty directory to the report. It ends in bounded time, and
 * whichever way it ends no process of it is left.
 */
import { seconds } from '@cauce/kit/core/clock'
import { CliError, exits, type ExitCode } from '../../exit.ts'
import type { Shell } from '../../shell.ts'
import { stopSignals } from '../../stop-on-signals.ts'
import { makePlan, type PlanOptions } from '../plan.ts'
import { LEASE_MS } from './cauce-side.ts'
import { planKills } from './kills.ts'
import { FAULTS } from './outside.ts'
import { showReport, type Report } from './report.ts'
import type { SideName } from './side.ts'
import { openStage, type Stage } from './stage.ts'
import { runTrial } from './trial.ts'

export interface CrashOptions extends PlanOptions {
  readonly crash: boolean
  readonly naive: boolean
  readonly concurrency: number
  /** How often the server is killed, and its database. */
  readonly kills: number
  readonly databaseKills: number
}

/** Of one trial: a start with a new database, some restarts, and 50 ms an order. */
const limitMsOf = ({ orders, kills, databaseKills }: CrashOptions): number =>
  seconds(90) + seconds(30) * (kills + databaseKills) + orders * 50

export async function crash(shell: Shell, options: CrashOptions): Promise<ExitCode> {
  const { t, output, world } = shell
  const stop = new AbortController()
  const onSignal = () => stop.abort()
  for (const signal of stopSignals) world.signals.on(signal, onSignal)
  const stage = await openStage(shell)
  let ok = false
  try {
    const report = await Promise.race([play(shell, stage, options), aborted(stop.signal)])
    if (report === 'aborted') {
      output.note(`\n${t('error.interrupted')}`)
      ok = true // Nothing to look at.
      return exits.interrupted
    }
    ;({ ok } = report)
    output.result(report, () => `\n${showReport(report, shell)}`)
    return ok ? exits.ok : exits.failed
  } finally {
    await stage.close(!ok)
    if (!ok) output.note(t('crash.kept', { directory: stage.directory }))
    for (const signal of stopSignals) world.signals.off(signal, onSignal)
  }
}

async function play(shell: Shell, stage: Stage, options: CrashOptions): Promise<Report> {
  const { t, output } = shell
  const { seed, orders, kills: server, databaseKills: database, concurrency } = options
  const plan = makePlan(options)
  const kills = planKills({ orders, server, database, seed })
  output.note(t('crash.preparing', { orders, seed, directory: stage.directory }))
  output.note(t('crash.faults', { ...FAULTS, lease: LEASE_MS / 1000 }))
  const trial = (name: SideName) =>
    within(shell, limitMsOf(options), runTrial(name, { shell, stage, plan, kills, concurrency, seed }))
  const naive = options.naive ? await trial('naive') : null
  const cauce = options.crash ? await trial('cauce') : null
  return { seed, orders, cauce, naive, ok: cauce?.ok ?? true }
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('aborted'), { once: true }))
}

/** @throws CliError when it takes longer. */
async function within<Result>({ t, world }: Shell, limitMs: number, work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined) // What still fails after the end is nobody's concern.
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = world.timers.after(limitMs, () => reject(new CliError(t('crash.late', { seconds: limitMs / 1000 }))))
  })
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
