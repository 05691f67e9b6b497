/** A lab without its code, as data: what lists, the terminal and the console show. */
import type { Lab } from './lab.ts'
import type { Observed, Text } from './vocabulary.ts'

export type LabDescription = Omit<Lab, 'variants' | 'run' | 'fails' | 'scaffold' | 'compares'> & {
  readonly variants: readonly { readonly name: string; readonly expected: Observed; readonly about: Text }[]
  /** Whether it grades a variant of one's own. */
  readonly takesVariants: boolean
}

export function describeLab(lab: Lab): LabDescription {
  const { id, phase, title, concept, watch, parameters, measures, production, scaffold } = lab
  const variants = lab.variants.map(({ name, expected, about }) => ({ name, expected, about }))
  return {
    id,
    phase,
    title,
    concept,
    watch,
    parameters,
    variants,
    measures,
    production,
    takesVariants: scaffold !== undefined,
  }
}
