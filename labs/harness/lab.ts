/**
 * What a lab is: a failure provoked on real code and real servers, the same workload under each fix, and a verdict that is
 * computed from what was measured. A lab is data; the harness runs it and knows neither terminal nor browser.
 *
 * H1. Every variant of a run gets the same parameters and the same seed, and a world of its own.
 * H2. The failing variant must show its failure and the others must not: each is judged by the same `fails`.
 * H3. Interleavings are forced (gathering.ts, process.ts), never hoped for. Where time itself is the subject, `fails` compares
 *     with another variant of the same run and wants a factor of at least three.
 * H4. Whoever learns may bring a variant of their own; it is judged like ours.
 */
import type { LabDescription, Measured, Observed, Parameter, Text } from '../contract.ts'
import type { Stage } from './stage.ts'

export interface Variant<Code> {
  /** In lower case, with hyphens: `row-lock`. */
  readonly name: string
  readonly expected: Observed
  /** How it works, in one or two sentences. */
  readonly about: Text
  readonly code: Code
}

export interface Lab<Code = unknown, Name extends string = string> extends Omit<
  LabDescription,
  'parameters' | 'variants' | 'takesVariants'
> {
  readonly parameters: Readonly<Record<Name, Parameter>>
  readonly variants: readonly Variant<Code>[]
  /**
   * The file whose default export is the naive variant, for whoever builds a fix: `labs/concurrency/stock-counter.naive.ts`.
   * Without it the lab takes no variants from outside.
   */
  readonly scaffold?: string
  /** Variants that run in any case, because `fails` compares with them. */
  readonly compares?: readonly string[]
  /** Plays the workload on a variant. Counts what happened; judges nothing. */
  run(stage: Stage<Name>, code: Code): Promise<Measured>
  /** Whether what was measured shows the failure. `others` has what the variants before it measured, by name. */
  fails(measured: Measured, others: ReadonlyMap<string, Measured>): boolean
}

/** Checks types and infers the parameters' names: `export const stockCounter = lab<Buy>()({ … })`. */
export const lab =
  <Code>() =>
  <Name extends string>(definition: Lab<Code, Name>): Lab<Code, Name> =>
    definition

/** A measured number; the lab's author knows that it is there. */
export function numberOf(measured: Measured | undefined, name: string): number {
  const value = measured?.[name]
  if (typeof value !== 'number') throw new TypeError(`The lab measured no number called ${name}`)
  return value
}
