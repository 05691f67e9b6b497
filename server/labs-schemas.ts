/**
 * Labs, runs and their events as they are sent. The program that has the labs says the same in its own types; a test compares
 * the two.
 */
import { Type, type Static } from 'typebox'
import { idPattern } from '@cauce/kit/core/ids'
import { Timestamp } from '@cauce/kit/core/schemas'
import { pageOf } from '@cauce/kit/http/pagination'

const Text = Type.Object({ en: Type.String(), es: Type.String() }, { description: 'In English and Spanish' })
const Observed = Type.Enum(['fails', 'holds'], {
  description: '`fails`: it shows the failure · `holds`: it does not',
})
export const Size = Type.Enum(['default', 'small'], {
  description: '`small` is for a first look: the same failure with less of everything',
  default: 'default',
})
const Phase = Type.Object({ number: Type.Integer({ minimum: 0, maximum: 8 }), title: Text })

const LAB_ID = '^[a-z][a-z0-9-]{0,63}$'
export const isLabId = (text: unknown): text is string => typeof text === 'string' && new RegExp(LAB_ID).test(text)
export const LabId = Type.Object(
  { id: Type.String({ pattern: LAB_ID, examples: ['stock-counter'] }) },
  { additionalProperties: false },
)
export const RunId = Type.Object(
  { runId: Type.String({ pattern: idPattern('run').source, examples: ['run_019ab3f0c1d27000a1b2c3d4e5f60718'] }) },
  { additionalProperties: false },
)

export const Lab = Type.Object(
  {
    id: Type.String(),
    phase: Type.Integer(),
    title: Text,
    concept: Text,
    watch: Text,
    parameters: Type.Record(
      Type.String(),
      Type.Object({
        about: Text,
        default: Type.Integer(),
        small: Type.Integer({ description: 'At small size' }),
        min: Type.Integer(),
        max: Type.Integer(),
      }),
    ),
    variants: Type.Array(Type.Object({ name: Type.String(), expected: Observed, about: Text })),
    measures: Type.Record(
      Type.String(),
      Type.Object({ title: Text, unit: Type.Optional(Type.Enum(['ms', 's', '%', 'MB', '/s', '×'])) }),
      { description: 'The columns of the table, in their order' },
    ),
    production: Type.Array(
      Type.Object({ file: Type.String({ description: 'From the root of the repository' }), about: Text }),
      { description: 'Where the product does it right' },
    ),
    takesVariants: Type.Boolean({ description: 'Whether the command line grades a variant of your own' }),
    page: Type.Optional(
      Type.Object(
        { en: Type.String(), es: Type.String() },
        { description: 'Where its page is, from the root of the repository' },
      ),
    ),
  },
  {
    examples: [
      {
        id: 'stock-counter',
        phase: 1,
        title: { en: 'A stock counter and 100 buyers', es: 'Un contador de stock y 100 compradores' },
        concept: {
          en: 'Two requests read “60 left”, both write “59” …',
          es: 'Dos peticiones leen «quedan 60» y las dos escriben «59» …',
        },
        watch: {
          en: 'Sold + left must be the stock at the start.',
          es: 'Vendidas + restantes debe dar el stock inicial.',
        },
        parameters: {
          buyers: {
            about: { en: 'Buyers at the same time', es: 'Compradores a la vez' },
            default: 100,
            small: 20,
            min: 2,
            max: 1000,
          },
        },
        variants: [
          {
            name: 'read-then-write',
            expected: 'fails',
            about: { en: 'SELECT, subtract, UPDATE.', es: 'SELECT, restar, UPDATE.' },
          },
        ],
        measures: { lost: { title: { en: 'lost', es: 'perdidas' } } },
        production: [
          {
            file: 'services/inventory/decide.ts',
            about: { en: 'decides on locked rows', es: 'decide sobre filas bloqueadas' },
          },
        ],
        takesVariants: true,
        page: { en: 'docs/labs/stock-counter.md', es: 'docs/labs/stock-counter.es.md' },
      },
    ],
  },
)
export type Lab = Static<typeof Lab>

export const LabList = Type.Object({
  ...pageOf(Lab).properties,
  phases: Type.Array(Phase, {
    examples: [[{ number: 1, title: { en: 'Concurrency and parallelism', es: 'Concurrencia y paralelismo' } }]],
  }),
})
export type Phase = Static<typeof Phase>

export const RunLab = Type.Object(
  {
    seed: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2 ** 31 - 1,
        default: 1,
        description: 'What chance follows: the same seed, the same workload',
      }),
    ),
    size: Type.Optional(Size),
    set: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9]{0,63}$' }), Type.Integer(), {
        description: 'Parameters of the lab, by name; the others are as the size says',
        additionalProperties: false,
      }),
    ),
    variant: Type.Optional(
      Type.String({
        pattern: LAB_ID,
        description: 'Only this one, and those it is compared with. Without it all are run',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ seed: 7, size: 'small', set: { buyers: 30 } }] },
)
export type RunLab = Static<typeof RunLab>

