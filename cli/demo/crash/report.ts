/** What came of the trials, as text: one block for Cauce, or both shops side by side. */
import { failureCodes } from '../../order-view.ts'
import { pairs, table } from '../../output.ts'
import type { Shell } from '../../shell.ts'
import type { TextKey } from '../../texts.ts'
import { formatDuration } from '../../time.ts'
import type { Trial } from './trial.ts'
import { findings, isSound } from './verdict.ts'

export interface Report {
  readonly seed: number
  readonly orders: number
  /** Null when it was not asked for. */
  readonly cauce: Trial | null
  readonly naive: Trial | null
  /** Whether Cauce kept everything. The naive shop is not expected to. */
  readonly ok: boolean
}

type Texts = Pick<Shell, 't'> & { readonly output: Pick<Shell['output'], 'colour'> }

export function showReport({ cauce, naive }: Report, shell: Texts): string {
  const parts = [
    ...(naive && cauce ? [showComparison(naive, cauce, shell)] : []),
    ...(naive && !cauce ? [showNaive(naive, shell)] : []),
    ...(cauce ? [showBlock(cauce, shell)] : []),
  ]
  return parts.join('\n\n')
}

/** What holds, in one block, and in red what does not. */
export function showBlock(trial: Trial, { t, output: { colour } }: Texts): string {
  const { accepted, terminal, completed, charges, faults, kills, audit, findings: found, orders } = trial
  const good = (fine: boolean, text: string) => (fine ? colour.green(text) : colour.red(colour.bold(text)))
  const cancelled = showCodes(trial.cancelled, t)
  const lost = found.missing + found.stuck
  const bad = findings.filter((finding) => found[finding] > 0)
  const booksRight = audit?.ok === true && isSound(found)
  const lines = [
    `${colour.bold(t('crash.accepted', { accepted }))}, ${good(
      terminal === accepted && accepted > 0,
      t('crash.terminal', { terminal }),
    )} (${[t('crash.completed', { completed }), ...cancelled].join(', ')})`,
    `${good(found.doubleCharges === 0, t('crash.doubles', { count: found.doubleCharges }))} ${colour.dim(
      t('crash.readOut', { charges, lost: faults.lostAnswers, refused: faults.refusals }),
    )}`,
    good(lost === 0, t('crash.lost', { lost })),
    good(booksRight, t(booksRight ? 'crash.balance' : 'crash.noBalance')),
    ...bad.map((finding) => `  ${colour.red(`${found[finding]}  ${t(`crash.found.${finding}`)}`)}`),
    ...(accepted < orders ? [colour.red(t('crash.notAccepted', { count: orders - accepted }))] : []),
    colour.dim(`${showKills(kills, t)}; ${t('crash.took', { took: formatDuration(trial.elapsedMs) })}`),
  ]
  return lines.join('\n')
}

/** What the naive shop did when it was alone. */
function showNaive(trial: Trial, { t, output: { colour } }: Texts): string {
  const rows = findings.map(
    (finding) => [t(`crash.found.${finding}`), painted(trial.findings[finding], colour)] as const,
  )
  const summary = [
    t('crash.naiveAccepted', { accepted: trial.accepted, orders: trial.orders }),
    t('crash.completed', { completed: trial.completed }),
    ...showCodes({ ...trial.refused, ...trial.cancelled }, t),
  ]
  return [
    `${colour.bold(t('crash.naive'))}: ${summary.join(', ')}`,
    pairs(rows, colour),
    colour.dim(`${showKills(trial.kills, t)}; ${t('crash.took', { took: formatDuration(trial.elapsedMs) })}`),
  ].join('\n')
}

function showComparison(naive: Trial, cauce: Trial, { t, output: { colour } }: Texts): string {
  const counts = (name: TextKey, of: (trial: Trial) => number) => [
    (t as (key: TextKey) => string)(name),
    String(of(naive)),
    String(of(cauce)),
  ]
  return table({
    head: [t('crash.same', { orders: cauce.orders }), t('crash.naive'), 'Cauce'],
    rows: [
      counts('crash.row.accepted', ({ accepted }) => accepted),
      counts('crash.row.completed', ({ completed }) => completed),
      counts('crash.row.killed', ({ kills }) => kills.server.length + kills.database.length),
      counts('crash.row.faults', ({ faults }) => faults.lostAnswers + faults.refusals),
      // What neither did wrong is not worth a row.
      ...findings
        .filter((finding) => naive.findings[finding] + cauce.findings[finding] > 0)
        .map((finding) => [
          t(`crash.found.${finding}`),
          painted(naive.findings[finding], colour),
          painted(cauce.findings[finding], colour),
        ]),
    ],
    right: [1, 2],
    colour,
  })
}

const painted = (count: number, colour: Texts['output']['colour']): string =>
  count === 0 ? colour.green('0') : colour.red(colour.bold(String(count)))

/** `12 out of stock (out-of-stock)`, in the order of the contract; what is not of the contract last. */
function showCodes(counts: Readonly<Record<string, number>>, t: Texts['t']): string[] {
  const known = failureCodes.flatMap((code) =>
    counts[code] ? [`${counts[code]} ${t(`failure.${code}`)} (${code})`] : [],
  )
  const gaveUp = counts['gave-up'] ? [t('crash.gaveUp', { count: counts['gave-up'] })] : []
  return [...known, ...gaveUp]
}

function showKills({ server, database }: Trial['kills'], t: Texts['t']): string {
  const times = (all: readonly number[]) => all.map((ms) => formatDuration(ms)).join(', ') || '–'
  return t('crash.kills', {
    server: server.length,
    database: database.length,
    serverTimes: times(server),
    databaseTimes: times(database),
  })
}
