import { expect, test } from 'vitest'
import type { Chart } from '@cauce/labs/contract'
import { createShell } from '../../shell.ts'
import { testWorld } from '../../testing.ts'
import { drawCharts } from './charts.ts'
import { scaleOf } from './scale.ts'

const text = (en: string) => ({ en, es: `es ${en}` })
type Points = readonly (readonly [number, number])[]
const lines = (name: string, points: Points, log = false): Chart => ({
  kind: 'lines',
  title: text('Throughput'),
  x: { title: text('writers'), scale: log ? 'log' : 'linear' },
  y: { title: text('transfers'), unit: '/s' },
  series: [{ name, points }],
})
const draw = (...charts: [string, Chart][]) =>
  drawCharts(
    createShell(testWorld(), 'en', {}),
    charts.map(([variant, chart]) => ({ variant, chart })),
  )

test('curves of two variants with one title are one chart, each with a sign of its own', () => {
  const [chart = '', ...others] = draw(
    [
      'optimistic',
      lines('any', [
        [1, 100],
        [32, 0],
      ]),
    ],
    [
      'pessimistic',
      lines('any', [
        [1, 20],
        [32, 80],
      ]),
    ],
  )
  expect(others).toEqual([])
  const rows = chart.split('\n')
  expect(rows[0]).toBe('Throughput')
  expect(rows[1]).toBe('  transfers (/s)')
  expect(rows.at(-1)).toBe('  ● optimistic   ▲ pessimistic')
  // Both ends of both lines, and something between them; the first falls, the second rises.
  const at = (sign: string) =>
    rows.slice(0, -1).flatMap((row, y) => (row.includes(sign) ? [{ y, x: row.indexOf(sign) }] : []))
  const [high, low] = [at('●')[0]!, at('●')[1]!]
  expect(high.x).toBeLessThan(low.x)
  expect(at('▲')[0]!.x).toBeGreaterThan(at('▲')[1]!.x)
  expect(rows.slice(high.y + 1, low.y).every((row) => row.includes('·'))).toBe(true)
  expect(rows.find((row) => row.includes('100┤'))).toContain('●')
})

test('what cannot be drawn is left out', () => {
  expect(draw(['a', lines('a', [])])).toEqual(['Throughput\n–'])
  expect(
    draw([
      'a',
      lines(
        'a',
        [
          [0, 1],
          [-1, 2],
        ],
        true,
      ),
    ]),
  ).toEqual(['Throughput\n–'])
  const [chart = ''] = draw([
    'a',
    lines('a', [
      [Number.NaN, 1],
      [1, 5],
      [3, 5],
    ]),
  ])
  expect(chart.match(/●/g)).toHaveLength(3) // Two points, and the legend.
})

test('marks are round, from zero unless that hides the shape, powers of ten on a logarithmic axis', () => {
  expect(scaleOf([3, 96], 'linear', 6)?.ticks).toEqual([0, 20, 40, 60, 80, 100])
  expect(scaleOf([0.1, 0.3], 'linear', 4)?.ticks).toEqual([0, 0.1, 0.2, 0.3])
  expect(scaleOf([980, 1000], 'linear', 5)?.ticks).toEqual([980, 985, 990, 995, 1000])
  expect(scaleOf([-5, 5], 'linear', 3)?.ticks).toEqual([-5, 0, 5])
  expect(scaleOf([7], 'linear', 3)).toBeDefined()
  const log = scaleOf([3, 900], 'log', 6)!
  expect(log.ticks.map(log.valueAt)).toEqual([1, 10, 100, 1000])
})

test('timelines with one title share a scale; what overlaps gets a line of its own', () => {
  const row = (name: string, ...spans: [number, number, string][]) => ({
    name,
    spans: spans.map(([from, to, label]) => ({ from, to, label })),
  })
  const timeline = (...rows: ReturnType<typeof row>[]): Chart => ({ kind: 'timeline', title: text('Who'), rows })
  const [chart = ''] = draw(
    ['loop', timeline(row('loop', [0, 50, 'first'], [50, 100, 'second']))],
    ['pool', timeline(row('one', [0, 50, 'first'], [10, 20, 'x']), row('two', [0, 50, 'second']), row('idle'))],
  )
  const rows = chart.split('\n')
  expect(rows.filter((line) => line.includes('100 ms'))).toHaveLength(2)
  expect(rows.find((line) => line.startsWith('  loop'))).toMatch(/│├─+ first ─+┤├─+ second ─+┤$/)
  const one = rows.findIndex((line) => line.startsWith('  one'))
  expect(rows[one]!.length).toBeLessThan(60)
  expect(rows[one + 1]).toMatch(/^ +│ +├─+ x ─+┤$/)
  expect(rows.find((line) => line.startsWith('  idle'))).toMatch(/^ {2}idle │$/)
})

test('spans too short to be told apart share a line, and each is seen', () => {
  const spans = Array.from({ length: 400 }, (_, index) => ({ from: index, to: index + 1, label: '' }))
  const rows = [{ name: 'loop', spans: [...spans, { from: 600, to: 600.1, label: 'late' }] }]
  const [chart = ''] = draw(['slices', { kind: 'timeline', title: text('Who works, slices'), rows }])
  const drawn = chart.split('\n')
  expect(drawn).toHaveLength(3) // The title says whose it is; then one line, and the axis.
  expect(drawn[1]).toMatch(/^ {2}loop │▪{58,62} +▪$/)
})

test('a table has its heads in the reader’s language and its numbers on the right', () => {
  const [chart] = draw([
    'read-committed',
    {
      kind: 'table',
      title: text('Anomalies'),
      columns: [text('anomaly'), text('seen')],
      rows: [
        ['dirty read', 0],
        ['phantom', 12],
      ],
    },
  ])
  expect(chart).toBe('Anomalies\n\nread-committed\nanomaly     seen\ndirty read     0\nphantom       12')
})
