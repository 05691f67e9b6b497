/**
 * Curves: simple-ascii-chart draws axes and marks; the lines are drawn here, cell by cell, because its own cannot be told apart
 * without colours. Each series has a sign of its own at its points, dots between them, and a colour on a terminal.
 */
import plot from 'simple-ascii-chart'
import type { Axis, LinesChart } from '@cauce/labs/contract'
import type { Colours } from '../../output.ts'
import { widthOf } from '../../paragraph.ts'
import type { Lang } from '../../texts.ts'
import { formatNumber, say, withUnit } from '../words.ts'
import { scaleOf, type Scale } from './scale.ts'

export interface LinesOptions {
  readonly lang: Lang
  readonly colour: Colours
  readonly width: number
}

type Point = [x: number, y: number]
type Cell = { x: number; y: number; symbol: string }
type Formatter = NonNullable<NonNullable<Parameters<typeof plot>[1]>['lineFormatter']>

const SIGNS = ['●', '▲', '■', '◆', '○', '△', '□', '◇'] as const
const HEIGHT = 14
const NARROWEST = 20
/** What stands left of the plot: the numbers of the axis, and a little air. */
const MARGIN = 14

export function drawLines({ x, y, series }: LinesChart, { lang, colour, width }: LinesOptions): string {
  const all = series.flatMap(({ points }) => points)
  const plotWidth = Math.max(NARROWEST, Math.min(64, width - MARGIN))
  const horizontal = scaleOf(
    all.map(([value]) => value),
    x.scale ?? 'linear',
    9,
  )
  const vertical = scaleOf(
    all.map(([, value]) => value),
    y.scale ?? 'linear',
    6,
  )
  if (!horizontal || !vertical) return '–'

  const paints = [colour.cyan, colour.yellow, colour.magenta, colour.green, colour.blue, colour.red]
  const looks = series.map(({ name }, index) => ({
    name,
    paint: paints[index % paints.length]!,
    sign: SIGNS[index % SIGNS.length]!,
  }))
  const placed = series.map(({ points }) => placesOf(points, horizontal, vertical))
  const corners: Point[] = [
    [horizontal.ticks[0]!, vertical.ticks[0]!],
    [horizontal.ticks.at(-1)!, vertical.ticks.at(-1)!],
  ]
  // Each series twice, so that no line runs over another one's points. The corners give both axes their length.
  const layers = [
    { points: corners, draw: nothing },
    ...placed.map((points, index) => ({ points, draw: dots(looks[index]!.paint('·')) })),
    ...placed.map((points, index) => ({ points, draw: marks(looks[index]!.paint(looks[index]!.sign)) })),
  ].filter(({ points }) => points.length > 0)
  const longestMark = Math.max(...vertical.ticks.map((tick) => tickOf(vertical, tick, lang).length))
  let layer = -1
  const text = plot(
    layers.map(({ points }) => points),
    {
      width: plotWidth,
      height: HEIGHT,
      // Its arrows look like signs.
      symbols: { axis: { n: '│', e: '─' } },
      yRange: [corners[0]![1], corners[1]![1]],
      customXAxisTicks: [...horizontal.ticks],
      customYAxisTicks: [...vertical.ticks],
      formatter: (place, { axis }) =>
        axis === 'x' ? tickOf(horizontal, place, lang) : tickOf(vertical, place, lang).padStart(longestMark),
      lineFormatter(args) {
        if (args.index === 0) layer += 1
        return layers[layer]!.draw(args)
      },
    },
  )
  const legend = legendOf(
    looks.map(({ name, paint, sign }) => paint(`${sign} ${name}`)),
    width,
  )
  return [`  ${axisTitle(y, lang)}`, body(text, axisTitle(x, lang)), '', ...legend].join('\n')
}

const axisTitle = ({ title, unit }: Axis, lang: Lang): string => withUnit(say(title, lang), unit)

/** Its points where they are drawn, from left to right. */
function placesOf(points: LinesChart['series'][number]['points'], horizontal: Scale, vertical: Scale): Point[] {
  return points.flatMap(([x, y]): Point[] => {
    const at = [
      Number.isFinite(x) ? horizontal.place(x) : undefined,
      Number.isFinite(y) ? vertical.place(y) : undefined,
    ]
    return at[0] === undefined || at[1] === undefined ? [] : [[at[0], at[1]]]
  })
}

/** Of any place the nearest mark: only marks are written, but the length of every text makes room. */
function tickOf({ ticks, valueAt }: Scale, place: number, lang: Lang): string {
  const nearest = ticks.reduce((best, tick) => (Math.abs(tick - place) < Math.abs(best - place) ? tick : best))
  return formatNumber(valueAt(nearest), lang)
}

/** As many on a line as fit. */
function legendOf(entries: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const entry of entries) {
    const longer = `${lines.at(-1) ?? ''}   ${entry}`
    if (lines.length > 0 && widthOf(longer) <= width) lines[lines.length - 1] = longer
    else lines.push(`  ${entry}`)
  }
  return lines
}

const nothing = (): Cell[] => []

const marks =
  (symbol: string): Formatter =>
  ({ plotX, plotY }) => [{ x: plotX, y: plotY, symbol }]

/** A straight line of dots from the point before. */
function dots(symbol: string): Formatter {
  let before: Point | undefined
  return ({ index, plotX, plotY }) => {
    const from = index === 0 ? undefined : before
    before = [plotX, plotY]
    return from ? between(from, before).map(([x, y]) => ({ x, y, symbol })) : []
  }
}

function between([fromX, fromY]: Point, [toX, toY]: Point): Point[] {
  const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY))
  return Array.from({ length: Math.max(0, steps - 1) }, (_, index): Point => {
    const share = (index + 1) / steps
    return [Math.round(fromX + (toX - fromX) * share), Math.round(fromY + (toY - fromY) * share)]
  })
}

/** The drawing without empty lines around it, the horizontal axis's title under its end. */
function body(text: string, title: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const width = Math.max(...lines.map(widthOf))
  return [...lines.map((line) => `  ${line.trimEnd()}`), `  ${title.padStart(width)}`].join('\n')
}
