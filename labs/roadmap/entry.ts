/** The roadmap as data: its entries in its own words and order, and where each of them lives here. */
import type { PhaseNumber, Text } from '../harness/vocabulary.ts'

export type Kind = 'concept' | 'practice' | 'project' | 'flag'

/** Where something lives; paths from the root of the repository. */
export interface Where {
  /** Ids of labs, in the order in which to do them. */
  readonly labs?: readonly string[]
  readonly code?: readonly string[]
  readonly tests?: readonly string[]
  readonly docs?: readonly string[]
  /** What is not here yet. */
  readonly toCome?: Text
}

export interface Entry extends Where {
  readonly kind: Kind
  readonly text: Text
}

export interface Section {
  /** Of a phase. */
  readonly phase?: PhaseNumber
  readonly title: Text
  readonly entries: readonly Entry[]
}

type Words = readonly [es: string, en: string]

const entry =
  (kind: Kind) =>
  ([es, en]: Words, where: Where): Entry => ({ kind, text: { en, es }, ...where })

export const concept = entry('concept')
export const practice = entry('practice')
export const project = entry('project')
export const flag = entry('flag')

export const toCome = (en: string, es: string): { readonly toCome: Text } => ({ toCome: { en, es } })
