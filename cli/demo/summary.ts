/** What came of a demonstration, as numbers and as a table. */
import type { FailureCode } from '@cauce/orders/contract'
import type { Audit } from '../http/api.ts'
import type { ClientStats } from '../http/client.ts'
import { failureCodes } from '../order-view.ts'
import { pairs, table } from '../output.ts'
import type { Shell } from '../shell.ts'
import { formatDuration } from '../time.ts'
import type { EndedOrder } from './flow.ts'
import { kinds, tallyKinds, type Kind, type KindTally } from './kinds.ts'

export interface Summary {
  readonly run: string
  readonly seed: number
  readonly orders: number
  readonly accepted: number
  /** Orders that were not accepted, by problem code. */
  readonly refused: Readonly<Record<string, number>>
  readonly completed: number
  /** By failure code. */
  readonly cancelled: Readonly<Partial<Record<FailureCode, number>>>
  /** How the orders of each kind ended. */
  readonly kinds: Readonly<Partial<Record<Kind, KindTally>>>
  /** Accepted, and neither completed nor cancelled. */
  readonly open: number
  /** From the first order sent to the last one accepted. */
  readonly placedMs: number
  /** From the first order sent to the last one seen ended. */
  readonly elapsedMs: number
  readonly acceptedPerSecond: number
  readonly endedPerSecond: number
  /** Between the server's `placedAt` and `updatedAt`. Null when no order ended. */
  readonly acceptToEndMs: { readonly p50: number; readonly p95: number; readonly max: number } | null
  readonly retries: number
  readonly replayed: number
  /** Null when the server could not be asked. */
  readonly audit: Audit | null
  readonly ok: boolean
}

export interface Tally {
  readonly run: string
  readonly seed: number
  readonly orders: number
  readonly ended: readonly EndedOrder[]
  readonly open: number
  readonly refused: ReadonlyMap<string, number>
  readonly placedMs: number
  readonly elapsedMs: number
  readonly stats: Readonly<ClientStats>
  readonly audit: Audit | null
}

export function summarise(tally: Tally): Summary {
  const { run, seed, orders: wanted, ended, open, refused, placedMs, elapsedMs, stats, audit } = tally
  const accepted = ended.length + open
  const cancelled: Partial<Record<FailureCode, number>> = {}
  const orders = ended.map(({ order }) => order)
  for (const { failure } of orders) if (failure) cancelled[failure.code] = (cancelled[failure.code] ?? 0) + 1
  const perSecond = (count: number, ms: number) => (ms > 0 ? Math.round((count * 10_000) / ms) / 10 : 0)
  return {
    run,
    seed,
    orders: wanted,
    accepted,
    refused: Object.fromEntries(refused),
    completed: orders.filter(({ status }) => status === 'completed').length,
    cancelled,
    kinds: tallyKinds(ended),
    open,
    placedMs: Math.round(placedMs),
    elapsedMs: Math.round(elapsedMs),
    acceptedPerSecond: perSecond(accepted, placedMs),
    endedPerSecond: perSecond(ended.length, elapsedMs),
    acceptToEndMs: percentiles(orders.map(({ placedAt, updatedAt }) => Date.parse(updatedAt) - Date.parse(placedAt))),
    retries: stats.retries,
    replayed: stats.replayed,
    audit,
    ok: accepted === wanted && open === 0 && audit?.ok === true,
  }
}

/** Nearest rank. */
export function percentiles(values: readonly number[]): Summary['acceptToEndMs'] {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
  return { p50: at(0.5), p95: at(0.95), max: at(1) }
}

interface Texts extends Pick<Shell, 't'> {
  readonly output: Pick<Shell['output'], 'colour'>
}

export function showSummary(summary: Summary, { t, output: { colour } }: Texts): string {
  const { acceptToEndMs: latency, audit, refused, cancelled } = summary
  const wrong = (text: string) => colour.red(colour.bold(text))
  const rows: [string, string][] = [
    [t('demo.accepted'), String(summary.accepted)],
    ...Object.entries(refused).map(([code, count]): [string, string] => [
      t('demo.refused'),
      wrong(`${count}  ${code}`),
    ]),
    [t('demo.completed'), colour.green(String(summary.completed))],
    ...failureCodes.flatMap((code): [string, string][] => {
      const count = cancelled[code]
      return count === undefined ? [] : [[t('demo.cancelled'), `${count}  ${t(`failure.${code}`)} (${code})`]]
    }),
    ...(summary.open > 0 ? ([[t('demo.open'), wrong(String(summary.open))]] as [string, string][]) : []),
    [
      t('demo.placing'),
      `${formatDuration(summary.placedMs)}, ${t('demo.perSecond', { rate: summary.acceptedPerSecond })}`,
    ],
    [t('demo.time'), `${formatDuration(summary.elapsedMs)}, ${t('demo.perSecond', { rate: summary.endedPerSecond })}`],
  ]
  if (latency) {
    const { p50, p95, max } = latency
    rows.push([
      t('demo.latency'),
      t('demo.percentiles', { p50: formatDuration(p50), p95: formatDuration(p95), max: formatDuration(max) }),
    ])
  }
  if (summary.retries > 0) {
    rows.push([t('demo.retries'), t('demo.retriesText', { retries: summary.retries, replayed: summary.replayed })])
  }
  const books =
    audit === null
      ? wrong(t('demo.booksUnknown'))
      : audit.ok
        ? colour.green(t('demo.booksOk'))
        : wrong(t('demo.booksWrong'))
  rows.push([t('demo.books'), books])
  return `${showKinds(summary, { t, output: { colour } })}\n\n${pairs(rows, colour)}`
}

/** A row for each kind of order: how many ended, how many of them well, and what became of the others. */
function showKinds(summary: Pick<Summary, 'kinds' | 'cancelled'>, { t, output: { colour } }: Texts): string {
  const codes = failureCodes.filter((code) => summary.cancelled[code] !== undefined)
  const rows = kinds.flatMap((kind) => {
    const tally = summary.kinds[kind]
    if (tally === undefined) return []
    const cancelled = codes.map((code) => String(tally.cancelled[code] ?? ''))
    return [[t(`demo.kind.${kind}`), String(tally.ended), String(tally.completed), ...cancelled]]
  })
  const head = [t('demo.kind'), t('demo.ended'), t('demo.completed').toLowerCase(), ...codes]
  return table({ head, rows, right: head.map((_, column) => column).slice(1), colour })
}
