/**
 * What the labs' program (main.ts) is told and what it says, as data (JSON): its list, its roadmap, and the events of a run.
 * The harness, the terminal and the console speak in these words.
 */

/** In English and Spanish. */
export interface Text {
  readonly en: string
  readonly es: string
}

export type PhaseNumber = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

/** `fails`: it shows the failure. `holds`: it does not. */
export type Observed = 'fails' | 'holds'

export type Measured = Readonly<Record<string, number | string | boolean>>

export type Size = 'default' | 'small'

/** A whole number that the workload takes. */
export interface Parameter {
  readonly about: Text
  readonly default: number
  /** At reduced size, where a lab is a test. */
  readonly small: number
  readonly min: number
  readonly max: number
}

/** A column of the table: the title of a measured value. */
export interface Measure {
  readonly title: Text
  readonly unit?: 'ms' | 's' | '%' | 'MB' | '/s' | '×'
}

/** Where the production version of the fix lives. */
export interface Production {
  /** From the root of the repository. */
  readonly file: string
  readonly about: Text
}

/** A lab without its code. */
export interface LabDescription {
  readonly id: string
  readonly phase: PhaseNumber
  readonly title: Text
  /** What goes wrong and why, for someone who meets it for the first time: a paragraph. The whole story is in docs/labs. */
  readonly concept: Text
  /** What to look at in the table, the chart or the notes. */
  readonly watch: Text
  readonly parameters: Readonly<Record<string, Parameter>>
  readonly variants: readonly { readonly name: string; readonly expected: Observed; readonly about: Text }[]
  /** In the order of the table. A variant need not have all of them. */
  readonly measures: Readonly<Record<string, Measure>>
  readonly production: readonly Production[]
  /** Whether it grades a variant of one's own. */
  readonly takesVariants: boolean
}

export interface LabList {
  readonly phases: readonly { readonly number: PhaseNumber; readonly title: Text }[]
  /** In the order in which they are learned. */
  readonly labs: readonly LabDescription[]
}

/** What to run: one entry of the program's argument. */
export interface RunCommand {
  readonly id: string
  readonly seed: number
  readonly size: Size
  readonly set?: Readonly<Record<string, number>>
  readonly only?: string
  /** Somebody's own variant: a path, seen from the working directory. */
  readonly own?: string
}

/**
 * Why the lab cannot run with these numbers or this variant; undefined when it can. What is possible is named.
 *
 * @param asked comes from outside: its values may be anything
 */
export function refusalOf(
  { id, parameters, variants }: Pick<LabDescription, 'id' | 'parameters'> & NamedVariants,
  asked: { readonly set?: Readonly<Record<string, unknown>>; readonly only?: string },
): string | undefined {
  const { set = {}, only } = asked
  for (const [name, value] of Object.entries(set)) {
    const parameter = Object.hasOwn(parameters, name) ? parameters[name] : undefined
    if (!parameter) {
      const names = Object.keys(parameters).join(', ') || 'none'
      return `${id} has no parameter ${JSON.stringify(name)}. It has: ${names}`
    }
    const { min, max } = parameter
    if (!isWhole(value) || value < min || value > max)
      return `${name} is ${JSON.stringify(value)}; for ${id} it must be a whole number from ${min} to ${max}`
  }
  if (only === undefined || variants.some(({ name }) => name === only)) return undefined
  return `${id} has no variant ${JSON.stringify(only)}. It has: ${variants.map(({ name }) => name).join(', ')}`
}

interface NamedVariants {
  readonly variants: readonly { readonly name: string }[]
}

export const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value)

export interface Axis {
  readonly title: Text
  readonly unit?: string
  /** Defaults to linear. */
  readonly scale?: 'linear' | 'log'
}

export interface LinesChart {
  readonly kind: 'lines'
  readonly title: Text
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly {
    readonly name: string
    readonly points: readonly (readonly [x: number, y: number])[]
  }[]
}

/** Who does what when, in milliseconds from the beginning: a row for each worker, thread, session. */
export interface TimelineChart {
  readonly kind: 'timeline'
  readonly title: Text
  readonly rows: readonly {
    readonly name: string
    readonly spans: readonly { readonly from: number; readonly to: number; readonly label: string }[]
  }[]
}

export interface TableChart {
  readonly kind: 'table'
  readonly title: Text
  readonly columns: readonly Text[]
  readonly rows: readonly (readonly (string | number)[])[]
}

export type Chart = LinesChart | TimelineChart | TableChart

export interface VariantResult {
  readonly name: string
  readonly expected: Observed
  readonly observed: Observed
  readonly measured: Measured
}

export interface LabResult {
  readonly id: string
  readonly phase: PhaseNumber
  readonly verdict: 'pass' | 'fail'
  readonly seed: number
  readonly ms: number
  readonly variants: readonly VariantResult[]
}

export type LabFault = 'unknown-lab' | 'bad-request' | 'bad-variant' | 'broken' | 'interrupted'

export interface Started {
  readonly type: 'started'
  readonly id: string
  readonly seed: number
  readonly size: Size
  readonly parameters: Readonly<Record<string, number>>
  readonly variants: readonly string[]
}

/** What a run tells while it goes on, one after the other, and its result. */
export type LabEvent =
  | Started
  | { readonly type: 'variant'; readonly name: string }
  /** Of the variant that runs: `done` of `total`. */
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  /** Something that was seen: what the database answered, which process was killed where. */
  | { readonly type: 'note'; readonly variant: string; readonly text: Text }
  | { readonly type: 'chart'; readonly variant: string; readonly chart: Chart }
  | ({ readonly type: 'measured' } & VariantResult)
  | { readonly type: 'result'; readonly result: LabResult }
  /** The last event of a run that could not go on. */
  | { readonly type: 'failed'; readonly code: LabFault; readonly message: string }

/** Where an entry of the roadmap lives; paths from the root of the repository. */
export interface Where {
  /** Ids of labs, in the order in which to do them. */
  readonly labs?: readonly string[]
  readonly code?: readonly string[]
  readonly tests?: readonly string[]
  readonly docs?: readonly string[]
  /** What is not here yet. */
  readonly toCome?: Text
}

export interface RoadmapEntry extends Where {
  readonly kind: 'concept' | 'practice' | 'project' | 'flag'
  readonly text: Text
}

export interface RoadmapSection {
  /** Of a phase. */
  readonly phase?: PhaseNumber
  readonly title: Text
  readonly entries: readonly RoadmapEntry[]
}

export interface Roadmap {
  readonly sections: readonly RoadmapSection[]
  /** All of them, in the order in which they are learned. */
  readonly labs: readonly LabDescription[]
}