const Measured = Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean()]), {
  description: 'What was measured, by name: columns of the table, and what else the verdict rests on',
})
const VariantResult = { name: Type.String(), expected: Observed, observed: Observed, measured: Measured }
const variantExample = { name: 'read-then-write', expected: 'fails', observed: 'fails', measured: { lost: 17 } }

export const LabResult = Type.Object(
  {
    id: Type.String(),
    phase: Type.Integer(),
    verdict: Type.Enum(['pass', 'fail'], { description: '`pass`: each variant did what is expected of it' }),
    seed: Type.Integer(),
    ms: Type.Integer(),
    variants: Type.Array(Type.Object(VariantResult)),
  },
  {
    examples: [
      { id: 'stock-counter', phase: 1, verdict: 'pass', seed: 7, ms: 1904, variants: [variantExample] } as const,
    ],
  },
)
export type LabResult = Static<typeof LabResult>

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

export const runStatuses = ['running', 'passed', 'failed', 'broken', 'cancelled'] as const

export const Run = Type.Object(
  {
    id: RunId.properties.runId,
    lab: Type.String({ description: 'The id of the lab' }),
    status: Type.Enum([...runStatuses], {
      description:
        'passed: each variant did what is expected of it · failed: one did not · broken: it could not go on · cancelled: somebody ended it',
    }),
    seed: Type.Integer(),
    size: Size,
    startedAt: Timestamp,
    finishedAt: orNull(Timestamp),
    result: orNull(LabResult),
    error: orNull(Type.String({ description: 'Why there is no result' })),
  },
  {
    examples: [
      {
        id: 'run_019ab3f0c1d27000a1b2c3d4e5f60718',
        lab: 'stock-counter',
        status: 'running',
        seed: 7,
        size: 'small',
        startedAt: '2026-01-02T03:04:05.678Z',
        finishedAt: null,
        result: null,
        error: null,
      } as const,
    ],
  },
)
export type Run = Static<typeof Run>

const Axis = Type.Object({
  title: Text,
  unit: Type.Optional(Type.String()),
  scale: Type.Optional(Type.Enum(['linear', 'log'])),
})

const Chart = Type.Union([
  Type.Object({
    kind: Type.Literal('lines'),
    title: Text,
    x: Axis,
    y: Axis,
    series: Type.Array(
      Type.Object({
        name: Type.String(),
        points: Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), { description: 'x and y' }),
      }),
    ),
  }),
  Type.Object({
    kind: Type.Literal('timeline'),
    title: Text,
    rows: Type.Array(
      Type.Object({
        name: Type.String(),
        spans: Type.Array(
          Type.Object({
            from: Type.Number({ description: 'In milliseconds' }),
            to: Type.Number(),
            label: Type.String(),
          }),
        ),
      }),
    ),
  }),
  Type.Object({
    kind: Type.Literal('table'),
    title: Text,
    columns: Type.Array(Text),
    rows: Type.Array(Type.Array(Type.Union([Type.String(), Type.Number()]))),
  }),
])

/** What a run tells, one after the other. */
export const LabEvent = Type.Union([
  Type.Object({
    type: Type.Literal('started'),
    id: Type.String({ description: 'The id of the lab' }),
    seed: Type.Integer(),
    size: Size,
    parameters: Type.Record(Type.String(), Type.Integer()),
    variants: Type.Array(Type.String()),
  }),
  Type.Object({ type: Type.Literal('variant'), name: Type.String({ description: 'The one that runs now' }) }),
  Type.Object({ type: Type.Literal('progress'), done: Type.Number(), total: Type.Number() }),
  Type.Object({ type: Type.Literal('note'), variant: Type.String(), text: Text }),
  Type.Object({ type: Type.Literal('chart'), variant: Type.String(), chart: Chart }),
  Type.Object({ type: Type.Literal('measured'), ...VariantResult }),
  Type.Object({ type: Type.Literal('result'), result: LabResult }),
  Type.Object({
    type: Type.Literal('failed'),
    code: Type.Enum(['unknown-lab', 'bad-request', 'bad-variant', 'broken', 'interrupted']),
    message: Type.String(),
  }),
])
export type LabEvent = Static<typeof LabEvent>

const eventExample = { type: 'measured', ...variantExample }
export const EVENT_EXAMPLE = `id: 21\nevent: measured\ndata: ${JSON.stringify(eventExample)}\n\n`
