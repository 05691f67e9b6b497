/**
 * What a run tells while it goes on, one event after the other, and its result. All of it is data (JSON): the terminal, the
 * console and the tests read the same.
 */
import type { Chart, LabFault, Measured, Observed, PhaseNumber, Size, Text } from './vocabulary.ts'

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

export type LabEvent =
  | {
      readonly type: 'started'
      readonly id: string
      readonly seed: number
      readonly size: Size
      readonly parameters: Readonly<Record<string, number>>
      readonly variants: readonly string[]
    }
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
