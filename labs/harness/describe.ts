/** A lab without its code, as data: what lists, the terminal and the console show. */
import type { LabDescription } from '../contract.ts'
import type { Lab } from './lab.ts'

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
