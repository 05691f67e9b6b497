/**
 * One shop under fire: started with an outside world that loses answers, given a plan of orders, killed while they flow, started
 * again each time, and counted when nothing moves any more.
 */
import { seconds } from '@cauce/kit/core/clock'
import { CliError } from '../../exit.ts'
import type { Audit } from '../../http/api.ts'
import type { Shell } from '../../shell.ts'
import { formatDuration } from '../../time.ts'
import type { Plan } from '../plan.ts'
import { createProgress } from '../progress.ts'
import { cauceSide } from './cauce-side.ts'
import { startKiller, type Kill, type Victim } from './kills.ts'
import { naiveSide } from './naive-side.ts'
import { startOutside, type Outside, type OutsideSeen } from './outside.ts'
import { signal } from './postgres.ts'
import type { OwnProcess } from './processes.ts'
import type { Side, SideName, SideSeen } from './side.ts'
import type { Stage } from './stage.ts'
import { isSound, judge, type Evidence, type Findings } from './verdict.ts'

export interface Trial {
  readonly side: SideName
  readonly orders: number
  readonly accepted: number
  /** Customers that were told no, by code. */
  readonly refused: Readonly<Record<string, number>>
  /** Accepted, and ended. */
  readonly terminal: number
  readonly completed: number
  /** By failure code, as far as the shop says it. */
  readonly cancelled: Readonly<Record<string, number>>
  readonly charges: number
  readonly faults: OutsideSeen['faults']
  /** How long it took each time until it served again. */
  readonly kills: Readonly<Record<Victim, readonly number[]>>
  readonly findings: Findings
  readonly audit: Audit | null
  readonly elapsedMs: number
  /** Nothing lost, nothing doubled, the books balance, and it was killed as often as it was to be. */
  readonly ok: boolean
}

export interface TrialOptions {
  readonly shell: Shell
  readonly stage: Stage
  readonly plan: Plan
  readonly kills: readonly Kill[]
  readonly concurrency: number
  readonly seed: number
}

const sides = { cauce: cauceSide, naive: naiveSide }
const LOOK_AGAIN_MS = 100
const BACK_WITHIN_MS = seconds(60)
/** How long Cauce has for what comes after the end of an order: mails, and the log's last readers. */
const SETTLE_WITHIN_MS: Readonly<Record<SideName, number>> = { cauce: seconds(30), naive: 0 }

export async function runTrial(name: SideName, options: TrialOptions): Promise<Trial> {
  const { shell, stage, plan, kills, concurrency, seed } = options
  const { t, output, world } = shell
  const begunMs = world.clock.monotonic()
  const progress = createProgress(output, t, plan.orders.length)
  output.note(output.noteColour.bold(t(`crash.trial.${name}`)))
  const outside = await startOutside({ ...world, stage, name: `sandbox-${name}`, seed })
  const side = sides[name]({ shell, stage, plan, sandboxUrl: outside.url, concurrency, progress })
  const keeper = await startKeeper(name, side, options, progress.say)
  await side.prepare()
  const killer = startKiller(kills, keeper.strike)
  const alive = Promise.race([keeper.diedByItself, killer.failed])
  alive.catch(() => undefined)
  await Promise.race([alive, side.play(killer.answered).finally(() => progress.stop())])
  await Promise.race([alive, killer.finish()])
  output.note(t('crash.counting'))
  const evidence = await settled(name, side, outside, options)
  await keeper.end()
  const trial = tell(name, evidence, keeper.backAfterMs, world.clock.monotonic() - begunMs)
  return { ...trial, ok: trial.ok && kills.length === keeper.struck() }
}

/** Looks until everything is as it should be, or the time for that is over. */
async function settled(name: SideName, side: Side, outside: Outside, { shell, plan }: TrialOptions): Promise<Evidence> {
  const { clock, timers } = shell.world
  const giveUpAt = clock.monotonic() + SETTLE_WITHIN_MS[name]
  for (;;) {
    const shop = await side.look()
    const evidence = { plan, shop, outside: await outside.look() }
    if (isRight(evidence) || clock.monotonic() >= giveUpAt) return evidence
    await timers.sleep(LOOK_AGAIN_MS)
  }
}

