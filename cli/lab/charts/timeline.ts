/** Who does what when: a line for each row, more where its spans overlap. */
import type { TimelineChart } from '@cauce/labs/contract'
import type { Colours } from '../../output.ts'
import type { Lang } from '../../texts.ts'
import { formatNumber } from '../words.ts'

export interface TimelineOptions {
  readonly lang: Lang
  readonly colour: Colours
  readonly width: number
  /** Where the scale ends. */
  readonly endMs: number
}

type Span = TimelineChart['rows'][number]['spans'][number]

const NARROWEST = 20

export function drawTimeline({ rows }: TimelineChart, { lang, colour, width, endMs }: TimelineOptions): string {
  const nameWidth = Math.max(0, ...rows.map(({ name }) => name.length))
  const cells = Math.max(NARROWEST, width - nameWidth - 5)
  const columnOf = (ms: number) => Math.min(cells, Math.max(0, Math.round((ms / endMs) * cells)))
  const lines = rows.flatMap(({ name, spans }) =>
    lanesOf(spans).map((lane, index) => {
      const label = (index === 0 ? name : '').padEnd(nameWidth)
      return `  ${label} ${colour.dim('│')}${drawLane(lane, columnOf, colour)}`.trimEnd()
    }),
  )
  const end = `${formatNumber(endMs, lang)} ms`
  const axis = `${' '.repeat(nameWidth + 3)}${colour.dim(`0${end.padStart(cells)}`)}`
  return [...lines, axis].join('\n')
}

/** Spans that do not overlap share a line. */
function lanesOf(spans: readonly Span[]): Span[][] {
  const lanes: Span[][] = []
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    const free = lanes.find((lane) => lane.at(-1)!.to <= span.from)
    if (free) free.push(span)
    else lanes.push([span])
  }
  return lanes.length === 0 ? [[]] : lanes
}

function drawLane(spans: readonly Span[], columnOf: (ms: number) => number, colour: Colours): string {
  const paints = [colour.cyan, colour.yellow]
  let at = 0
  const parts = spans.map(({ from, to, label }, index) => {
    const start = Math.max(at, columnOf(from))
    // However short it was it is to be seen; where the one before has taken its cell it is.
    const end = Math.max(columnOf(to), columnOf(from) + 1)
    if (end <= at) return ''
    const gap = ' '.repeat(start - at)
    at = end
    return gap + paints[index % paints.length]!(drawSpan(end - start, label))
  })
  return parts.join('')
}

/** `├─ reads ──┤`: the label where there is room for it. */
function drawSpan(width: number, label: string): string {
  if (width < 2) return '▪'
  const inner = width - 2
  const roomy = label !== '' && label.length + 2 <= inner
  const text = roomy ? ` ${label} ` : label.slice(0, inner)
  const left = Math.floor((inner - text.length) / 2)
  return `├${'─'.repeat(left)}${text}${'─'.repeat(inner - text.length - left)}┤`
}
