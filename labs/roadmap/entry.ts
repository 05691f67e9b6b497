/** The roadmap as data: its entries in its own words and order, and where each of them lives here. */
import type { RoadmapEntry, Text, Where } from '../contract.ts'

type Words = readonly [es: string, en: string]

const entry =
  (kind: RoadmapEntry['kind']) =>
  ([es, en]: Words, where: Where): RoadmapEntry => ({ kind, text: { en, es }, ...where })

export const concept = entry('concept')
export const practice = entry('practice')
export const project = entry('project')
export const flag = entry('flag')

export const toCome = (en: string, es: string): { readonly toCome: Text } => ({ toCome: { en, es } })
