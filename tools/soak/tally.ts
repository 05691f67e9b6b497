/** What came of the runs, lab by lab: pure. A deviation is whatever is not as promised, with the command that shows it again. */
import type { SeedOutcome, Size } from './batch.ts'

/** What a run may take at default size. */
export const LIMIT_MS = 15_000
export const LIMIT_BYTES = 512 * 1024 * 1024

export interface Deviation {
  readonly lab: string
  readonly size: Size
  readonly seed: number
  readonly what: string
  readonly replay: string
}

export interface Share {
  readonly yes: number
  readonly of: number
}

export interface LabTally {
  readonly lab: string
  readonly runs: number
  /** Runs in which every variant that must show the failure did. */
  readonly showed: Share
  /** Runs in which every fix held. */
  readonly held: Share
  /** At default size; null without one. */
  readonly slowestMs: number | null
  readonly peakBytes: number
  readonly deviations: number
}

/** What is wrong with one run. */
export function deviationsOf({ lab, size, seed, ms, peakBytes, result, failure }: SeedOutcome): Deviation[] {
  const what: string[] = []
  if (failure !== undefined) what.push(failure)
  for (const { name, expected, observed, measured } of result?.variants ?? []) {
    if (expected === observed) continue
    const wrong = expected === 'fails' ? 'did not show the failure' : 'did not hold'
    what.push(`${name} ${wrong}: ${JSON.stringify(measured)}`)
  }
  if (result && what.length === 0 && result.verdict !== 'pass') what.push('the verdict is against it')
  if (size === 'default' && ms > LIMIT_MS) what.push(`took ${(ms / 1000).toFixed(1)} s, more than ${LIMIT_MS / 1000}`)
  if (peakBytes > LIMIT_BYTES)
    what.push(`took ${megabytes(peakBytes)} MB of memory, more than ${megabytes(LIMIT_BYTES)}`)
  return what.map((each) => ({ lab, size, seed, what: each, replay: replayOf(lab, seed, size) }))
}

/** What was there after the last run of a batch and should not. */
export function leftBehind(lab: string, size: Size, seed: number, left: readonly string[]): Deviation[] {
  if (left.length === 0) return []
  const shown = left.length > 5 ? [...left.slice(0, 5), `and ${left.length - 5} more`] : left
  return [{ lab, size, seed, what: `left behind: ${shown.join(', ')}`, replay: replayOf(lab, seed, size) }]
}

const replayOf = (lab: string, seed: number, size: Size): string =>
  `npx cauce lab ${lab} --seed ${seed}${size === 'small' ? ' --size small' : ''}`

export function tallyOf(lab: string, outcomes: readonly SeedOutcome[], deviations: readonly Deviation[]): LabTally {
  const mine = outcomes.filter((outcome) => outcome.lab === lab)
  const whole = mine.filter(({ size }) => size === 'default').map(({ ms }) => ms)
  const share = (expected: 'fails' | 'holds'): Share => {
    const about = mine.map(({ result }) => result?.variants.filter((variant) => variant.expected === expected))
    const asked = about.filter((variants) => variants?.length !== 0)
    const yes = asked.filter((variants) => variants?.every(({ observed }) => observed === expected))
    return { yes: yes.length, of: asked.length }
  }
  return {
    lab,
    runs: mine.length,
    showed: share('fails'),
    held: share('holds'),
    slowestMs: whole.length > 0 ? Math.round(Math.max(...whole)) : null,
    peakBytes: Math.max(0, ...mine.map(({ peakBytes }) => peakBytes)),
    deviations: deviations.filter((each) => each.lab === lab).length,
  }
}

const HEAD = ['lab', 'runs', 'naive showed it', 'fixed held', 'slowest', 'memory', 'deviations']

/** For people; numbers to the right. */
export function tableOf(tallies: readonly LabTally[]): string {
  const rows = tallies.map(({ lab, runs, showed, held, slowestMs, peakBytes, deviations }) => [
    lab,
    String(runs),
    shareOf(showed),
    shareOf(held),
    slowestMs === null ? '–' : `${(slowestMs / 1000).toFixed(1)} s`,
    peakBytes === 0 ? '–' : `${megabytes(peakBytes)} MB`,
    String(deviations),
  ])
  const all = [HEAD, ...rows]
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')
  return [line(HEAD), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

const shareOf = ({ yes, of }: Share): string => (of === 0 ? '–' : `${yes}/${of}`)
const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024)
