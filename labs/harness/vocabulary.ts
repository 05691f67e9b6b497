/** Words that everything about a lab shares: texts, what is measured, charts, how a variant is named, what can go wrong. */

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

export interface Axis {
  readonly title: Text
  readonly unit?: string
  /** Defaults to linear. */
  readonly scale?: 'linear' | 'log'
}

export type Chart =
  | {
      readonly kind: 'lines'
      readonly title: Text
      readonly x: Axis
      readonly y: Axis
      readonly series: readonly {
        readonly name: string
        readonly points: readonly (readonly [x: number, y: number])[]
      }[]
    }
  | {
      /** Who does what when, in milliseconds from the beginning: a row for each worker, thread, session. */
      readonly kind: 'timeline'
      readonly title: Text
      readonly rows: readonly {
        readonly name: string
        readonly spans: readonly { readonly from: number; readonly to: number; readonly label: string }[]
      }[]
    }
  | {
      readonly kind: 'table'
      readonly title: Text
      readonly columns: readonly Text[]
      readonly rows: readonly (readonly (string | number)[])[]
    }

/** How a process of a lab finds the variant it is to run. */
export interface VariantReference {
  readonly name: string
  /** The JavaScript made of somebody's own file. */
  readonly module?: string
}

export type LabFault = 'unknown-lab' | 'bad-request' | 'bad-variant' | 'broken' | 'interrupted'

/** A run that cannot begin or go on; the message says what to do. */
export class LabError extends Error {
  override readonly name = 'LabError'
  readonly code: LabFault

  constructor(code: LabFault, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
