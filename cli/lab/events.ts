/**
 * What the labs' program (labs/main.ts) says, as data: its list, and the events of a run, a line of JSON each. A test compares
 * these types with its own.
 */

export interface Text {
  readonly en: string
  readonly es: string
}

/** `fails`: it shows the failure. `holds`: it does not. */
export type Observed = 'fails' | 'holds'
export type Size = 'default' | 'small'
export type Measured = Readonly<Record<string, number | string | boolean>>

export interface Parameter {
  readonly about: Text
  readonly default: number
  readonly small: number
  readonly min: number
  readonly max: number
}

export interface LabDescription {
  readonly id: string
  readonly phase: number
  readonly title: Text
  readonly concept: Text
  readonly watch: Text
  readonly parameters: Readonly<Record<string, Parameter>>
  readonly variants: readonly { readonly name: string; readonly expected: Observed; readonly about: Text }[]
  /** The columns of the table, in order. */
  readonly measures: Readonly<Record<string, { readonly title: Text; readonly unit?: string }>>
  readonly production: readonly { readonly file: string; readonly about: Text }[]
  /** Whether it grades a variant of one's own. */
  readonly takesVariants: boolean
}

export interface LabList {
  readonly phases: readonly { readonly number: number; readonly title: Text }[]
  /** In the order in which they are learned. */
  readonly labs: readonly LabDescription[]
}

export interface Axis {
  readonly title: Text
  readonly unit?: string
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

export interface TimelineChart {
  readonly kind: 'timeline'
  readonly title: Text
  /** In milliseconds from the beginning. */
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
  readonly phase: number
  readonly verdict: 'pass' | 'fail'
  readonly seed: number
  readonly ms: number
  readonly variants: readonly VariantResult[]
}

export interface Started {
  readonly type: 'started'
  readonly id: string
  readonly seed: number
  readonly size: Size
  readonly parameters: Readonly<Record<string, number>>
  readonly variants: readonly string[]
}

export type LabEvent =
  | Started
  | { readonly type: 'variant'; readonly name: string }
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'note'; readonly variant: string; readonly text: Text }
  | { readonly type: 'chart'; readonly variant: string; readonly chart: Chart }
  | ({ readonly type: 'measured' } & VariantResult)
  | { readonly type: 'result'; readonly result: LabResult }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

const types: readonly string[] = [
  'started',
  'variant',
  'progress',
  'note',
  'chart',
  'measured',
  'result',
  'failed',
] satisfies LabEvent['type'][]

/**
 * The event of a line, and what else is on it: somebody's own variant prints to the same place, perhaps without ending its line.
 */
export function readLine(line: string): { event?: LabEvent; printed?: string } {
  const start = line.lastIndexOf('{"type":"')
  for (const at of [0, start]) {
    if (at < 0) continue
    const event = eventOf(line.slice(at))
    if (event) return { event, ...(at > 0 ? { printed: line.slice(0, at) } : {}) }
  }
  return { printed: line }
}

function eventOf(text: string): LabEvent | undefined {
  try {
    const value = JSON.parse(text) as LabEvent | null
    return types.includes(value?.type ?? '') ? (value ?? undefined) : undefined
  } catch {
    return undefined
  }
}

/** What to run: one entry of the program's argument. */
export interface RunCommand {
  readonly id: string
  readonly seed: number
  readonly size: Size
  readonly set?: Readonly<Record<string, number>>
  readonly only?: string
  /** A path, seen from the working directory. */
  readonly own?: string
}

/** An entry of the roadmap, and where it lives: ids of labs, paths from the root of the repository. */
export interface RoadmapEntry {
  readonly kind: 'concept' | 'practice' | 'project' | 'flag'
  readonly text: Text
  readonly labs?: readonly string[]
  readonly code?: readonly string[]
  readonly tests?: readonly string[]
  readonly docs?: readonly string[]
  readonly toCome?: Text
}

export interface RoadmapSection {
  readonly phase?: number
  readonly title: Text
  readonly entries: readonly RoadmapEntry[]
}

export interface Roadmap {
  readonly sections: readonly RoadmapSection[]
}