function isRight(evidence: Evidence): boolean {
  const { audit } = evidence.shop
  return isSound(judge(evidence)) && (audit === null || (audit.ok && audit.log.unapplied === 0))
}

/** Starts the shop, kills it and its database, and starts it again. */
async function startKeeper(
  name: SideName,
  side: Side,
  { shell, stage, plan }: TrialOptions,
  say: (line: string) => void,
) {
  const { t, output, world } = shell
  const { clock, timers } = world
  const backAfterMs: Record<Victim, number[]> = { server: [], database: [] }
  let expected = false
  let diedByItself: (error: Error) => void = () => undefined
  const died = new Promise<never>((_, reject) => (diedByItself = reject))
  died.catch(() => undefined)

  async function launch(port: number): Promise<OwnProcess> {
    const own = await side.launch(port)
    expected = false
    void own.ended.then(() => {
      const log = stage.logPath(name === 'cauce' ? 'server' : 'naive')
      if (!expected) diedByItself(new CliError(t('crash.died', { log })))
    })
    return own
  }
  async function killServer(): Promise<void> {
    expected = true
    await own.kill()
    own = await launch(port)
  }
  async function killDatabase(): Promise<void> {
    const before = stage.postmaster()
    if (before !== undefined) signal(before, 'SIGKILL')
    const giveUpAt = clock.monotonic() + BACK_WITHIN_MS
    for (;;) {
      const now = stage.postmaster()
      if (now !== undefined && now !== before && (await side.serves().catch(() => false))) return
      if (clock.monotonic() > giveUpAt) throw new CliError(t('crash.notBack', { seconds: BACK_WITHIN_MS / 1000 }))
      await timers.sleep(LOOK_AGAIN_MS)
    }
  }
  let own = await launch(0)
  const port = Number(new URL((JSON.parse(own.said) as { url: string }).url).port)

  return {
    backAfterMs,
    diedByItself: died,
    struck: () => backAfterMs.server.length + backAfterMs.database.length,
    async strike({ victim }: Kill, answered: number) {
      const begunMs = clock.monotonic()
      const back = victim === 'server' ? killServer() : killDatabase()
      say(output.noteColour.red(t(`crash.killed.${victim}`, { answered, orders: plan.orders.length })))
      await back
      const tookMs = clock.monotonic() - begunMs
      backAfterMs[victim].push(Math.round(tookMs))
      say(output.noteColour.green(t('crash.back', { after: formatDuration(tookMs) })))
    },
    async end() {
      expected = true
      await own.kill()
    },
  }
}

function tell(side: SideName, evidence: Evidence, kills: Trial['kills'], elapsedMs: number): Trial {
  const { plan, shop, outside } = evidence
  const { accepted, refused, orders, audit } = shop
  const states = new Map(orders.map(({ id, state }) => [id, state]))
  const cancelled: Record<string, number> = {}
  for (const { state, code = 'undeliverable' } of told(shop)) {
    if (state === 'cancelled') cancelled[code] = (cancelled[code] ?? 0) + 1
  }
  const findings = judge(evidence)
  return {
    side,
    orders: plan.orders.length,
    accepted: accepted.size,
    refused: Object.fromEntries(refused),
    terminal: [...accepted.values()].filter((id) => ['completed', 'cancelled'].includes(states.get(id) ?? '')).length,
    completed: told(shop).filter(({ state }) => state === 'completed').length,
    cancelled,
    charges: outside.charges.length,
    faults: outside.faults,
    kills,
    findings,
    audit,
    elapsedMs: Math.round(elapsedMs),
    ok: isRight(evidence),
  }
}

/** The orders that customers were told are accepted. */
const told = ({ accepted, orders }: SideSeen) => {
  const ids = new Set(accepted.values())
  return orders.filter(({ id }) => ids.has(id))
}
