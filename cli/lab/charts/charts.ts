/**
 * The charts of a run, as text. Each variant draws its own; those with the same title belong together: lines become one chart,
 * so that variants can be compared, and timelines get one scale.
 */
import type { Chart, LinesChart, TableChart, TimelineChart } from '@cauce/labs/contract'
import { table } from '../../output.ts'
import type { Shell } from '../../shell.ts'
import { formatValue, say } from '../words.ts'
import { drawLines } from './lines.ts'
import { drawTimeline } from './timeline.ts'

export interface DrawnBy<Kind extends Chart = Chart> {
  readonly variant: string
  readonly chart: Kind
}

export function drawCharts(shell: Shell, charts: readonly DrawnBy[]): string[] {
  const groups = new Map<string, DrawnBy[]>()
  for (const drawn of charts) {
    const key = `${drawn.chart.kind} ${drawn.chart.title.en}`
    groups.set(key, [...(groups.get(key) ?? []), drawn])
  }
  return [...groups.values()].map((group) => {
    const title = shell.output.colour.bold(say(group[0]!.chart.title, shell.lang))
    return [title, ...drawGroup(shell, group)].join('\n')
  })
}

/** All of one kind. */
function drawGroup(shell: Shell, group: readonly DrawnBy[]): string[] {
  const { lang, output } = shell
  switch (group[0]?.chart.kind) {
    case 'lines': {
      const [first, ...others] = group as readonly DrawnBy<LinesChart>[]
      return [drawLines(together(first!, others), { lang, colour: output.colour, width: output.width })]
    }
    case 'timeline': {
      const timelines = group as readonly DrawnBy<TimelineChart>[]
      const endMs = Math.max(1, ...timelines.flatMap(({ chart }) => endsOf(chart)))
      const options = { lang, colour: output.colour, width: output.width, endMs }
      return timelines.flatMap((drawn) => [...named(shell, drawn), drawTimeline(drawn.chart, options)])
    }
    default:
      return (group as readonly DrawnBy<TableChart>[]).flatMap((drawn) => [
        ...named(shell, drawn),
        drawTable(shell, drawn.chart),
      ])
  }
}

/** Whose it is, where its title does not say so. */
function named({ lang, output: { colour } }: Shell, { variant, chart }: DrawnBy): string[] {
  return say(chart.title, lang).includes(variant) ? [] : [`\n${colour.cyan(variant)}`]
}

const endsOf = ({ rows }: TimelineChart): number[] => rows.flatMap(({ spans }) => spans.map(({ to }) => to))

/** One chart with the series of all; a series says whose it is when there are several variants. */
function together({ variant, chart }: DrawnBy<LinesChart>, others: readonly DrawnBy<LinesChart>[]): LinesChart {
  if (others.length === 0) return chart
  const series = [{ variant, chart }, ...others].flatMap((drawn) =>
    drawn.chart.series.map(({ name, points }) => ({
      name: name === drawn.variant || drawn.chart.series.length === 1 ? drawn.variant : `${drawn.variant}: ${name}`,
      points,
    })),
  )
  return { ...chart, series }
}

function drawTable({ lang, t, output: { colour } }: Shell, { columns, rows }: TableChart): string {
  const right = columns.flatMap((_, index) => (rows.every((row) => typeof row[index] !== 'string') ? [index] : []))
  const cells = rows.map((row) => row.map((cell) => formatValue(cell, lang, t)))
  return table({ head: columns.map((column) => say(column, lang)), rows: cells, right, colour })
}
